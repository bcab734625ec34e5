/* The worksheet in the browser: a click on a row of the table chooses its key. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  /* A row's id is its key's number; the sum has no key. */
  const pickKey = (cell) => (/^\d+$/.test(cell?.rowId ?? "") ? cell.rowId : NO_UPDATE());

  window.dash_clientside = Object.assign({}, window.dash_clientside, { inside_worksheet: { pickKey } });
})();
