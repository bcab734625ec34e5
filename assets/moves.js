/* Queries and keys as points, and weight matrices as linear maps, on the Inside page: a clicked query
   is chosen; the slider brings the right picture of a move back towards the left one.
   figures/moves.py says in layout.meta which traces are the same thing before and after. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  function pickQuery(click) {
    const query = click?.points?.[0]?.customdata?.[1];
    return Number.isInteger(query) ? String(query) : NO_UPDATE();
  }

  /* ---- from before to after ---- */

  const plotted = () => document.querySelector("#inside-matrices-graph .js-plotly-plot");
  const RESTS_MS = 250; // of a slider that is let go
  let wanted = 1, resting = null;

  function follow(_figure, share) {
    if (Number.isFinite(share) && share !== wanted) {
      wanted = share;
      window.clearTimeout(resting);
      resting = window.setTimeout(
        () => window.dash_clientside.set_props("inside-matrices-rests", { data: share }),
        RESTS_MS,
      );
    }
    const plot = plotted();
    // A figure that comes later is drawn after the move: it is brought to where the slider is.
    if (plot && !plot.dataset.followed) {
      plot.dataset.followed = "yes";
      plot.on("plotly_afterplot", move);
    }
    move();
    if (wanted === 1) return "";
    return wanted === 0 ? "before, on the right too" : "between: nothing the model does";
  }

  /* The address is written once the slider rests: a browser refuses a hundred changes in a row. */
  const rest = (share, view) => (view ? { ...view, share } : NO_UPDATE());

  const between = (from, to) => (from === null ? null : from + wanted * (to - from));

  function move() {
    const plot = plotted();
    const meta = plot?.layout?.meta;
    if (!meta?.moved || (meta.share ?? 1) === wanted) return;
    meta.share = wanted;
    const column = (k) => meta.moved.map(({ from, to }) => from[k].map((start, j) => between(start, to[k][j])));
    const [before, after] = meta.frames;
    const ranges = before.map((range, k) => range.map((end, j) => between(end, after[k][j])));
    const at = wanted === 0 ? 0 : wanted === 1 ? 2 : 1;
    window.Plotly.update(plot, { x: column(0), y: column(1) }, {
      "xaxis2.range": ranges[0],
      "yaxis2.range": ranges[1],
      "xaxis2.title.text": meta.titles[0][at],
      "yaxis2.title.text": meta.titles[1][at],
    }, meta.moved.map(({ trace }) => trace));
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    points: { pickQuery },
    matrices: { follow, rest },
  });
})();
