"""The command ``embeddings``: a word in several sentences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import name_of, read
from explorer.cli.telling import progress, sayer
from explorer.cli.writing import format_of, write
from explorer.export.files import FORMATS, PICTURES
from explorer.sentences import read_table

if TYPE_CHECKING:
    from explorer.capture import Capture


def embeddings(
    word: Annotated[
        str,
        typer.Option(
            help="The word to follow, found as a whole word.", rich_help_panel=options.READ
        ),
    ],
    sentences: Annotated[
        str,
        typer.Option(
            metavar="FILE.tsv",
            help="One sentence a line: sense, tab, sentence; or a .csv with these columns. "
            "- reads standard input.",
            rich_help_panel=options.READ,
        ),
    ],
    match_case: Annotated[
        bool,
        typer.Option("--match-case", help="Tell Apple from apple.", rich_help_panel=options.READ),
    ] = False,
    layers: Annotated[
        str | None,
        typer.Option(help="Layers such as 0,3,6. [default: all]", rich_help_panel=options.SHOW),
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
            "none",
            "unit",
            "standard",
            panel=options.SHOW,
            help="none, unit (length 1) or standard (each dimension).",
        ),
    ] = "none",
    anchors: Annotated[
        str,
        typer.Option(
            help="Words of reference to place beside it, such as banana,Google.",
            rich_help_panel=options.SHOW,
        ),
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
    --layers, or else the one where the senses part most.

    \b
    Examples:
      printf 'fruit\\tShe ate an apple.\\nfirm\\tApple sells phones.\\n' > apple.tsv
      python -m explorer embeddings --word apple --sentences apple.tsv -o apple.png
    """  # noqa: D301
    from explorer.capture import capture, vocabulary_sample
    from explorer.export.embeddings import (
        embeddings_json,
        embeddings_table,
        telling_layer,
        word_picture,
    )
    from explorer.export.formats import to_json
    from explorer.export.pictures import figure_bytes
    from explorer.measures.verdict import where_senses_part
    from explorer.records import PlaneSwitches, StudyOptions
    from explorer.views.balance import set_notes
    from explorer.views.by_layer import word_layers
    from explorer.views.study import word_study
    from explorer.views.words import check_switches

    kind = format_of(output, force)
    chosen = None if layers is None else _whole_numbers(layers)
    switches = PlaneSwitches(basis=basis, normalise=normalise)
    check_switches(switches)
    lines = read_table(read(sentences), name_of(sentences))
    say = sayer(quiet)
    loaded = load(model, device, dtype, revision, quiet)
    rows = [(line.sense, line.sentence) for line in lines]
    places = [line.place for line in lines]

    def read_sentence(sentence: str) -> Capture:
        # The encoder reads the sentence; a decoder need not generate anything for that.
        return capture(loaded, sentence, target=sentence if loaded.is_encoder_decoder else None)

    words = tuple(name.strip() for name in anchors.split(",") if name.strip())
    wanted = StudyOptions(match_case=match_case, anchors=words)
    with progress(quiet, "reading sentences") as tell:
        study = word_study(read_sentence, rows, word, wanted, places, tell)
        vocabulary = vocabulary_sample(loaded) if basis == "vocabulary" else None
        measured = word_layers(study, progress=tell)
    for remark in (*study.remarks, *set_notes(study)):
        say(remark)
    if measured.test is not None:
        say(where_senses_part(measured))
    if kind in PICTURES:
        layer, why = telling_layer(study, chosen)
        if chosen != [layer]:
            say(f"a picture shows one layer: {layer}, {why}; --layers chooses another")
    settings = {"match_case": match_case, "anchors": list(words), **settings_of(loaded)}
    plane = (switches, vocabulary)
    make: dict[str, Callable[[], str | bytes]] = {
        "json": lambda: to_json(embeddings_json(study, chosen, *plane, settings, measured)),
        "csv": lambda: embeddings_table(study, chosen, *plane).csv(),
        **dict.fromkeys(PICTURES, lambda: figure_bytes(word_picture(study, layer, *plane), kind)),
    }
    write(make[kind](), output)


def _whole_numbers(given: str) -> list[int]:
    try:
        return [int(part) for part in given.split(",")]
    except ValueError:
        raise ValueError(
            f"--layers {given} is no list of layers: write for example 0,3,6"
        ) from None
