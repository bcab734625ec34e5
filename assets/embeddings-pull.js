/* The pull of a head on the Embeddings page: a clicked bar chooses its head. */
"use strict";

(() => {
  const pickHead = (click) => (
    click?.points?.length ? String(click.points[0].x) : window.dash_clientside.no_update
  );

  window.dash_clientside = Object.assign({}, window.dash_clientside, { embeddings_pull: { pickHead } });
})();
