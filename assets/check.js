/* The Self-check page in the browser: which text its address agrees to truncate. */
"use strict";

(() => {
  /* What was agreed to on another page stays; whatever is given here runs the page. */
  function open(_opened, defaults, search, agreed) {
    const given = new URLSearchParams(search || "");
    if (given.get("truncate") !== "true") return agreed ?? null;
    return ["text", "pair", "target"].map((name) => given.get(name) ?? defaults[name]);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { check: { open } });
})();
