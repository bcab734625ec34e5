"""Every two occurrences of a word to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.records import Proposals, WordSimilarity, WordStudy
from explorer.saving.formats import versions


def similarity_json(
    study: WordStudy, shown: WordSimilarity, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Every two occurrences' cosine, in the order of the occurrences, and the senses proposed.

    "order" is that of the picture's rows; "anisotropy", which the picture may take from the
    cosines, is NaN where undefined.
    """
    groups = [None] * len(study.occurrences)
    found = groups if shown.proposals is None else shown.proposals.groups.tolist()
    return {
        "kind": "similarity",
        "model": study.model,
        "revision": study.revision,
        "word": study.word,
        "sentences": [{"text": text, "sense": sense} for sense, text in study.sentences],
        "layer": shown.layer,
        "occurrences": [
            {
                "sentence": o.sentence,
                "occurrence": o.occurrence,
                "sense": o.sense,
                "text": o.text,
                "proposal": None if group is None else group + 1,
            }
            for o, group in zip(study.occurrences, found, strict=True)
        ],
        "cosine": shown.cosine.tolist(),
        "anisotropy": shown.anisotropy,
        "order": list(shown.order),
        "proposals": _proposals(shown.proposals),
        "settings": dict(settings or {}),
        "versions": versions(),
    }


def _proposals(found: Proposals | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "silhouette": found.silhouette,
        "tried": {str(count): value for count, value in found.tried.items()},
        "typical": [list(group) for group in found.typical],
        "adjusted_rand_index": found.rand,
    }
