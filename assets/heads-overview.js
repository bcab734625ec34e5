/* The picture of all heads in the browser: a click or an arrow key chooses a head, and a frame marks
   the chosen one. The frame is an element over the plot: moving a shape of the figure would make
   Plotly, and then Dash, draw the whole picture again. The view's figure.py puts the numbers of layers
   and heads into layout.meta; its cells share the plotting area evenly. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const plotted = () => document.querySelector("#heads-overview .js-plotly-plot");
  const plottingArea = (plot) => plot.querySelector(".nsewdrag")?.getBoundingClientRect();

  let chosen = null;
  let frame = null;

  document.addEventListener("explorer:open", () => {
    chosen = null;
  });

  function mark(layer, head) {
    if (Number.isInteger(layer) && Number.isInteger(head)) chosen = [layer, head];
    const plot = plotted();
    if (!plot) {
      window.requestAnimationFrame(() => mark()); // the figure is there before its plot
    } else if (!plot.dataset.framed) {
      // A new picture or another size of the window moves the cells.
      plot.dataset.framed = "yes";
      plot.on("plotly_afterplot", placeFrame);
    }
    placeFrame();
    return NO_UPDATE();
  }

  function placeFrame() {
    const plot = plotted();
    const { shape } = plot?.layout?.meta ?? {};
    const area = shape && chosen && plottingArea(plot);
    const there = area?.width && chosen.every((place, i) => place < shape[i]);
    if (!there) {
      frame?.remove();
      return;
    }
    frame ??= Object.assign(document.createElement("div"), { className: "chosen-head" });
    if (frame.parentElement !== plot) plot.append(frame);
    const [layer, head] = chosen;
    const [height, width] = [area.height / shape[0], area.width / shape[1]];
    const corner = plot.getBoundingClientRect();
    frame.dataset.head = `${layer}.${head}`;
    Object.assign(frame.style, {
      left: `${area.left - corner.left + head * width}px`,
      top: `${area.top - corner.top + layer * height}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
  }

  function choose(layer, head) {
    // At once: the next key may come before the selectors have their new values.
    mark(layer, head);
    window.dash_clientside.set_props("heads-layer", { value: layer });
    window.dash_clientside.set_props("heads-head", { value: head });
  }

  function move(down, right) {
    const shape = plotted()?.layout?.meta?.shape;
    if (!shape || !chosen) return;
    choose(...[down, right].map((by, i) => Math.min(Math.max(chosen[i] + by, 0), shape[i] - 1)));
  }

  /* Plotly reports no click while it redraws the picture, as it does when the measures arrive. */
  document.addEventListener("click", (event) => {
    const plot = event.target.closest?.("#heads-overview .nsewdrag") && plotted();
    const shape = plot?.layout.meta?.shape;
    if (!shape) return;
    // A click on a plot leaves the focus in the text field, which would keep the arrow keys.
    document.activeElement?.blur();
    const { left, top, width, height } = plottingArea(plot);
    const layer = Math.floor(((event.clientY - top) / height) * shape[0]);
    const head = Math.floor(((event.clientX - left) / width) * shape[1]);
    if (layer >= 0 && layer < shape[0] && head >= 0 && head < shape[1]) choose(layer, head);
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [role=slider], [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS && document.body.dataset.page === "heads") {
      event.preventDefault();
      move(...ARROWS[event.key]);
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { heads_overview: { mark } });
})();
