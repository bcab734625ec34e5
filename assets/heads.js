/* The Heads page in the browser: its settings around the views, and which switches a view offers. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  /* What is beside the views of the Heads page: the picture of all heads, the two tokens linked, and
     the table. What takes long is included only once a button or the address asks for it. */
  function around(show, query, key, sort, filter, table, nulls, probe, ...opened) {
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

  /* What cannot be chosen in a view is not offered there. */
  function offerSwitches(over, mode) {
    const seen = (yes) => (yes ? "" : "hidden");
    const several = over === "mean" || over === "max";
    return [seen(several && mode !== "lines"), seen(mode !== "lines"), seen(mode !== "lines")];
  }

  const forViews = (view, mode) => ["lines", "comparison"].map((one) => (view && mode === one ? view : NO_UPDATE()));

  /* A view chosen with the mouse keeps no focus, or the arrow keys would choose the next view. */
  document.addEventListener("click", (event) => {
    if (event.detail && event.target.closest?.("#heads-mode")) {
      window.setTimeout(() => document.activeElement?.blur(), 0);
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { heads: { around, offerSwitches, forViews } });
})();
