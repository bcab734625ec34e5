/* The map of heads in the browser: a click chooses a head, the ring follows the choice, and heads
   with room around them are named. The view's figure.py draws the heads first, the ring second,
   and puts the number of heads in a layer into layout.meta. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const plotted = () => document.querySelector("#heads-distances-graph .js-plotly-plot");

  function pick(click) {
    document.activeElement?.blur();
    return click?.points?.[0]?.customdata ?? [NO_UPDATE(), NO_UPDATE()];
  }

  let chosen = null;

  document.addEventListener("explorer:open", () => {
    chosen = null;
  });

  function ring(layer, head) {
    if (Number.isInteger(layer) && Number.isInteger(head)) chosen = [layer, head];
    const plot = plotted();
    // A picture asked for before the choice would bring the ring of then; a zoom makes room.
    if (plot && !plot.dataset.ringed) {
      plot.dataset.ringed = "yes";
      plot.on("plotly_afterplot", complete);
    }
    complete();
    return NO_UPDATE();
  }

  /* Each step draws again, which calls this anew until nothing is left to do. */
  function complete() {
    const plot = plotted();
    if (plot?.data?.length === 2) moveRing(plot) || nameHeads(plot);
  }

  function moveRing(plot) {
    const [heads, mark] = plot.data;
    const place = chosen ? chosen[0] * plot.layout.meta.heads + chosen[1] : -1;
    const [x, y] = [heads.x[place], heads.y[place]];
    if (x === undefined || (mark.x[0] === x && mark.y[0] === y)) return false;
    window.Plotly.restyle(plot, { x: [[x]], y: [[y]] }, [1]);
    return true;
  }

  function nameHeads(plot) {
    const [heads] = plot.data;
    const names = placed(plot, heads);
    const text = names.map((one) => one?.name ?? "");
    const textposition = names.map((one) => one?.side ?? "middle right");
    const same = (kept, wanted) => JSON.stringify(kept) === JSON.stringify(wanted);
    if (
      same(heads.text ?? text.map(() => ""), text) && (!names.some(Boolean) || same(heads.textposition, textposition))
    ) return;
    window.Plotly.restyle(plot, { mode: "markers+text", text: [text], textposition: [textposition] }, [0]);
  }

  const SIDES = {
    "middle right": [1, 0],
    "middle left": [-1, 0],
    "top center": [0, -1],
    "bottom center": [0, 1],
  };
  const CHARACTER = 6.2; // pixels of the names' font
  const LINE = 12;

  /* Of each head its name and the side of its point where that fits, or null. Heads that stand
     alone come first. Boxes are [x, y, half a width, half a height] in pixels. */
  function placed(plot, heads) {
    const { width, height } = plot.querySelector(".nsewdrag").getBoundingClientRect();
    const { xaxis, yaxis } = plot.layout;
    const along = (value, [first, last], length) => ((value - first) / (last - first)) * length;
    const size = heads.marker.size;
    const points = heads.x.map((x, i) => [
      along(x, xaxis.range, width),
      height - along(heads.y[i], yaxis.range, height),
      size / 2,
      size / 2,
    ]);
    const inside = ([x, y]) => x >= 0 && y >= 0 && x <= width && y <= height;
    const gap = points.map((one, i) =>
      Math.min(
        ...points.filter((_, j) => j !== i).map((other) => Math.hypot(one[0] - other[0], one[1] - other[1])),
      )
    );
    const taken = [...points];
    const names = points.map(() => null);
    const order = points.map((_, i) => i).filter((i) => inside(points[i])).sort((i, j) => gap[j] - gap[i]);
    for (const i of order) {
      const name = heads.customdata[i].join(".");
      const [x, y] = points[i];
      const [width, height] = [(CHARACTER * name.length) / 2, LINE / 2];
      // The ring has to fit between a point and its name.
      const away = size / 2 + 3;
      for (const [side, [across, down]] of Object.entries(SIDES)) {
        const box = [x + across * (width + away), y + down * (height + away), width, height];
        if (taken.some((other) => meet(box, other))) continue;
        names[i] = { name, side };
        taken.push(box);
        break;
      }
    }
    return names;
  }

  const meet = (one, other) =>
    Math.abs(one[0] - other[0]) < one[2] + other[2] && Math.abs(one[1] - other[1]) < one[3] + other[3];

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    heads_distances: { pick, ring },
  });
})();
