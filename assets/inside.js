/* The Inside page in the browser: the selection that its views share. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  /* The state of the fields, once every one has a value; the same is not set twice. */
  let latest = "";

  document.addEventListener("explorer:open", () => {
    latest = "";
  });

  function view(request, mode, stack, layer, head, query) {
    const whole = request && [layer, head].every(Number.isInteger) && query !== null && query !== undefined;
    if (!whole) return NO_UPDATE();
    const { pair, target, ...read } = request;
    const next = {
      ...read,
      pair: pair ?? "",
      target: target ?? "",
      stack: stack ?? "",
      layer,
      head,
      mode,
      query: Number(query),
    };
    const key = JSON.stringify(next);
    if (key === latest) return NO_UPDATE();
    latest = key;
    return next;
  }

  /* Leaving out the first token is for the views whose planes it would fill. */
  const offerFirst = (mode) => (["points", "matrices"].includes(mode) ? "" : "hidden");

  window.dash_clientside = Object.assign({}, window.dash_clientside, { inside: { view, offerFirst } });
})();
