/* The browser's part of the explorer: what must not wait for the server.
   explorer/app/frame.py and explorer/views/panel/ wire it. */
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

  /* ---- views ---- */

  /* Of a page's views the one on the screen; a view's element is called after its page and mode. */
  const showView = (mode) =>
    window.dash_clientside.callback_context.outputs_list.map(
      ({ id }) => `part${id.endsWith(`-${mode}-part`) ? "" : " hidden"}`,
    );

  /* Give a graph's axes the ranges of its figure. Where axes constrain each other's domain, Plotly keeps
     the range of a larger figure before, as of a model with more heads. */
  function fitRanges() {
    const { id } = window.dash_clientside.callback_context.inputs_list[0];
    const plot = document.querySelector(`#${id} .js-plotly-plot`);
    if (plot && !plot.dataset.fitted) {
      plot.dataset.fitted = "yes";
      plot.on("plotly_afterplot", () => fit(id));
    }
    return NO_UPDATE();
  }

  const fitted = new WeakMap(); // the figure that a plot's ranges were set for

  function fit(id) {
    const plot = document.querySelector(`#${id} .js-plotly-plot`);
    const figure = window.dash_component_api.getLayout(id)?.props.figure;
    if (!plot?.layout || plot.layout.meta?.shape?.join() !== figure?.layout.meta?.shape?.join()) return;
    const wrong = ["xaxis", "yaxis"].filter((name) => {
      const range = figure.layout[name]?.range;
      return range?.some((end, i) => Math.abs(end - plot.layout[name].range[i]) > 1e-6);
    });
    if (!wrong.length || fitted.get(plot) === figure) return;
    fitted.set(plot, figure);
    window.Plotly.relayout(
      plot,
      Object.fromEntries(wrong.map((name) => [`${name}.range`, figure.layout[name].range])),
    );
  }

  /* ---- keys ---- */

  const openKeys = () => true;

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
    if (event.key === "?") window.dash_clientside.set_props("keys", { opened: true });
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
      share,
      showPage,
      applyTheme,
      toggleTheme,
      showPair,
      dimWhileWorking,
      useExample,
      truncateText,
      showView,
      fitRanges,
      openKeys,
    },
  });
})();
