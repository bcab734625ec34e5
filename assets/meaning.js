/* Views of the Embeddings page that need nothing of the browser but to be shown or not. */
"use strict";

(() => {
  const shownIn = (own) => (mode) => `part${mode === own ? "" : " hidden"}`;

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    meaning: { show: shownIn("meaning") },
    positions: { show: shownIn("positions") },
  });
})();
