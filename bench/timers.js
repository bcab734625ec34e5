/* What the browser bench times, inside the page itself: no driver's delay is in the figures.
   Painted means: the frame after the one in which the picture was there has begun. */
"use strict";

(() => {
  const frame = () => new Promise((resolve) => window.requestAnimationFrame(resolve));

  /* When the elements that are found are painted. Plotly draws a heatmap as an image, which the
     browser decodes in its own time; one that was replaced meanwhile is looked for again. */
  async function painted(find) {
    let pictures = [];
    do {
      pictures = find().filter((element) => element.localName === "image");
      await Promise.all(pictures.map((picture) => picture.decode().catch(() => null)));
    } while (!pictures.every((picture) => picture.isConnected));
    await frame();
    await frame();
    return window.performance.now();
  }

  /* Milliseconds since the navigation until there is something for each selector, painted. */
  async function opened(selectors) {
    const there = () => selectors.map((selector) => document.querySelector(selector));
    while (there().includes(null)) await frame();
    return painted(() => there().filter(Boolean));
  }

  const plotOf = (graph) => document.querySelector(`#${graph} .js-plotly-plot`);

  /* Where a graph's cell is in the window. */
  function placeOf(graph, column, row) {
    const { xaxis, yaxis } = plotOf(graph)._fullLayout;
    const box = plotOf(graph).getBoundingClientRect();
    return [box.left + xaxis._offset + xaxis.l2p(column), box.top + yaxis._offset + yaxis.l2p(row)];
  }

  /* Whether plotly knows that the mouse is over a cell; before that it takes no click. */
  function isOver(graph, column, row) {
    const point = plotOf(graph)._hoverdata?.[0];
    return point?.x === column && point?.y === row;
  }

  let released = null;
  window.addEventListener("mouseup", (event) => { released = event.timeStamp; }, { capture: true });

  /* Times the next click that plotly takes in a grid: `started` tells that it did, `took` the
     milliseconds from the button's release until the plot in a graph has this title, painted. */
  function timeClick(grid, graph, title) {
    const plot = plotOf(graph);
    const wanted = new RegExp(`${title}(?!\\d)`);
    timers.started = false;
    timers.took = null;
    plotOf(grid).once("plotly_click", () => {
      const start = released;
      timers.started = true;
      const drawn = async () => {
        if (!wanted.test(plot._fullLayout.title.text)) return;
        plot.removeListener("plotly_afterplot", drawn);
        timers.took = await painted(() => [...plot.querySelectorAll(".heatmaplayer image")]) - start;
      };
      plot.on("plotly_afterplot", drawn);
    });
  }

  /* The longest task of the main thread since this was last asked, in milliseconds; the browser
     tells of those over 50, so 0 means none was. */
  let longest = 0;
  const note = (tasks) => { longest = Math.max(longest, ...tasks.map((task) => task.duration)); };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "longtask" });

  function longestTask() {
    note(observer.takeRecords());
    const found = longest;
    longest = 0;
    return found;
  }

  /* Bytes that came over the wire for this page and all it asked for. */
  function received() {
    const kinds = ["navigation", "resource"];
    return kinds.flatMap((kind) => window.performance.getEntriesByType(kind))
      .reduce((sum, entry) => sum + entry.encodedBodySize, 0);
  }

  window.performance.setResourceTimingBufferSize(2000);
  const timers = { opened, placeOf, isOver, timeClick, longestTask, received };
  window.timers = timers;
})();
