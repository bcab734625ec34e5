/* What a script needs to know of a graph on the screen, from Plotly's public figure and the page. */
"use strict";

(() => {
  const TYPES = {
    f8: Float64Array,
    f4: Float32Array,
    i4: Int32Array,
    u4: Uint32Array,
    i2: Int16Array,
    u2: Uint16Array,
    i1: Int8Array,
    u1: Uint8Array,
  };

  const find = (id) => document.querySelector(`#${id} .js-plotly-plot`);

  /* A trace's numbers, or rows of numbers, which the server may have sent as base64 of an array. */
  function values(given) {
    if (!given?.bdata) return given ?? [];
    const bytes = Uint8Array.from(atob(given.bdata), (character) => character.charCodeAt(0));
    const flat = new TYPES[given.dtype](bytes.buffer);
    const [rows, columns] = String(given.shape ?? "").split(",").map(Number);
    return columns ? Array.from({ length: rows }, (_, i) => flat.subarray(i * columns, (i + 1) * columns)) : flat;
  }

  /* The plotting area on the screen, with the data's range along it, or null where there is none. */
  function area(plot) {
    const box = plot?.querySelector(".nsewdrag")?.getBoundingClientRect();
    const { xaxis, yaxis } = plot?.layout ?? {};
    return box?.width && xaxis?.range && yaxis?.range ? { box, x: xaxis.range, y: yaxis.range } : null;
  }

  /* Where a point of the data is in the window. */
  const place = ({ box, x: [left, right], y: [bottom, top] }, x, y) => [
    box.left + ((x - left) / (right - left)) * box.width,
    box.bottom - ((y - bottom) / (top - bottom)) * box.height,
  ];

  /* The point of the data at a place in the window. */
  const pointAt = ({ box, x: [left, right], y: [bottom, top] }, across, down) => [
    left + ((across - box.left) / box.width) * (right - left),
    bottom + ((box.bottom - down) / box.height) * (top - bottom),
  ];

  window.plotted = { find, values, area, place, pointAt };
})();
