/* The measures by layer in the browser: a click chooses a layer, a line in every small picture
   follows the choice. The view’s figure.py draws one shape, the line, for each picture. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const plotted = () => document.querySelector("#embeddings-layers-graph .js-plotly-plot");

  const open = () => true;
  const pick = (click) => click?.points?.[0]?.x ?? NO_UPDATE();

  /* The state of what is drawn, for the address and the files: the layer moves without the server. */
  const view = (drawn, layer) => (drawn && Number.isInteger(layer) ? { ...drawn, layer } : NO_UPDATE());

  let chosen = null;

  document.addEventListener("explorer:open", () => {
    chosen = null;
  });

  function mark(layer) {
    if (Number.isInteger(layer)) chosen = layer;
    const plot = plotted();
    // A picture asked for before the choice would bring the lines of then.
    if (plot && !plot.dataset.marked) {
      plot.dataset.marked = "yes";
      plot.on("plotly_afterplot", moveLines);
    }
    moveLines();
    return NO_UPDATE();
  }

  function moveLines() {
    const plot = plotted();
    const lines = plot?.layout?.shapes ?? [];
    if (chosen === null || !lines.length || lines.every((line) => line.x0 === chosen)) return;
    window.Plotly.relayout(plot, {
      shapes: lines.map((line) => ({ ...line, x0: chosen, x1: chosen, visible: true })),
    });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    embeddings_layers: { open, pick, mark, view },
  });
})();
