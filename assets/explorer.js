/* The browser's part of the explorer: what must not wait for the server.
   The callback graph is drawn in explorer/pages/frame.py and heads.py. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const PAGE_OF = {
    "/": "heads", "/embeddings": "embeddings", "/inside": "inside", "/learn": "learn", "/check": "check",
  };
  const PATH_OF = Object.fromEntries(Object.entries(PAGE_OF).map(([path, page]) => [page, path]));

  const plotOf = (id) => document.querySelector(`#${id} .js-plotly-plot`);
  const pageOf = (path) => PAGE_OF[`/${(path ?? "").split("/")[1] ?? ""}`] ?? "heads";

  /* ---- the address ---- */

  /* What an address gives, and the opening state where it gives nothing. */
  function addressOf(search, defaults) {
    const given = new URLSearchParams(search || "");
    const text = (name) => given.get(name) ?? defaults[name];
    const number = (name, fallback) => {
      const value = Number.parseInt(given.get(name) ?? "", 10);
      return Number.isInteger(value) && value >= 0 ? value : fallback;
    };
    return { given, text, number };
  }

  function readAddress(defaults, search) {
    const { given, text } = addressOf(search, defaults);
    return [text("model"), text("text"), text("pair"), text("target"), themeOf(given) ?? preferredTheme()];
  }

  function openHeads(_opened, defaults, search) {
    const { given, text, number } = addressOf(search, defaults);
    return [
      text("stack"), number("layer", defaults.layer), number("head", defaults.head),
      given.get("truncate") === "true" ? [text("text"), text("pair"), text("target")] : null,
      given.get("query"), given.get("key"),
    ];
  }

  /* With the anchors of its word, which an address does not name; anchors run the page. */
  function openEmbeddings(sets, defaults, search) {
    const { text, number } = addressOf(search, defaults);
    const anchors = Object.values(sets).find((set) => set.word === text("word"))?.anchors ?? "";
    return [text("word"), text("sentences"), anchors, number("layer", defaults.embeddings_layer)];
  }

  const themeOf = (given) => (["light", "dark"].includes(given.get("theme")) ? given.get("theme") : null);

  function writeAddress(heads, link, embeddings, inside, _lesson, check, theme, present, path, defaults) {
    // A theme nobody chose is the reader's own; a chosen one is part of what is sent.
    const chosen = keptTheme() ?? themeOf(new URLSearchParams(window.location.search));
    const state = { theme: chosen ? theme : undefined, present: present || undefined };
    if (pageOf(path) === "heads" && heads) {
      Object.assign(state, heads.request, {
        stack: heads.stack, layer: heads.layer, head: heads.head, query: link?.[0], key: link?.[1],
      });
    } else if (pageOf(path) === "embeddings" && embeddings) {
      const lines = embeddings.request.sentences.map(([sense, sentence]) => `${sense} | ${sentence}`);
      Object.assign(state, {
        model: embeddings.request.model, word: embeddings.request.word,
        sentences: lines.join("\n"), layer: embeddings.layer,
      });
      defaults = { ...defaults, layer: defaults.embeddings_layer };
    } else if (pageOf(path) === "inside" && inside) {
      const { request, ...chosen } = inside;
      Object.assign(state, request, chosen);
      defaults = { ...defaults, query: defaults.inside_query, mode: "row" };
    } else if (pageOf(path) === "learn") {
      state.step = new URLSearchParams(window.location.search).get("step");
    } else if (pageOf(path) === "check" && check) {
      Object.assign(state, check.request);
    } else {
      return NO_UPDATE();
    }
    const address = new URLSearchParams();
    for (const [name, value] of Object.entries(state)) {
      const left = value === undefined || value === null || value === "";
      if (!left && String(value) !== String(defaults[name])) address.set(name, value);
    }
    const query = address.toString();
    window.history.replaceState(window.history.state, "", path + (query ? `?${query}` : ""));
    return NO_UPDATE();
  }

  function share() {
    const say = (sign) => window.dash_clientside.set_props("share-button", { children: sign });
    const copied = navigator.clipboard?.writeText(window.location.href);
    Promise.resolve(copied ?? Promise.reject(new Error("no clipboard")))
      .then(() => say("Copied"))
      .catch(() => say("See the address bar"))
      .finally(() => window.setTimeout(() => say("Link"), 2000));
    return NO_UPDATE();
  }

  /* ---- pages and theme ---- */

  function showPage(path, names) {
    const shown = pageOf(path);
    document.body.dataset.page = shown;
    for (const tab of document.querySelectorAll("nav .page-tab")) {
      tab.toggleAttribute("aria-current", tab.getAttribute("href") === PATH_OF[shown]);
    }
    return names.map((name) => `page ${name}${name === shown ? "" : " hidden"}`);
  }

  const keptTheme = () => window.localStorage.getItem("explorer-theme");

  function preferredTheme() {
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    return keptTheme() ?? (dark ? "dark" : "light");
  }

  function applyTheme(theme) {
    const shown = theme === "dark" ? "dark" : "light";
    document.documentElement.dataset.theme = shown;
    document.body.dataset.agThemeMode = shown;
    return [shown, shown === "dark" ? "☀" : "☾"];
  }

  function toggleTheme(_clicks, theme) {
    const next = theme === "dark" ? "light" : "dark";
    window.localStorage.setItem("explorer-theme", next);
    return next;
  }

  function showPair(_clicks, unread, before, pair) {
    const clicked = window.dash_clientside.callback_context.triggered_id === "pair-toggle"
      && "pair-toggle.n_clicks" in triggers();
    const open = before !== "hidden";
    const shown = !unread && (clicked ? !open : open || Boolean(pair));
    // A field that is closed takes its text along: what is not seen is not read.
    return [shown ? "" : "hidden", shown ? "– second text" : "+ second text",
      clicked && !shown ? "" : NO_UPDATE()];
  }

  const triggers = () => Object.fromEntries(
    window.dash_clientside.callback_context.triggered.map((one) => [one.prop_id, one.value]));

  function dimWhileWorking(...idle) {
    document.body.toggleAttribute("data-working", !idle.every(Boolean));
    return NO_UPDATE();
  }

  /* ---- running ---- */

  const run = () => document.getElementById("run-button").click();

  function useExample(text) {
    if (!text) return NO_UPDATE();
    // The field takes its text first; then Run reads it.
    window.setTimeout(run, 0);
    return text;
  }

  /* Only these texts, as they are typed now, may be truncated. */
  const truncateText = (clicks, ...typed) =>
    (clicks.some(Boolean) ? typed.map((text) => text ?? "") : NO_UPDATE());

  /* ---- choosing a head ---- */

  function pickHead(click) {
    const point = click?.points?.[0];
    // A click on a plot leaves the focus in the text field, which would keep the arrow keys.
    document.activeElement?.blur();
    return point ? [point.y, point.x] : [NO_UPDATE(), NO_UPDATE()];
  }

  let chosenHead = null;

  function frameHead(layer, head) {
    if (Number.isInteger(layer) && Number.isInteger(head)) chosenHead = [layer, head];
    const plot = plotOf("heads-overview");
    // A picture asked for before the choice would bring the frame of then.
    if (plot && !plot.dataset.framed) {
      plot.dataset.framed = "yes";
      plot.on("plotly_afterplot", drawFrame);
    }
    // The map is asked for first; the frame is drawn while the server works.
    window.requestAnimationFrame(drawFrame);
    return NO_UPDATE();
  }

  function drawFrame() {
    const plot = plotOf("heads-overview");
    const { shapes: [frame] = [], meta } = plot?.layout ?? {};
    if (!frame || !chosenHead) return;
    const [layer, head] = chosenHead;
    const there = layer < meta.shape[0] && head < meta.shape[1];
    if (!there || (frame.y0 === layer - 0.5 && frame.x0 === head - 0.5)) return;
    const place = { x0: head - 0.5, x1: head + 0.5, y0: layer - 0.5, y1: layer + 0.5 };
    const { xaxis, yaxis, shapes: [drawn] } = plot._fullLayout;
    Object.assign(frame, place);
    Object.assign(drawn, place);
    // The outline alone is moved: a relayout draws the whole picture again, and Dash once more.
    const [left, right] = [place.x0, place.x1].map((x) => xaxis._offset + xaxis.l2p(x));
    const [top, bottom] = [place.y0, place.y1].map((y) => yaxis._offset + yaxis.l2p(y));
    plot.querySelector(".shapelayer path").setAttribute("d", `M${left},${top}H${right}V${bottom}H${left}Z`);
  }

  /* A row of the table is called "layer.head". */
  function pickRow(cell) {
    const place = cell?.rowId?.split(".").map(Number);
    return place ?? [NO_UPDATE(), NO_UPDATE()];
  }

  /* What cannot be chosen in a view is not offered there. */
  function offerSwitches(over, mode) {
    const seen = (yes) => (yes ? "" : "hidden");
    const several = over === "mean" || over === "max";
    return [seen(several && mode !== "lines"), seen(mode !== "lines"), seen(mode !== "lines")];
  }

  const forViews = (view, mode) =>
    ["lines", "compare"].map((one) => (view && mode === one ? view : NO_UPDATE()));

  const showMode = (mode) => (mode === "map" ? "part" : "part hidden");

  /* A zoom into a coarse map asks for that part's own numbers; a double click for the whole.
     The part is [[first query, end], [first key, end]]; null is the whole map. */
  function zoomHead(relayout) {
    const why = Object.keys(triggers());
    if (why.some((one) => one && !one.endsWith(".relayoutData"))) return null;
    const meta = plotOf("heads-heatmap")?.layout?.meta;
    const edge = (axis, end) => relayout?.[`${axis}.range[${end}]`] ?? relayout?.[`${axis}2.range[${end}]`];
    if (!meta) return NO_UPDATE();
    const [top, bottom, left, right] = meta.part;
    const wanted = [edge("yaxis", 1) ?? top, edge("yaxis", 0) ?? bottom, edge("xaxis", 0) ?? left,
      edge("xaxis", 1) ?? right];
    const moved = Object.keys(relayout ?? {}).some((key) => key.includes("range"));
    if (!moved && !Object.keys(relayout ?? {}).some((key) => key.includes("autorange"))) return NO_UPDATE();
    const whole = wanted.every((value, i) => Math.abs(value - meta.part[i]) < 0.01);
    if (whole) return null;
    if (meta.exact && top === -0.5 && left === -0.5 && bottom >= meta.whole[0] - 0.5) return NO_UPDATE();
    const tokens = (from, to, count) => {
      const first = Math.min(Math.max(Math.floor(from + 0.5), 0), count - 2);
      return [first, Math.max(Math.min(Math.ceil(to + 0.5), count), first + 2)];
    };
    return [tokens(wanted[0], wanted[1], meta.whole[0]), tokens(wanted[2], wanted[3], meta.whole[1])];
  }

  function moveHead(down, right) {
    const { shapes: [frame] = [], meta } = plotOf("heads-overview")?.layout ?? {};
    if (!frame) return;
    const [layers, heads] = meta.shape;
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    const [layer, head] = chosenHead ?? [frame.y0 + 0.5, frame.x0 + 0.5];
    const chosen = [within(layer + down, layers), within(head + right, heads)];
    // At once, for the next key may come before the selectors have told it.
    frameHead(...chosen);
    window.dash_clientside.set_props("heads-layer", { value: chosen[0] });
    window.dash_clientside.set_props("heads-head", { value: chosen[1] });
  }

  /* ---- saving ---- */

  /* By page and mode: the graph that is saved as a picture. */
  const GRAPH_OF = {
    heads: {
      map: "heads-heatmap", lines: "heads-lines-graph", compare: "heads-compare-difference",
      distances: "heads-distances-graph",
    },
    embeddings: {
      plane: "embeddings-plot", "by layer": "embeddings-layers-graph", pull: "embeddings-pull-graph",
      similarity: "embeddings-similarity-graph", meaning: "embeddings-meaning-graph",
      positions: "embeddings-positions-graph",
    },
    inside: {
      row: "inside-strips", points: "inside-points-graph", moves: "inside-moves-graph",
      mask: "inside-mask-other", heads: "inside-heads-graph",
      sharing: "inside-sharing-cache-graph",
    },
  };

  /* What a picture is called after its model; the map of all heads is of no single one. */
  function pictureName(shown, mode, view) {
    if (mode === "by layer") return `${view.request.word}-by-layer`;
    if (shown === "embeddings") {
      return `${view.request.word}-layer${view.layer}${mode === "plane" ? "" : `-${mode}`}`;
    }
    if (mode === "sharing") return "key-value-cache";
    if (shown === "inside") return `layer${view.layer}-head${view.head}-query${view.query}-${mode}`;
    if (mode === "distances") return "heads-distances";
    return `layer${view.layer}-head${view.head}${mode === "map" ? "" : `-${mode}`}`;
  }

  function saveImage(_png, _svg, path, names, ...screens) {
    const shown = pageOf(path);
    const [mode, view] = names.includes(shown) ? screens.slice(2 * names.indexOf(shown)) : [];
    const plot = plotOf(GRAPH_OF[shown]?.[mode]);
    const said = (line) => window.dash_clientside.set_props("save-message", { children: line });
    if (!view || !plot) {
      said("There is nothing to save yet: press Run first.");
      return NO_UPDATE();
    }
    const format = window.dash_clientside.callback_context.triggered_id === "save-svg" ? "svg" : "png";
    const model = view.request.model.split("/").filter(Boolean).pop();
    window.Plotly.downloadImage(plot, {
      format, filename: `${model}-${pictureName(shown, mode, view)}`, scale: format === "png" ? 3 : 1,
      width: plot.clientWidth, height: plot.clientHeight,
    }).catch((error) => said(`The figure could not be saved: ${error.message ?? error}`));
    return NO_UPDATE();
  }

  /* ---- keys ---- */

  const openKeys = () => true;

  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  /* A view chosen with the mouse keeps no focus, or the arrow keys would choose the next view. */
  document.addEventListener("click", (event) => {
    if (event.detail && event.target.closest?.("#heads-mode")) {
      window.setTimeout(() => document.activeElement?.blur(), 0);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
      return;
    }
    if (event.key === "Enter" && event.target.id === "model-select") {
      // The picker has taken the name by then; its list would stay open over the picture.
      window.setTimeout(() => event.target.blur(), 0);
      return;
    }
    const typing = event.target.closest?.("input, textarea, [role=slider], [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") {
      window.dash_clientside.set_props("keys", { opened: true });
    } else if (event.key in MOVES && document.body.dataset.page === "heads") {
      event.preventDefault();
      moveHead(...MOVES[event.key]);
    }
  });

  /* The picker holds a model's name: the list is narrowed only by what is being typed. */
  window.dashMantineFunctions = Object.assign({}, window.dashMantineFunctions, {
    modelsToOffer: ({ options, search }) => {
      const typed = search.trim().toLowerCase();
      const names = options.flatMap((group) => group.items.map((item) => item.value.toLowerCase()));
      if (!typed || names.includes(typed)) return options;
      return options
        .map((group) => ({ ...group, items: group.items.filter((item) => item.value.toLowerCase().includes(typed)) }))
        .filter((group) => group.items.length);
    },
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    explorer: {
      readAddress, openHeads, openEmbeddings, writeAddress, share, showPage, applyTheme, toggleTheme, showPair, dimWhileWorking,
      useExample, truncateText, pickHead, pickRow, frameHead, zoomHead, forViews, showMode, offerSwitches, saveImage, openKeys,
    },
  });
})();
