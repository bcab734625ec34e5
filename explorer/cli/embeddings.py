"""The command ``embeddings``: a word in several sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_with
from explorer.cli.reading import name_of, read
from explorer.cli.telling import progress, sayer
from explorer.cli.writing import format_of, write
from explorer.saving.files import DRAWINGS, FORMATS


def embeddings(
    word: Annotated[
        str, typer.Option(help="The word to follow, found as a whole word.", rich_help_panel=options.READ)
    ],
    sentences: Annotated[
        str,
        typer.Option(
            metavar="FILE.tsv",
            help="One sentence a line: sense, tab, sentence; or a .csv with these columns. - reads standard input.",
            rich_help_panel=options.READ,
        ),
    ],
    match_case: Annotated[
        bool, typer.Option("--match-case", help="Tell Apple from apple.", rich_help_panel=options.READ)
    ] = False,
    layers: Annotated[
        str | None, typer.Option(help="Layers such as 0,3,6. [default: all]", rich_help_panel=options.SHOW)
    ] = None,
    basis: Annotated[
        str,
        options.choice(
            "layer",
            "all",
            "vocabulary",
            panel=options.SHOW,
            help="What the axes are fitted on: layer (each its own), all (one for all layers) or "
            "vocabulary (one, of other words' static vectors).",
        ),
    ] = "layer",
    normalise: Annotated[
        str,
        options.choice(
            "none", "unit", "standard", panel=options.SHOW, help="none, unit (length 1) or standard (each dimension)."
        ),
    ] = "none",
    anchors: Annotated[
        str, typer.Option(help="Anchor words to place beside it, such as banana,Google.", rich_help_panel=options.SHOW)
    ] = "",
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: Annotated[Path | None, options.output(*FORMATS, several=False)] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a word's vectors in several sentences, a plane a layer.

    They are its static and its contextual vectors. A picture shows one layer: the one given with
    --layers, or else the one where the senses separate most.

    \b
    Examples:
      printf 'fruit\\tShe ate an apple.\\nfirm\\tApple sells phones.\\n' > apple.tsv
      python -m explorer embeddings --word apple --sentences apple.tsv -o apple.png
    """  # noqa: D301
    from explorer.analysis.measures.verdict import where_senses_separate
    from explorer.saving.save import saved
    from explorer.session.requests import sentences_setting
    from explorer.text.sentences import read_table
    from explorer.views.embeddings.balance import set_notes
    from explorer.views.embeddings.embeddings import VIEW
    from explorer.views.embeddings.embeddings.compute import check_options, layers_in, plane_options
    from explorer.views.embeddings.embeddings.data import telling_layer
    from explorer.views.embeddings.layers.compute import word_layers_of
    from explorer.views.embeddings.page import PlaneSettings
    from explorer.views.embeddings.study import study_of

    kind = format_of(output, force)
    lines = read_table(read(sentences), name_of(sentences))
    settings = PlaneSettings(
        model=model,
        word=word,
        match_case=match_case,
        sentences=sentences_setting([(line.sense, line.sentence) for line in lines]),
        anchors=anchors,
        basis=basis,
        normalise=normalise,
        layers=layers or "all",
    )
    check_options(plane_options(settings))
    chosen = None if layers is None else layers_in(layers)
    request, say = settings.study, sayer(quiet)
    session = session_with(model, device, dtype, revision, quiet)
    with progress(quiet, "reading sentences") as report:
        study = study_of(session, request, report, [line.place for line in lines])
        measured = word_layers_of(session, request, report)
    for remark in (*study.remarks, *set_notes(study)):
        say(remark)
    if measured.test is not None:
        say(where_senses_separate(measured))
    layer, why = telling_layer(study, chosen)
    if kind in DRAWINGS and chosen != (layer,):
        say(f"a picture shows one layer: {layer}, {why}; --layers chooses another")
    write(saved(session, VIEW.make(session, replace(settings, layer=layer)), kind, tell=say), output)
