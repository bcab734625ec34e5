/* Queries and keys as points in the browser: a click on a query chooses it. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  function pickQuery(click) {
    const query = click?.points?.[0]?.customdata?.[1];
    return Number.isInteger(query) ? String(query) : NO_UPDATE();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { inside_points: { pickQuery } });
})();
