"""A word's measures by layer to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.analysis.measures.verdict import where_senses_part
from explorer.records import WordLayers, WordStudy
from explorer.saving.formats import versions
from explorer.views.embeddings.layers.compute import layer_columns


def by_layer_json(
    study: WordStudy, shown: WordLayers, layer: int, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Every measure with its null, a value a layer 0…L, NaN where undefined.

    Args:
        study: the word's vectors.
        shown: what was measured of them, under the names of ``layer_columns``.
        layer: the one marked.
        settings: what else was chosen (device, dtype, …).
    """
    test = shown.test
    return {
        "kind": "by_layer",
        "model": study.model,
        "revision": study.revision,
        "word": study.word,
        "sentences": [{"text": text, "sense": sense} for sense, text in study.sentences],
        "layer": layer,
        "layers": list(range(len(study.contextual))),
        "occurrences": shown.occurrences,
        "measures": {name: values.tolist() for name, values in layer_columns(shown).items()},
        "assignments": None if test is None else test.assignments,
        "all_assignments": None if test is None else test.exact,
        "verdict": where_senses_part(shown),
        "draws": shown.draws,
        "seed": shown.seed,
        "settings": dict(settings or {}),
        "versions": versions(),
    }
