/* Embeddings as points in the browser: the layer moves the points, and Play the layer. The view's
   figure.py puts into layout.meta where every point is at each layer, with the title, the axes'
   names and ranges, the caption and the facts, so that this needs no request to the server. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const plotted = () => document.querySelector("#embeddings-plot .js-plotly-plot");
  const WHOLE_PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js";

  /* ---- the switches ---- */

  async function switches(layer, basis, normalise, method, axes, arrows, paths, anchors, others, dropFirst, before) {
    const why = axes === "3" ? await whyFlat() : null;
    const tsne = method === "tsne";
    const kept = {
      basis,
      normalise,
      method,
      axes: why ? 2 : Number(axes),
      arrows,
      paths,
      anchors_shown: anchors,
      others,
      drop_first: dropFirst,
      ...(tsne ? { layer } : {}),
    };
    if (tsne) pause();
    const same = JSON.stringify(kept) === JSON.stringify(before);
    return [same ? NO_UPDATE() : kept, why, tsne || basis === "layer", tsne, tsne];
  }

  let webGL = null;
  let wholePlotly = null;

  /* Why three dimensions cannot be drawn; null where they can. The page opens with the part of Plotly
     that draws flat figures; this is the first to need the rest. */
  async function whyFlat() {
    if (webGL === null) {
      const canvas = document.createElement("canvas");
      webGL = Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
    }
    if (!webGL) return "Three dimensions need WebGL, which this browser does not offer: two are shown.";
    wholePlotly ??= load(WHOLE_PLOTLY);
    try {
      await wholePlotly;
      return null;
    } catch {
      wholePlotly = null;
      return "The script that draws three dimensions cannot be loaded: two are shown.";
    }
  }

  function load(src) {
    return new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }

  /* The state of what is on the screen, for the address and the files; who leaves it stops Play. */
  function view(request, layer, plane, mode) {
    if (mode !== "embeddings") pause();
    const ready = request && plane && Number.isInteger(layer);
    return ready ? { ...request, ...plane, layer } : NO_UPDATE();
  }

  /* ---- a layer ---- */

  let wanted = null;

  function follow(figure, layer) {
    if (Number.isInteger(layer)) wanted = layer;
    const plot = plotted();
    // A figure asked for before the layer was chosen would bring the layer of then.
    if (plot && !plot.dataset.followed) {
      plot.dataset.followed = "yes";
      plot.on("plotly_afterplot", move);
    }
    move();
    const one = layerOf(figure?.layout?.meta);
    return one ? [one.caption, one.facts] : [NO_UPDATE(), NO_UPDATE()];
  }

  const layerOf = (meta) => meta?.layers?.find((one) => one.layer === wanted) ?? meta?.layers?.at(-1);

  function move() {
    const plot = plotted();
    const meta = plot?.layout?.meta;
    const one = layerOf(meta);
    if (!one || meta.layer === one.layer) return;
    const own = meta.layers.some((other) => String(other.ranges) !== String(one.ranges));
    meta.layer = one.layer;
    const { points, traces } = moved(plot, meta, one);
    window.Plotly.update(plot, points, layoutOf(one, own), traces);
  }

  /* The coordinates of every trace that moves, as Plotly.update takes them. */
  function moved(plot, meta, one) {
    const traces = [];
    const columns = [];
    const add = (index, coordinates) => {
      traces.push(index);
      columns.push(coordinates);
    };
    plot.data.forEach(({ legendgroup, meta: kind, mode }, i) => {
      const sense = legendgroup.startsWith("sense") ? Number(legendgroup.split(" ")[1]) : null;
      if (sense === null) add(i, one[legendgroup]);
      else if (kind === "arrows") add(i, arrows(one.static, meta.statics[sense], one.senses[sense]));
      else if (mode.startsWith("markers")) add(i, one.senses[sense]);
    });
    const axes = ["x", "y", "z"].slice(0, one.ranges.length);
    const points = Object.fromEntries(axes.map((name, k) => [name, columns.map((column) => column[k])]));
    return { points, traces };
  }

  const arrows = (statics, marks, points) =>
    points.map((axis, k) => axis.flatMap((end, i) => [statics[k][marks[i]], end, null]));

  /* In a basis of all layers the frame stays, and with it what the reader has zoomed to. */
  function layoutOf(one, own) {
    const changed = { "title.text": one.title };
    const path = one.ranges.length === 3 ? "scene." : "";
    one.ranges.forEach((range, k) => {
      const axis = `${path}${"xyz"[k]}axis`;
      changed[`${axis}.title.text`] = one.axes[k];
      if (own) changed[`${axis}.range`] = range;
    });
    return changed;
  }

  /* ---- play ---- */

  const WHOLE_MS = 9000;
  let timer = null;

  document.addEventListener("explorer:open", pause);

  function play(_clicks, layer, last) {
    if (timer !== null) {
      pause();
      return NO_UPDATE();
    }
    const step = Math.min(Math.max(WHOLE_MS / (last + 1), 350), 900);
    let at = layer >= last ? -1 : layer;
    const next = () => {
      at += 1;
      window.dash_clientside.set_props("embeddings-layer", { value: at });
      if (at >= last) pause();
    };
    say("❚❚ Pause");
    timer = window.setInterval(next, step);
    next();
    return NO_UPDATE();
  }

  function pause() {
    if (timer === null) return;
    window.clearInterval(timer);
    timer = null;
    say("▶ Play");
  }

  // Who takes hold of the slider goes on from there alone.
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, (event) => event.target.closest?.("#embeddings-layer") && pause());
  }

  const say = (sign) => window.dash_clientside.set_props("embeddings-play", { children: sign });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    embeddings_embeddings: { switches, view, follow, play },
  });
})();
