/* The Inside page in the browser: what its address gives, the view that is seen, what is looked at. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const MODES = () => [...document.querySelectorAll("#inside-mode input")].map((one) => one.value);

  function open(_opened, defaults, search) {
    const given = new URLSearchParams(search || "");
    const number = (name, fallback) => {
      const value = Number.parseInt(given.get(name) ?? "", 10);
      return Number.isInteger(value) && value >= 0 ? value : fallback;
    };
    const typed = ["text", "pair", "target"].map((name) => given.get(name) ?? defaults[name]);
    return [
      MODES().includes(given.get("mode")) ? given.get("mode") : NO_UPDATE(),
      given.get("stack") ?? "", number("layer", 0), number("head", 0),
      String(number("query", defaults.inside_query)),
      given.get("truncate") === "true" ? typed : null, // with this the page is run
    ];
  }

  /* What is looked at, once every field has a value; the same is not told twice. */
  let told = "";

  function view(request, mode, stack, layer, head, query) {
    const whole = request && [layer, head].every(Number.isInteger) && query !== null && query !== undefined;
    if (!whole) return NO_UPDATE();
    const next = { request, mode, stack, layer, head, query: Number(query) };
    const key = JSON.stringify(next);
    if (key === told) return NO_UPDATE();
    told = key;
    return next;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { inside: { open, view } });
})();
