/* The table's filters in the browser: how many heads pass, and those that don't fade in the picture
   of all heads and in the map of heads. Nothing is fetched: one shape, one list of points. */
"use strict";

(() => {
  const FADED = 0.8;
  const HALF = 0.47; // of a cell: its map, and not the frame of a chosen head around it

  let passing = null; // the heads that pass, as "layer.head"; null without a filter
  let total = 0;

  document.addEventListener("explorer:open", () => {
    passing = null;
    total = 0;
  });

  const plotted = (id) => document.querySelector(`#${id} .js-plotly-plot`);

  function report(shown, model, rows) {
    const filtered = Object.keys(model ?? {}).length > 0 && Boolean(shown);
    passing = filtered ? new Set(shown.map((row) => row.id)) : null;
    total = rows?.length ?? 0;
    watch("heads-overview", fadeCells);
    watch("heads-distances-graph", fadePoints);
    return [
      filtered ? `${shown.length} of ${total} heads pass the filter` : "",
      `buttons${filtered ? "" : " hidden"}`,
    ];
  }

  /* Now, and whenever the server has sent a new picture. */
  function watch(id, fade) {
    const plot = plotted(id);
    if (!plot) return;
    if (!plot.dataset.filtered) {
      plot.dataset.filtered = "yes";
      plot.on("plotly_afterplot", () => fade(plotted(id)));
    }
    fade(plot);
  }

  const passes = (layer, head) => passing.has(`${layer}.${head}`);

  /* The picture's only shape. */
  function fadeCells(plot) {
    const { shapes = [], meta, paper_bgcolor: fillcolor } = plot?.layout ?? {};
    if (!meta?.shape) return;
    const path = outside(...meta.shape);
    if ((shapes[0]?.path ?? "") === path) return;
    const veil = { type: "path", path, fillcolor, opacity: FADED, line: { width: 0 } };
    window.Plotly.relayout(plot, { "shapes[0]": path ? veil : null });
  }

  function outside(layers, heads) {
    if (!passing || total !== layers * heads) return "";
    const cells = [];
    for (let layer = 0; layer < layers; layer += 1) {
      for (let head = 0; head < heads; head += 1) {
        if (!passes(layer, head)) cells.push(cell(layer, head));
      }
    }
    return cells.join("");
  }

  const cell = (y, x) =>
    `M${x - HALF},${y - HALF}L${x + HALF},${y - HALF}` +
    `L${x + HALF},${y + HALF}L${x - HALF},${y + HALF}Z`;

  function fadePoints(plot) {
    const [heads] = plot?.data ?? [];
    if (!heads?.customdata) return;
    const places = Array.from(heads.customdata.keys());
    const wanted = passing && total === places.length
      ? places.filter((place) => passes(...heads.customdata[place]))
      : null;
    if (JSON.stringify(heads.selectedpoints ?? null) === JSON.stringify(wanted)) return;
    window.Plotly.restyle(plot, { selectedpoints: [wanted] }, [0]);
  }

  const clear = () => ({});

  window.dash_clientside = Object.assign({}, window.dash_clientside, { heads_heads_filters: { report, clear } });
})();
