/* A file that is larger than what is sent is told at once, and not read: dcc.Upload drops it without
   a word. How one that is sent is opened: explorer/pages/keeping.py. */
"use strict";

(() => {
  function tell(event) {
    const field = event.target.closest?.("#open-file");
    const file = (event.dataTransfer ?? event.target).files?.[0];
    const most = Number(field?.querySelector("[data-most]").dataset.most);
    if (!file || !(file.size > most)) return;
    const told = `${file.name} has ${megabytes(file.size)} MB, and the page opens files of at most `
      + `${megabytes(most)} MB: open this view’s PNG or HTML instead.`;
    window.dash_clientside.set_props("save-message", { children: {
      namespace: "dash_html_components", type: "Div",
      props: { className: "error", role: "alert", children: told },
    } });
  }

  /* Rounded up: what is too large by little is told as larger. */
  const megabytes = (bytes) => Math.ceil(bytes / 1e5) / 10;

  for (const way of ["change", "drop"]) document.addEventListener(way, tell, true);
})();
