"""The form of the Embeddings page: the word, its sentences, and how it is looked for in them.

In the browser (assets/embeddings-sentences.js):
    embeddings-set ─> word, sentences, anchors, switches    a set is run at once
    word, sentences ─> embeddings-set                       which set they are, if any
    embeddings-sentences <─> embeddings-table                            one line, one row
    embeddings-editor ─> which of the two is visible
embeddings-upload, embeddings-pasted ─> embeddings-sentences, embeddings-upload-message
"""

from __future__ import annotations

import base64
from typing import Any

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.session.requests import EXAMPLE_ANCHORS, WordRequest, anchors_of_set, anchors_setting
from explorer.text.example_sets import EXAMPLE_SETS, OPENING
from explorer.text.sentences import (
    MAX_ANCHORS,
    MAX_BYTES,
    MAX_CHARACTERS,
    MAX_SENTENCES,
    check_rows,
    decoded,
    is_table,
    parse_sentences,
    read_table,
    sentences_text,
)
from explorer.views.panel.fields import labelled, segments, select, switch
from explorer.views.panel.running import error_line, remark_line

# What changes how the word is looked for; a change is run at once.
OPTIONS = {
    "embeddings-case": "checked",
    "embeddings-inside": "checked",
    "embeddings-which": "value",
    "embeddings-echo": "checked",
    "embeddings-anchors": "value",
}
TRIGGERS = [
    Input("run-button", "n_clicks"),
    Input("embeddings-word", "n_submit", allow_optional=True),
    *(Input(name, prop, allow_optional=True) for name, prop in OPTIONS.items()),
]
FORM = [
    State("embeddings-word", "value", allow_optional=True),
    State("embeddings-sentences", "value", allow_optional=True),
    *(State(name, prop, allow_optional=True) for name, prop in OPTIONS.items()),
]
_AT_MOST = f"{MAX_SENTENCES} sentences of {MAX_CHARACTERS:,} characters each"
_PLACES = {"all": "all of them", "first": "the first", "last": "the last"}


def layout() -> Any:
    """The form."""
    anchors = ", ".join(OPENING.anchors)
    anchors_help = f"Anchor points, separated by commas, at most {MAX_ANCHORS}: each is read in “The word is …”"
    titles = {name: example.title for name, example in EXAMPLE_SETS.items()}
    example_set = select(
        "embeddings-set",
        "apple",
        None,
        titles,
        size="sm",
        allowDeselect=True,
        placeholder="your own",
        comboboxProps={"width": 320},
    )
    word = dcc.Input(id="embeddings-word", value=OPENING.word, type="text", className="field")
    anchor_words = dcc.Input(id="embeddings-anchors", type="text", debounce=True, value=anchors, className="field")
    return html.Div(
        [
            dcc.Store(id="embeddings-sets", data=_sets()),
            dcc.Store(id="embeddings-pasted"),
            html.Div(
                [
                    _below("Word", "Followed through every sentence", word),
                    _below(
                        "Example set",
                        "Sentences with the word in two senses, balanced in its position; the control has one sense, "
                        "with random labels",
                        example_set,
                    ),
                ],
                className="side-by-side",
            ),
            _options(),
            html.Div(
                [
                    _below("Anchor words", anchors_help, anchor_words, "labelled wide"),
                    _below(
                        "If several",
                        "Which place counts where the word stands several times in a sentence",
                        select("embeddings-which", "all", None, _PLACES, size="sm"),
                    ),
                ],
                className="side-by-side",
            ),
            *_editor(),
        ],
        className="sentences",
    )


def _below(label: str, why: str, field: Any, style: str = "labelled") -> Any:
    """A field under its label."""
    return labelled(html.B(label), why, field, style)


def _options() -> Any:
    return html.Div(
        [
            switch("embeddings-case", "match case", "Tell Apple from apple"),
            switch("embeddings-inside", "inside words", "Find the word inside longer ones, too: apple in pineapple"),
            switch(
                "embeddings-echo",
                "context first",
                "Read every sentence twice and take the word from the second copy, so that a "
                "causal model, which reads from left to right, has seen all of its context "
                "(echo embeddings, Springer et al. 2024)",
            ),
        ],
        className="options",
    )


def _editor() -> list[Any]:
    return [
        html.Div(
            [
                html.B("Sentences"),
                segments("embeddings-editor", "text", {"text": "text", "table": "table"}),
                dcc.Upload(html.Button("Upload", className="save"), id="embeddings-upload"),
                html.Button(
                    "+ row",
                    id="embeddings-add",
                    className="save hidden",
                    title="A row at the end, of the last one’s sense",
                ),
            ],
            className="editor-bar",
            title="Upload TSV or CSV: sense, sentence; a first row may name the columns; at most "
            f"{MAX_BYTES / 1e6:g} MB and {_AT_MOST}",
        ),
        html.Div(id="embeddings-upload-message"),
        html.Div(
            dcc.Textarea(
                id="embeddings-sentences",
                value=sentences_text(OPENING.rows),
                className="field",
                title="One sentence a line: sense | sentence. The sense colours the points; a tab "
                f"works as well as the bar, and a pasted CSV is read, too. At most {_AT_MOST}",
            ),
            id="embeddings-as-text",
            className="part",
        ),
        html.Div(_table(), id="embeddings-as-table", className="part hidden"),
    ]


