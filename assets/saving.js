/* Saving a figure from its preview: PNG and SVG are drawn by the browser, and the server puts the
   record of what made them in. The callback graph is drawn in explorer/app/save_menu.py. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  async function draw(_png, _svg, figure, drawn) {
    const button = window.dash_clientside.callback_context.triggered_id;
    if (!button || !drawn) return [NO_UPDATE(), NO_UPDATE()];
    const kind = button.replace("save-", "");
    try {
      const { width, height } = figure.layout;
      const scale = kind === "png" ? drawn.dots * drawn.scale : 1;
      const url = await window.Plotly.toImage(figure, { format: kind, width, height, scale });
      const bytes = kind === "png" ? url.length * 0.75 : url.length;
      if (bytes > drawn.most) {
        throw new Error(
          `it has ${Math.ceil(bytes / 1e5) / 10} MB, and the page saves at most ${drawn.most / 1e6} MB: ` +
            "choose fewer dots for PNG, or a smaller width",
        );
      }
      return [{ kind, url, drawn }, null];
    } catch (error) {
      const reason = error?.message ?? String(error);
      return [NO_UPDATE(), {
        namespace: "dash_html_components",
        type: "Div",
        props: { className: "error", role: "alert", children: `The figure cannot be saved: ${reason}.` },
      }];
    }
  }

  const openKept = () => true;

  function go(link) {
    if (link) {
      window.openAddress(link);
      // Dash reports no change when the same file is opened again, unless it was emptied.
      window.dash_clientside.set_props("opened-link", { data: null });
    }
    return NO_UPDATE();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { saving: { draw, openKept, go } });
})();
