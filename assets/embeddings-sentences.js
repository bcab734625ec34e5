/* The form of the Embeddings page in the browser: example sets, and the table beside the text.
   explorer/views/embeddings/sentences_panel.py wires it. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const FIELDS = 7; // of the form, that a set fills

  /* The switches' new values run it. */
  function useSet(name, sets, word, text) {
    const set = sets[name];
    if (!set || (set.word === word && set.text === text)) return Array(FIELDS).fill(NO_UPDATE());
    return [set.word, set.text, set.anchors, false, false, "all", false];
  }

  /* What is typed is an example set, or nobody's. */
  function nameSet(word, text, sets) {
    const named = Object.keys(sets).find((name) => sets[name].word === word && sets[name].text === text);
    window.dash_clientside.set_props("embeddings-set", { value: named ?? null });
    return NO_UPDATE();
  }

  /* ---- text and table: as explorer/text/sentences.py reads and writes it ---- */

  // Where Python's str.splitlines ends a line, control characters among them.
  // deno-lint-ignore no-control-regex
  const LINES = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

  function toTable(text, editor) {
    if (editor !== "table") return NO_UPDATE();
    return (text ?? "").split(LINES).filter((line) => line.trim()).map((line, i) => {
      const at = line.indexOf(line.trim().includes("\t") ? "\t" : "|");
      const sense = at < 0 ? "" : line.slice(0, at).trim();
      return { id: String(i), number: i + 1, sense, sentence: line.slice(at + 1).trim() };
    });
  }

  // deno-lint-ignore no-control-regex
  const oneLine = (cell) => (cell ?? "").replace(/[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+/g, " ").trim();

  const toText = (rows) =>
    rows.map(({ sense, sentence }) => (
      `${oneLine(sense).replaceAll("|", "/")} | ${oneLine(sentence)}`.trim()
    )).join("\n");

  function fromTable(changes, click, _adds, rows) {
    const [why] = window.dash_clientside.callback_context.triggered.map((one) => one.prop_id);
    if (why === "embeddings-add.n_clicks") {
      return toText([...rows, { sense: rows.at(-1)?.sense, sentence: "" }]);
    }
    if (why === "embeddings-table.cellClicked") {
      return click?.colId === "remove" ? toText(rows.filter(({ id }) => id !== click.rowId)) : NO_UPDATE();
    }
    const changed = Object.fromEntries((changes ?? []).map(({ rowId, data }) => [rowId, data]));
    return toText(rows.map((row) => changed[row.id] ?? row));
  }

  /* A table that is pasted among the lines becomes lines; the server reads it. */
  document.addEventListener("paste", ({ target }) => {
    if (target.id !== "embeddings-sentences") return;
    const tell = () => window.dash_clientside.set_props("embeddings-pasted", { data: target.value });
    target.addEventListener("input", tell, { once: true });
  });

  const showEditor = (
    editor,
  ) => [
    `part${editor === "text" ? "" : " hidden"}`,
    `part${editor === "table" ? "" : " hidden"}`,
    `save${editor === "table" ? "" : " hidden"}`,
  ];

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    embeddings_sentences: { useSet, nameSet, toTable, fromTable, showEditor },
  });
})();
