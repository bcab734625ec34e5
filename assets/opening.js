/* A file that is larger than what is sent: its two ends are, for one of them holds the record (see
   read_provenance in explorer/saving/metadata.py). dcc.Upload drops it without a word. */
"use strict";

(() => {
  function open(event) {
    const field = event.target.closest?.("#open-file");
    const file = (event.dataTransfer ?? event.target).files?.[0];
    const most = Number(field?.querySelector("[data-most]").dataset.most);
    if (!file || !(file.size > most)) return;
    if (/\.pdf$/i.test(file.name)) {
      tell(
        `${file.name} has ${megabytes(file.size)} MB, and the page opens PDFs of at most ` +
          `${megabytes(most)} MB: open this view’s PNG or HTML instead.`,
      );
      return;
    }
    const reader = new FileReader();
    reader.onload = () =>
      window.dash_clientside.set_props(
        "open-file",
        { contents: reader.result, filename: file.name },
      );
    reader.onerror = () => tell(`${file.name} cannot be read: ${reader.error.message}.`);
    reader.readAsDataURL(new Blob([file.slice(0, most / 2), file.slice(-most / 2)]));
  }

  function tell(children) {
    window.dash_clientside.set_props("save-message", {
      children: {
        namespace: "dash_html_components",
        type: "Div",
        props: { className: "error", role: "alert", children },
      },
    });
  }

  /* Rounded up: what is too large by little is told as larger. */
  const megabytes = (bytes) => Math.ceil(bytes / 1e5) / 10;

  for (const way of ["change", "drop"]) document.addEventListener(way, open, true);
})();