def _table() -> Any:
    text: dict[str, Any] = {"editable": True, "wrapText": True, "autoHeight": True}
    return dag.AgGrid(
        id="embeddings-table",
        rowData=[],
        getRowId="params.data.id",
        columnDefs=[
            {"field": "number", "headerName": "", "width": 42, "cellClass": "number"},
            {"field": "sense", "width": 84, **text},
            {"field": "sentence", "flex": 1, "minWidth": 110, **text},
            {
                "field": "remove",
                "headerName": "",
                "width": 36,
                "cellClass": "remove",
                "valueGetter": {"function": "'×'"},
                "tooltipValueGetter": {"function": "'Remove'"},
            },
        ],
        defaultColDef={"sortable": False, "resizable": False, "suppressMovable": True},
        dashGridOptions={
            "singleClickEdit": True,
            "stopEditingWhenCellsLoseFocus": True,
            "animateRows": False,
            "tooltipShowDelay": 300,
            "headerHeight": 30,
            "rowHeight": 30,
        },
    )


def _sets() -> dict[str, dict[str, str]]:
    """The fields of each example set."""
    return {
        name: {"word": example.word, "text": sentences_text(example.rows), "anchors": ", ".join(example.anchors)}
        for name, example in EXAMPLE_SETS.items()
    }


def in_fields(values: dict[str, Any]) -> dict[str, Any]:
    """Settings with an example set's anchor words by name, as the form shows them."""
    if values["anchors"] != EXAMPLE_ANCHORS:
        return values
    return {**values, "anchors": ", ".join(anchors_of_set(str(values["word"])))}


def request_from(
    model: str,
    word: str | None,
    sentences: str | None,
    case: Any,
    inside: Any,
    which: Any,
    echo: Any,
    anchors: str | None,
) -> dict[str, Any]:
    """The settings that all views share, from the form's fields.

    Raises:
        ValueError: no word, no sentence, or more than can be compared.
    """
    named = (word or "").strip()
    request: dict[str, Any] = {
        "model": model,
        "word": named,
        "sentences": (sentences or "").rstrip("\n"),
        "match_case": bool(case),
        "inside": bool(inside),
        "which": which or "all",
        "echo": bool(echo),
        "anchors": anchors_setting(named, anchors or ""),
    }
    WordRequest.of(request).study  # noqa: B018  # raises where a line cannot be read
    return request


def uploaded(contents: str, name: str) -> str:
    """The lines of an uploaded file, for the editor.

    Args:
        contents: as the browser sends it: what it is, a comma, base64.
        name: of the file; its ending tells CSV from TSV.

    Raises:
        ValueError: too large, no text, a line that cannot be read, or too many sentences.
    """
    data = base64.b64decode(contents.partition(",")[2])
    if len(data) > MAX_BYTES:
        raise ValueError(f"{name} has {len(data) / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:g} MB are read")
    rows = [(line.sense, line.sentence) for line in read_table(decoded(data, name), name)]
    try:
        check_rows(rows)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return sentences_text(rows)


def register(app: Dash) -> None:
    """Wire the form to ``app``."""

    @app.callback(
        Output("embeddings-sentences", "value", allow_duplicate=True),
        Output("embeddings-upload-message", "children"),
        Input("embeddings-upload", "contents"),
        Input("embeddings-pasted", "data"),
        Input("embeddings-request", "data"),
        State("embeddings-upload", "filename"),
    )
    def take_table(contents: str | None, text: str | None, _request: Any, name: str) -> Any:
        try:
            if ctx.triggered_id == "embeddings-upload" and contents:
                lines, source = uploaded(contents, name), name
            elif ctx.triggered_id == "embeddings-pasted" and is_table(text or "") is not None:
                lines, source = sentences_text(parse_sentences(text or "")), "a pasted table"
            else:
                return no_update, None  # the uploaded sentences have been run
        except ValueError as error:
            return no_update, error_line(str(error))
        count = lines.count("\n") + 1
        return lines, remark_line([f"{count} sentences from {source}: press Run"])

    _register_browser_side(app)


def _register_browser_side(app: Dash) -> None:
    def browser(name: str, *wiring: Any, **how: Any) -> None:
        app.clientside_callback(ClientsideFunction("embeddings_sentences", name), *wiring, **how)

    browser(
        "useSet",
        Output("embeddings-word", "value"),
        Output("embeddings-sentences", "value"),
        Output("embeddings-anchors", "value"),
        Output("embeddings-case", "checked"),
        Output("embeddings-inside", "checked"),
        Output("embeddings-which", "value"),
        Output("embeddings-echo", "checked"),
        Input("embeddings-set", "value"),
        State("embeddings-sets", "data"),
        State("embeddings-word", "value"),
        State("embeddings-sentences", "value"),
    )
    browser(
        "nameSet",
        Output("embeddings-set", "name"),
        Input("embeddings-word", "value"),
        Input("embeddings-sentences", "value"),
        State("embeddings-sets", "data"),
        prevent_initial_call=False,
    )
    browser(
        "toTable",
        Output("embeddings-table", "rowData"),
        Input("embeddings-sentences", "value"),
        Input("embeddings-editor", "value"),
    )
    browser(
        "fromTable",
        Output("embeddings-sentences", "value", allow_duplicate=True),
        Input("embeddings-table", "cellValueChanged"),
        Input("embeddings-table", "cellClicked"),
        Input("embeddings-add", "n_clicks"),
        State("embeddings-table", "rowData"),
    )
    browser(
        "showEditor",
        Output("embeddings-as-text", "className"),
        Output("embeddings-as-table", "className"),
        Output("embeddings-add", "className"),
        Input("embeddings-editor", "value"),
    )
