"""The columns of the table of heads: their order, names, formats, and what hovering tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from explorer.analysis.measures import MEASURES
from explorer.views.heads.heads import PROBE
from explorer.views.heads.page import LINK

# A dash where a head has no value.
_NUMBER = {"function": "params.value == null ? '–' : d3.format('.3f')(params.value)"}
_OFFSET = {"function": "params.value == null ? '–' : d3.format(params.value ? '+d' : 'd')(params.value)"}
_AFTER = "same_token"  # the measure after which the best offset stands, among the positions


def column_definitions(names: Iterable[str], link: str = "") -> list[dict[str, Any]]:
    """How the grid shows the columns that there are.

    Each measure is followed by its z against shuffled tokens, positions by the best offset;
    what was asked for by a click stands first.

    Args:
        names: columns of the table's rows, as ``views.table`` names them, ``LINK`` and
            ``PROBE``.
        link: the two linked tokens, as the header of ``LINK``.
    """
    there = set(names)
    fixed = [{"field": name, "headerName": name, "width": 92, "pinned": "left"} for name in ("layer", "head")]
    found = [
        _column(LINK, link, "The weight from the one token to the other.") | {"sort": "desc"},
        _column(
            PROBE,
            "induction, random tokens",
            "Two copies of a random token sequence: the weight on the token after the first copy (Olsson et al. 2022)",
        ),
    ]
    for name, measure in MEASURES.items():
        about = f"{measure.reading} {measure.formula} ({measure.source})"
        found += [_column(name, measure.title, about), _z(name, measure.title)]
        if name == _AFTER:
            found += _best_offset()
    return fixed + [column for column in found if column["field"] in there]


def _column(name: str, title: str, about: str) -> dict[str, Any]:
    return {"field": name, "headerName": title, "headerTooltip": about, "valueFormatter": _NUMBER}


def _z(name: str, title: str) -> dict[str, Any]:
    """How far a measure lies from its null; hovering tells the null's mean."""
    about = "How many standard deviations the score lies from what shuffled tokens give"
    null = f"params.data.{name}_null"
    mean = f"{null} == null ? '' : 'mean on shuffled tokens ' + d3.format('.3f')({null})"
    return _column(f"{name}_z", f"z: {title}", about) | {"tooltipValueGetter": {"function": mean}}


def _best_offset() -> list[dict[str, Any]]:
    about = "that gathers most of the head's weight; −1 is the previous token (Clark et al. 2019)"
    return [
        _column("offset", "Best offset", f"The fixed offset {about}") | {"valueFormatter": _OFFSET},
        _column("offset_weight", "Weight at it", f"Mean weight on the fixed offset {about}"),
    ]
