"""The columns of the table of heads: their order, names, formats and tooltips."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from explorer.analysis.measures import MEASURES
from explorer.views.heads.heads import PROBE
from explorer.views.heads.page import LINK

# A dash for an undefined value.
_NUMBER = {"function": "params.value == null ? '–' : d3.format('.3f')(params.value)"}
_OFFSET = {"function": "params.value == null ? '–' : d3.format(params.value ? '+d' : 'd')(params.value)"}
_AFTER = "same_token"  # the best offset comes after this measure


def column_definitions(names: Iterable[str], link: str = "") -> list[dict[str, Any]]:
    """The grid's definitions of the named columns.

    Each measure is followed by its z against shuffled tokens; the link and the probe, which a click
    adds, come first. ``link`` is the header of the column of the two linked tokens.
    """
    present = set(names)
    fixed = [{"field": name, "headerName": name, "width": 92, "pinned": "left"} for name in ("layer", "head")]
    columns = [
        _column(LINK, link, "The weight from the query to the key.") | {"sort": "desc"},
        _column(
            PROBE,
            "induction, random tokens",
            "Two copies of a random token sequence: the weight on the token after the first copy (Olsson et al. 2022)",
        ),
    ]
    for name, measure in MEASURES.items():
        about = f"{measure.reading} {measure.formula} ({measure.source})"
        columns += [_column(name, measure.title, about), _z(name, measure.title)]
        if name == _AFTER:
            columns += _best_offset()
    return fixed + [column for column in columns if column["field"] in present]


def _column(name: str, title: str, about: str) -> dict[str, Any]:
    return {"field": name, "headerName": title, "headerTooltip": about, "valueFormatter": _NUMBER}


def _z(name: str, title: str) -> dict[str, Any]:
    """The z of a measure against its null; the tooltip has the null's mean."""
    about = "Standard deviations between the score and its mean on shuffled tokens"
    null = f"params.data.{name}_null"
    mean = f"{null} == null ? '' : 'mean on shuffled tokens ' + d3.format('.3f')({null})"
    return _column(f"{name}_z", f"z: {title}", about) | {"tooltipValueGetter": {"function": mean}}


def _best_offset() -> list[dict[str, Any]]:
    about = "that gathers most of the head's weight; −1 is the previous token (Clark et al. 2019)"
    return [
        _column("offset", "Best offset", f"The fixed offset {about}") | {"valueFormatter": _OFFSET},
        _column("offset_weight", "Weight at it", f"Mean weight on the fixed offset {about}"),
    ]
