/* The strip of tokens under the map: hover one to see where it looks and who looks at it.
   The numbers are those of the map that is drawn; nothing is fetched. */
"use strict";

(() => {
  const strip = (target) => target.closest?.("#heads-tokens [data-query], #heads-tokens [data-key]");

  /* The drawn cells as rows of numbers, whatever plotly keeps them in. */
  function weights() {
    const plot = document.querySelector("#heads-heatmap .js-plotly-plot");
    const cells = plot?._fullData?.find((trace) => trace.type === "heatmap");
    return cells && { rows: cells.z, log: plot.layout.meta?.log };
  }

  const linear = (value, log) => (value === null || Number.isNaN(value) ? 0 : log ? 10 ** value : value);

  function paint(spans, values) {
    const largest = Math.max(...values, 1e-9);
    spans.forEach((span, i) => {
      const share = Math.round((100 * values[i]) / largest);
      span.style.setProperty("--share", `${share}%`);
      span.title = values[i].toFixed(4);
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
      paint(keys, Array.from(map.rows[query], (value) => linear(value, map.log)));
    } else if (key >= 0) {
      paint(queries, Array.from(map.rows, (row) => linear(row[key], map.log)));
    }
  });

  document.addEventListener("mouseout", (event) => {
    if (strip(event.target)) clear();
  });
})();
