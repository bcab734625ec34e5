/* Saving a figure from its preview: PNG and SVG are drawn by the browser itself, and carry the
   record of what made them. The callback graph is drawn in explorer/pages/saving.py. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;

  async function draw(_png, _svg, figure, drawn) {
    const button = window.dash_clientside.callback_context.triggered_id;
    if (!button || !drawn) return NO_UPDATE();
    const format = button.replace("save-", "");
    try {
      const { width, height } = figure.layout;
      const scale = format === "png" ? drawn.dots * drawn.scale : 1;
      const url = await window.Plotly.toImage(figure, { format, width, height, scale });
      const made = format === "png" ? await png(url, drawn) : svg(url, drawn);
      send(made, drawn.names[format]);
      return null;
    } catch (error) {
      const reason = error?.message ?? String(error);
      return { namespace: "dash_html_components", type: "Div",
        props: { className: "error", role: "alert", children: `The figure could not be drawn: ${reason}.` } };
    }
  }

  function send(blob, name) {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  /* ---- SVG: its size on paper, and its record as metadata ---- */

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  function svg(url, { records, width, height }) {
    const text = decodeURIComponent(url.slice(url.indexOf(",") + 1));
    const sized = text.replace(/<svg\b[^>]*>/, (opening) => (
      `${opening.replace(/ width="[\d.]+"/, ` width="${width.toFixed(4)}cm"`)
        .replace(/ height="[\d.]+"/, ` height="${height.toFixed(4)}cm"`)
      }<metadata id="explorer">${escaped(records.svg)}</metadata>`));
    return new Blob([sized], { type: "image/svg+xml" });
  }

  /* ---- PNG: its size on paper, its record as international text "explorer" ---- */

  const HEADER = 33; // the signature and the first chunk

  async function png(url, { records, dots }) {
    const data = new Uint8Array(await (await fetch(url)).arrayBuffer());
    const text = new TextEncoder().encode(`explorer\0\0\0\0\0${records.png}`);
    // Dots a metre: so wide is it on paper. A pixel is 1/96 inch.
    const size = new DataView(new ArrayBuffer(9));
    for (const at of [0, 4]) size.setUint32(at, Math.round((96 * dots) / 0.0254));
    size.setUint8(8, 1);
    const parts = [chunk("pHYs", new Uint8Array(size.buffer)), chunk("iTXt", text)];
    return new Blob([data.slice(0, HEADER), ...parts, data.slice(HEADER)], { type: "image/png" });
  }

  function chunk(name, content) {
    const whole = new Uint8Array(content.length + 12);
    const view = new DataView(whole.buffer);
    view.setUint32(0, content.length);
    whole.set(new TextEncoder().encode(name), 4);
    whole.set(content, 8);
    view.setUint32(content.length + 8, checksum(whole.slice(4, content.length + 8)));
    return whole;
  }

  /* CRC-32, as the PNG specification (W3C 2003, annex D) gives it. */
  const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });

  function checksum(bytes) {
    let value = 0xffffffff;
    for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
    return (value ^ 0xffffffff) >>> 0;
  }

  const openKept = () => true;

  function go(link) {
    if (link) window.location.assign(link);
    return NO_UPDATE();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { saving: { draw, openKept, go } });
})();
