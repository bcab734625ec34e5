/* The order and the filters of the table of heads, as an address tells them: sort is
   "entropy:desc,head:asc" ("none" where a link would sort by itself), filter is
   "entropy:greaterThan:0.5:and:lessThan:2;head:blank". What a link asks for waits for its columns. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const GRID = "heads-table";
  const BY_HAND = "uiColumnSorted";
  // How many numbers each condition has.
  const VALUES = {
    equals: 1,
    notEqual: 1,
    lessThan: 1,
    lessThanOrEqual: 1,
    greaterThan: 1,
    greaterThanOrEqual: 1,
    inRange: 2,
    blank: 0,
    notBlank: 0,
  };
  const LATE = /^(link|probe|offset|offset_weight|.+_z)$/; // columns that may come later

  let api = null;
  let waiting = {}; // sort and filter of the address, until their columns are there

  document.addEventListener("explorer:open", () => {
    api = null;
    waiting = {};
  });

  function open(_columns, sort, filter) {
    if (api) return [NO_UPDATE(), NO_UPDATE()];
    window.dash_ag_grid.getApiAsync(GRID).then((found) => {
      api = found;
      waiting = { sort: requested("sort", sort, sorts), filter: requested("filter", filter, filters) };
      api.addEventListener("newColumnsLoaded", () => {
        apply();
        report();
      });
      api.addEventListener("sortChanged", (event) => {
        if (event.source === BY_HAND) delete waiting.sort;
        report();
      });
      api.addEventListener("filterChanged", report);
      apply();
      report();
    });
    return [NO_UPDATE(), NO_UPDATE()];
  }

  /* The sort or filter that the address asks for; what cannot be read is left out, with a message. */
  function requested(what, written, read) {
    if (!written) return undefined;
    const found = read(written);
    if (!found) {
      const children = `The address says ${what}=${written.slice(0, 60)}, which the table cannot do: it is left out.`;
      window.dash_clientside.set_props("link-message", { children });
    }
    return found ?? undefined;
  }

  const isColumn = (name) => Boolean(api.getColumn(name)) || LATE.test(name);

  const isLinkChosen = () =>
    ["heads-query", "heads-key"].every((id) => window.dash_component_api.getLayout(id)?.props.value);

  const areThere = (names) => names.every((name) => api.getColumn(name));

  function apply() {
    const { sort, filter } = waiting;
    if (sort && areThere(sort.map(({ colId }) => colId))) {
      // The column of two linked tokens sorts by itself when it comes; the address's order is set after it.
      if (api.getColumn("link") || !isLinkChosen()) delete waiting.sort;
      api.applyColumnState({ state: sort, defaultState: { sort: null } });
    }
    if (filter && areThere(Object.keys(filter))) {
      delete waiting.filter;
      api.setFilterModel(filter);
    }
  }

  /* What is still waiting is not yet to be seen, and stays in the address as it is. */
  function report() {
    const set = (id, data) => window.dash_clientside.set_props(id, { data });
    if (!waiting.sort) set("heads-sort", sortWritten());
    if (!waiting.filter) set("heads-filter", filterWritten());
  }

  /* ---- the order ---- */

  function sorts(written) {
    if (written === "none") return [];
    const read = written.split(",").map((one, sortIndex) => {
      const [colId, sort] = one.split(":");
      return { colId, sort, sortIndex };
    });
    return read.every(({ colId, sort }) => isColumn(colId) && ["asc", "desc"].includes(sort)) ? read : null;
  }

  function sortWritten() {
    const sorted = api.getColumnState().filter(({ sort }) => sort)
      .sort((one, other) => one.sortIndex - other.sortIndex)
      .map(({ colId, sort }) => `${colId}:${sort}`).join(",") || "none";
    return sorted === (api.getColumn("link") ? "link:desc" : "none") ? "" : sorted;
  }

  /* ---- the filters ---- */

  function filters(written) {
    const read = written.split(";").map((one) => {
      const [name, ...words] = one.split(":");
      return [name, modelOf(words)];
    });
    return read.every(([name, model]) => isColumn(name) && model) ? Object.fromEntries(read) : null;
  }

  function modelOf(words) {
    const conditions = [];
    let operator = "AND";
    for (let at = 0; at < words.length;) {
      if (conditions.length && ["and", "or"].includes(words[at])) operator = words[at++].toUpperCase();
      const type = words[at++];
      const numbers = words.slice(at, at + VALUES[type]).map(Number);
      if (numbers.length !== VALUES[type] || !numbers.every(Number.isFinite)) return null;
      conditions.push({ filterType: "number", type, filter: numbers[0], filterTo: numbers[1] });
      at += numbers.length;
    }
    return conditions.length > 1 ? { filterType: "number", operator, conditions } : conditions[0] ?? null;
  }

  const filterWritten = () =>
    Object.entries(api.getFilterModel()).map(([name, model]) => {
      const conditions = (model.conditions ?? [model]).map(({ type, filter, filterTo }) => (
        [type, ...[filter, filterTo].slice(0, VALUES[type])].join(":")
      ));
      return `${name}:${conditions.join(`:${(model.operator ?? "and").toLowerCase()}:`)}`;
    }).join(";");

  /* A row of the table is called "layer.head". */
  function pickRow(cell) {
    const place = cell?.rowId?.split(".").map(Number);
    return place ?? [NO_UPDATE(), NO_UPDATE()];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { heads_heads: { open, pickRow } });
})();
