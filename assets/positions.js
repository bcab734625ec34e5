/* Where position enters, on the Embeddings page: the state of what is drawn. */
"use strict";

(() => {
  const view = (drawn, layer, place) => (drawn && Number.isInteger(layer)
    ? { ...drawn, layer, positions_of: Number(place) } : window.dash_clientside.no_update);

  window.dash_clientside = Object.assign({}, window.dash_clientside, { positions: { view } });
})();
