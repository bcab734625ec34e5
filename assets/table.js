/* The order and the filters of the table of heads, as an address tells them: sort is
   "entropy:desc,head:asc" ("none" where a link would sort by itself), filter is
   "entropy:greaterThan:0.5:and:lessThan:2;head:blank". What a link asks for waits for its columns. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const GRID = "heads-table";
  const BY_HAND = "uiColumnSorted";
  const VALUES = { blank: 0, notBlank: 0, inRange: 2 }; // numbers after a condition; one after others

  let api = null;
  let waiting = {}; // sort and filter of the address, until their columns are there

  function open(_columns, sort, filter) {
    if (api) return [NO_UPDATE(), NO_UPDATE()];
    waiting = { sort: sorts(sort), filter: filters(filter) };
    window.dash_ag_grid.getApiAsync(GRID).then((found) => {
      api = found;
      api.addEventListener("newColumnsLoaded", () => { apply(); tell(); });
      api.addEventListener("sortChanged", (event) => {
        if (event.source === BY_HAND) delete waiting.sort;
        tell();
      });
      api.addEventListener("filterChanged", tell);
      apply();
      tell();
    });
    return [NO_UPDATE(), NO_UPDATE()];
  }

  const areThere = (names) => names.every((name) => api.getColumn(name));

  function apply() {
    const { sort, filter } = waiting;
    if (sort && areThere(sort.map(({ colId }) => colId))) {
      delete waiting.sort;
      api.applyColumnState({ state: sort, defaultState: { sort: null } });
    }
    if (filter && areThere(Object.keys(filter))) {
      delete waiting.filter;
      api.setFilterModel(filter);
    }
  }

  /* What is still waiting is not yet to be seen, and stays in the address as it is. */
  function tell() {
    const set = (id, data) => window.dash_clientside.set_props(id, { data });
    if (!waiting.sort) set("heads-sort", sortWritten());
    if (!waiting.filter) set("heads-filter", filterWritten());
  }

  /* ---- the order ---- */

  function sorts(written) {
    if (!written) return undefined;
    return written === "none" ? [] : written.split(",").map((one, sortIndex) => {
      const [colId, sort] = one.split(":");
      return { colId, sort: sort === "asc" ? "asc" : "desc", sortIndex };
    });
  }

  function sortWritten() {
    const sorted = api.getColumnState().filter(({ sort }) => sort)
      .sort((one, other) => one.sortIndex - other.sortIndex)
      .map(({ colId, sort }) => `${colId}:${sort}`).join(",") || "none";
    return sorted === (api.getColumn("link") ? "link:desc" : "none") ? "" : sorted;
  }

  /* ---- the filters ---- */

  function filters(written) {
    if (!written) return undefined;
    return Object.fromEntries(written.split(";").map((one) => {
      const [name, ...words] = one.split(":");
      return [name, modelOf(words)];
    }));
  }

  function modelOf(words) {
    const conditions = [];
    let operator = "AND";
    for (let at = 0; at < words.length;) {
      if (["and", "or"].includes(words[at])) operator = words[at++].toUpperCase();
      const type = words[at++];
      const count = VALUES[type] ?? 1;
      const [filter, filterTo] = words.slice(at, at + count).map(Number);
      conditions.push({ filterType: "number", type, filter, filterTo });
      at += count;
    }
    return conditions.length === 1 ? conditions[0] : { filterType: "number", operator, conditions };
  }

  const filterWritten = () => Object.entries(api.getFilterModel()).map(([name, model]) => {
    const conditions = (model.conditions ?? [model]).map(({ type, filter, filterTo }) => (
      [type, ...[filter, filterTo].slice(0, VALUES[type] ?? 1)].join(":")));
    return `${name}:${conditions.join(`:${(model.operator ?? "and").toLowerCase()}:`)}`;
  }).join(";");

  window.dash_clientside = Object.assign({}, window.dash_clientside, { table: { open } });
})();
