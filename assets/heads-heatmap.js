/* The large map in the browser: a zoom asks the server for that part's own numbers. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  const triggers = () =>
    Object.fromEntries(
      window.dash_clientside.callback_context.triggered.map((one) => [one.prop_id, one.value]),
    );

  let zoomed = null; // what the map is of that can be zoomed into

  document.addEventListener("explorer:open", () => {
    zoomed = null;
  });

  /* A zoom into a coarse map asks for that part's own numbers; a double click for the whole.
     The part is "first query-end,first key-end"; null is the whole map. */
  function zoom(relayout, request, stack, ...switches) {
    const why = Object.keys(triggers());
    if (why.some((one) => one && !one.endsWith(".relayoutData"))) {
      if (!request) return NO_UPDATE();
      const before = zoomed;
      zoomed = [JSON.stringify(request), stack, ...switches];
      // A page may open zoomed; its first stack is known only later.
      const same = !before || zoomed.every((one, i) => one === before[i] || (i === 1 && !before[i]));
      return same ? NO_UPDATE() : null;
    }
    const meta = document.querySelector("#heads-heatmap .js-plotly-plot")?.layout?.meta;
    const edge = (axis, end) => relayout?.[`${axis}.range[${end}]`] ?? relayout?.[`${axis}2.range[${end}]`];
    if (!meta) return NO_UPDATE();
    const [top, bottom, left, right] = meta.part;
    const wanted = [
      edge("yaxis", 1) ?? top,
      edge("yaxis", 0) ?? bottom,
      edge("xaxis", 0) ?? left,
      edge("xaxis", 1) ?? right,
    ];
    const moved = Object.keys(relayout ?? {}).some((key) => key.includes("range"));
    if (!moved && !Object.keys(relayout ?? {}).some((key) => key.includes("autorange"))) return NO_UPDATE();
    const whole = wanted.every((value, i) => Math.abs(value - meta.part[i]) < 0.01);
    if (whole) return null;
    if (meta.exact && top === -0.5 && left === -0.5 && bottom >= meta.whole[0] - 0.5) return NO_UPDATE();
    const tokens = (from, to, count) => {
      const first = Math.min(Math.max(Math.floor(from + 0.5), 0), count - 2);
      return [first, Math.max(Math.min(Math.ceil(to + 0.5), count), first + 2)];
    };
    const parts = [tokens(wanted[0], wanted[1], meta.whole[0]), tokens(wanted[2], wanted[3], meta.whole[1])];
    return parts.map((part) => part.join("-")).join(",");
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { heads_heatmap: { zoom } });
})();
