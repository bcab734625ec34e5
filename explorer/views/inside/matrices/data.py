"""A head's map as a move, to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.records import CapturedText, Moves
from explorer.saving.formats import versions


def moves_json(shown: Moves, cap: CapturedText, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The move with all that made it.

    A token's place is in the plane before and in the plane after; so are the ends of the
    grid's lines, two for each. ``plane_map`` takes the first plane to the second.

    Args:
        shown: the move.
        cap: the text that is moved.
        settings: what else was chosen (device, dtype, target text, …).
    """
    tokens = zip(shown.labels, shown.before.tolist(), shown.after.tolist(), strict=True)
    return {
        "kind": "moves",
        "model": shown.model,
        "revision": cap.revision,
        "stack": shown.stack,
        "layer": shown.layer,
        "head": shown.head,
        "text": cap.text,
        "pair": cap.pair,
        "map": shown.which,
        "map_of_head": shown.of_head,
        "shared_by": shown.shared,
        "tokens": [
            {"token": token, "label": label, **_places(before, after)}
            for token, (label, before, after) in enumerate(tokens, start=int(shown.drop_first))
        ],
        "grid": [
            {"along": axis + 1, "line": number, "end": end, **_places(*places)}
            for axis, lines in enumerate(zip(shown.grid_before, shown.grid_after, strict=True))
            for number, ends in enumerate(zip(*(side.tolist() for side in lines), strict=True))
            for end, places in enumerate(zip(*ends, strict=True))
        ],
        "plane_map": shown.plane_map.tolist(),
        "axis_lengths": shown.lengths.tolist(),
        "area": shown.area,
        "explained_variance_before": shown.explained_before.tolist(),
        "explained_variance_after": shown.explained_after.tolist(),
        "from_plane": shown.from_plane,
        "singular_values": shown.singular_values.tolist(),
        "directions_of_90_percent": shown.carrying,
        "d_model": shown.width,
        "d_head": shown.d_head,
        "settings": {
            "without_first_token": shown.drop_first,
            "normalised_after": shown.normalised,
            "rotated_after": shown.rotated,
            "warnings": list(shown.warnings),
            "truncation": shown.truncation or None,
            **(settings or {}),
        },
        "versions": versions(),
    }


def _places(before: list[float], after: list[float]) -> dict[str, float]:
    return {"before_1": before[0], "before_2": before[1], "after_1": after[0], "after_2": after[1]}
