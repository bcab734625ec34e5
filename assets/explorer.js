/* The browser's part of the explorer: what must not wait for the server.
   The callback graph is drawn in explorer/app/frame.py and explorer/views/heads/panel.py. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const PAGE_OF = {
    "/": "heads",
    "/embeddings": "embeddings",
    "/inside": "inside",
    "/learn": "learn",
    "/check": "check",
  };
  const PATH_OF = Object.fromEntries(Object.entries(PAGE_OF).map(([path, page]) => [page, path]));

  const pageOf = (path) => PAGE_OF[`/${(path ?? "").split("/")[1] ?? ""}`] ?? "heads";

  /* ---- the address ---- */

  const themeOf = (given) => (["light", "dark"].includes(given.get("theme")) ? given.get("theme") : null);

  const readTheme = (_opened, search) => themeOf(new URLSearchParams(search || "")) ?? preferredTheme();

  /* What is beside the views of the Heads page: the picture of all heads, the two tokens linked, and
     the table. What takes long is told once it is asked for, by a button or by the address. */
  function aroundHeads(show, query, key, sort, filter, table, nulls, probe, ...opened) {
    const isOf = (job, names) => names.every((name) => job.request?.[name] === table?.[name]);
    return {
      show: show ?? "",
      query: query ?? "",
      key: key ?? "",
      sort: sort ?? "",
      filter: filter ?? "",
      nulls: nulls ? isOf(nulls, Object.keys(table ?? {})) : Boolean(opened[0]),
      probe: probe ? isOf(probe, ["model"]) : Boolean(opened[1]),
    };
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

  function showPage(path, pages) {
    const shown = pageOf(path);
    document.body.dataset.page = shown;
    for (const tab of document.querySelectorAll("nav .page-tab")) {
      tab.toggleAttribute("aria-current", tab.getAttribute("href") === PATH_OF[shown]);
    }
    return pages.map(({ name }) => `page ${name}${name === shown ? "" : " hidden"}`);
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
    const clicked = window.dash_clientside.callback_context.triggered_id === "pair-toggle" &&
      "pair-toggle.n_clicks" in triggers();
    const open = before !== "hidden";
    const shown = !unread && (clicked ? !open : open || Boolean(pair));
    // A field that is closed takes its text along: what is not seen is not read.
    return [shown ? "" : "hidden", shown ? "– second text" : "+ second text", clicked && !shown ? "" : NO_UPDATE()];
  }

  const triggers = () =>
    Object.fromEntries(
      window.dash_clientside.callback_context.triggered.map((one) => [one.prop_id, one.value]),
    );

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
  const truncateText = (clicks, ...typed) => (clicks.some(Boolean) ? typed.map((text) => text ?? "") : NO_UPDATE());

  /* ---- choosing a head ---- */

  let chosenHead = null;

  /* The frame around the chosen head is an element over the picture: to move a shape of Plotly's would
     draw the whole picture again. */
  function frameHead(layer, head) {
    if (Number.isInteger(layer) && Number.isInteger(head)) chosenHead = [layer, head];
    const plot = window.plotted.find("heads-overview");
    if (plot && !plot.dataset.framed) {
      plot.dataset.framed = "yes";
      plot.on("plotly_afterplot", placeFrame);
    }
    // The map is requested first; the frame moves while the server works.
    window.requestAnimationFrame(placeFrame);
    return NO_UPDATE();
  }

  function placeFrame() {
    const frame = document.getElementById("heads-frame");
    const plot = window.plotted.find("heads-overview");
    const area = window.plotted.area(plot);
    const [layers, heads] = plot?.layout.meta?.shape ?? [0, 0];
    const [layer, head] = chosenHead ?? [0, 0];
    const there = Boolean(area) && layer < layers && head < heads;
    frame?.classList.toggle("hidden", !there);
    if (!frame || !there) return;
    const panel = frame.parentElement;
    const { left, top } = panel.getBoundingClientRect();
    const corners = [
      window.plotted.place(area, head - 0.5, layer - 0.5),
      window.plotted.place(area, head + 0.5, layer + 0.5),
    ];
    const [from, to] = corners.map(([x, y]) => [
      x - left - panel.clientLeft + panel.scrollLeft,
      y - top - panel.clientTop + panel.scrollTop,
    ]);
    Object.assign(frame.dataset, { layer, head });
    Object.assign(frame.style, {
      left: `${from[0]}px`,
      top: `${from[1]}px`,
      width: `${to[0] - from[0]}px`,
      height: `${to[1] - from[1]}px`,
    });
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

  const forViews = (view, mode) => ["lines", "comparison"].map((one) => (view && mode === one ? view : NO_UPDATE()));

  /* Of a page's views the one on the screen; a view's element is called after its page and mode. */
  const showView = (mode) =>
    window.dash_clientside.callback_context.outputs_list.map(
      ({ id }) => `part${id.endsWith(`-${mode}-part`) ? "" : " hidden"}`,
    );

  let zoomed = null; // what the map is of that can be zoomed into

  document.addEventListener("explorer:open", () => {
    zoomed = null;
    chosenHead = null;
  });

  /* A zoom into a coarse map asks for that part's own numbers; a double click for the whole.
     The part is "first query-end,first key-end"; null is the whole map. */
  function zoomHead(relayout, request, stack, ...switches) {
    const why = Object.keys(triggers());
    if (why.some((one) => one && !one.endsWith(".relayoutData"))) {
      if (!request) return NO_UPDATE();
      const before = zoomed;
      zoomed = [JSON.stringify(request), stack, ...switches];
      // A page may open zoomed; which stack is its first it learns later.
      const same = !before || zoomed.every((one, i) => one === before[i] || (i === 1 && !before[i]));
      return same ? NO_UPDATE() : null;
    }
    const meta = window.plotted.find("heads-heatmap")?.layout?.meta;
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

  function moveHead(down, right) {
    const { meta } = window.plotted.find("heads-overview")?.layout ?? {};
    if (!meta) return;
    const [layers, heads] = meta.shape;
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    const [layer, head] = chosenHead ?? [0, 0];
    chooseHead(within(layer + down, layers), within(head + right, heads));
  }

  function chooseHead(layer, head) {
    // At once, for the next key may come before the selectors have told it.
    frameHead(layer, head);
    window.dash_clientside.set_props("heads-layer", { value: layer });
    window.dash_clientside.set_props("heads-head", { value: head });
  }

  /* Plotly tells of no click while it draws the picture again, as it does when the measures come. */
  document.addEventListener("click", (event) => {
    const plot = event.target.closest?.("#heads-overview .nsewdrag") && window.plotted.find("heads-overview");
    if (!plot?.layout.meta) return;
    // A click on a plot leaves the focus in the text field, which would keep the arrow keys.
    document.activeElement?.blur();
    const area = window.plotted.area(plot);
    if (!area) return;
    const [head, layer] = window.plotted.pointAt(area, event.clientX, event.clientY).map(Math.round);
    const [layers, heads] = plot.layout.meta.shape;
    if (layer >= 0 && layer < layers && head >= 0 && head < heads) chooseHead(layer, head);
  });

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
      readTheme,
      aroundHeads,
      share,
      showPage,
      applyTheme,
      toggleTheme,
      showPair,
      dimWhileWorking,
      useExample,
      truncateText,
      pickRow,
      frameHead,
      zoomHead,
      forViews,
      showView,
      offerSwitches,
      openKeys,
    },
  });
})();
