/* The lines view in the browser: a hovered token's lines stay, the others fade.
   The view's figure.py lists in layout.meta the lines each shape is made of. */
"use strict";

(() => {
  const FADED = 0.06;

  function isolate(hover) {
    const plot = document.querySelector("#heads-lines-graph .js-plotly-plot");
    const groups = plot?.layout?.meta?.groups;
    if (groups?.length) {
      // What an earlier hover added lies behind the figure's own shapes.
      const own = (plot.layout.shapes ?? []).slice(0, groups.length);
      const point = hover?.points?.[0];
      window.Plotly.relayout(plot, { shapes: point ? onlyOf(own, groups, point) : whole(own, groups) });
    }
    return window.dash_clientside.no_update;
  }

  const whole = (shapes, groups) => shapes.map((shape, i) => ({ ...shape, opacity: groups[i].opacity }));

  function onlyOf(shapes, groups, { x, y }) {
    const side = x < 0.5 ? "queries" : "keys";
    const faded = shapes.map((shape, i) => ({ ...shape, opacity: groups[i].opacity * FADED }));
    const kept = shapes.map((shape, i) => (
      { ...shape, opacity: groups[i].opacity, path: pathOf(groups[i], side, y) }
    ));
    return faded.concat(kept.filter((shape) => shape.path));
  }

  function pathOf({ queries, keys, shift }, side, token) {
    const own = side === "queries" ? queries : keys;
    return own.map((index, i) => (
      index === token ? `M0,${queries[i] + shift}L1,${keys[i] + shift}` : ""
    )).join("");
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    heads_lines: { isolate },
  });
})();
