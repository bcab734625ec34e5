/* The strip of tokens under the map: hover one to see where it looks and who looks at it.
   The numbers are those of the map on the screen; nothing is fetched. */
"use strict";

(() => {
  const strip = (target) => target.closest?.("#heads-tokens [data-query], #heads-tokens [data-key]");

  /* The cells of the map as rows of numbers. */
  function weights() {
    const plot = document.querySelector("#heads-heatmap .js-plotly-plot");
    const cells = plot?.data?.find((trace) => trace.type === "heatmap");
    if (!cells) return null;
    const { log, exact } = plot.layout.meta ?? {};
    // A logarithmic map keeps the weights themselves beside its colours, where it is small.
    const own = cells.customdata;
    return { rows: rowsOf(own ?? cells.z), log: log && !own, floor: cells.zmin, about: exact ? "" : "about " };
  }

  const NUMBERS = { f4: Float32Array, f8: Float64Array };
  const decoded = new WeakMap(); // a matrix as plotly.py sends it to its rows

  /* plotly.py sends a matrix as {dtype, bdata, shape}: base64 and "rows, columns". */
  function rowsOf(matrix) {
    if (!matrix.bdata) return matrix;
    if (!decoded.has(matrix)) {
      const bytes = Uint8Array.from(atob(matrix.bdata), (byte) => byte.charCodeAt(0));
      const numbers = new NUMBERS[matrix.dtype](bytes.buffer);
      const [count, width] = matrix.shape.split(",").map(Number);
      decoded.set(matrix, Array.from({ length: count }, (_, i) => numbers.subarray(i * width, (i + 1) * width)));
    }
    return decoded.get(matrix);
  }

  const isNone = (value) => value === null || Number.isNaN(value);
  const linear = (value, log) => (isNone(value) ? 0 : log ? 10 ** value : value);

  /* A token's weight in words; a cell that the mask forbids has none. */
  function inWords(value, { log, floor, about }) {
    if (isNone(value)) return "no data: the mask forbids it";
    const weight = linear(value, log);
    return log && value <= floor ? `${weight.toPrecision(1)} or less` : `${about}${weight.toFixed(4)}`;
  }

  function paint(spans, values, map) {
    const weights = values.map((value) => linear(value, map.log));
    const largest = Math.max(...weights, 1e-9);
    spans.forEach((span, i) => {
      span.style.setProperty("--share", `${Math.round((100 * weights[i]) / largest)}%`);
      span.title = inWords(values[i], map);
    });
  }

  const clear = () => {
    for (const span of document.querySelectorAll("#heads-tokens span")) {
      span.style.removeProperty("--share");
      span.classList.remove("chosen");
    }
  };

  document.addEventListener("mouseover", (event) => {
    const span = strip(event.target);
    if (!span) return;
    const map = weights();
    if (!map) return;
    clear();
    span.classList.add("chosen");
    const queries = [...document.querySelectorAll("#heads-tokens [data-query]")];
    const keys = [...document.querySelectorAll("#heads-tokens [data-key]")];
    const query = Number(span.dataset.query ?? -1);
    const key = Number(span.dataset.key ?? -1);
    if (query >= 0 && map.rows[query]) {
      paint(keys, Array.from(map.rows[query]), map);
    } else if (key >= 0) {
      paint(queries, Array.from(map.rows, (row) => row[key]), map);
    }
  });

  document.addEventListener("mouseout", (event) => {
    if (strip(event.target)) clear();
  });
})();
