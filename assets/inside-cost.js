/* Sharing keys and values in the browser: the context length's two fields. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const MOST = 1_000_000; // measures/cost.py: MOST_TOKENS

  /* The slider doubles at each step; a number in between stays, the slider stands nearest to it. */
  function length(tokens, step) {
    const moved = window.dash_clientside.callback_context.triggered_id === "inside-cost-slider";
    const nearest = Math.round(Math.log2(Math.max(Number(tokens) || 1, 1)));
    if (!moved) return [NO_UPDATE(), Math.min(nearest, 20)];
    return [step === nearest ? NO_UPDATE() : Math.min(2 ** step, MOST), NO_UPDATE()];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { inside_cost: { length } });
})();
