"""Every two occurrences of a word to files."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import Proposals
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.views.embeddings.similarity import SimilaritySettings
from explorer.views.embeddings.similarity.compute import OccurrenceSimilarity
from explorer.views.embeddings.study import sentences_of, source_of


def data(record: OccurrenceSimilarity, _settings: SimilaritySettings | None = None) -> dict[str, Any]:
    """Every two occurrences' cosine, in the order of the occurrences, and the senses proposed.

    "order" is that of the figure's rows; "anisotropy", which the figure may subtract, is NaN
    where undefined.
    """
    study, similarity = record.study, record.similarity
    groups = [None] * len(study.occurrences)
    found = groups if similarity.proposals is None else similarity.proposals.groups.tolist()
    return {
        **sentences_of(study),
        "layer": similarity.layer,
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
        "cosine": similarity.cosine.tolist(),
        "anisotropy": similarity.anisotropy,
        "order": list(similarity.order),
        "proposals": _proposals(similarity.proposals),
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


def table(record: OccurrenceSimilarity, _settings: SimilaritySettings | None = None) -> Table:
    """A row an occurrence: where it stands, its sense, its proposal, its cosine with each.

    The last columns are the occurrences in the rows' order; corrected, they are minus the layer's
    anisotropy.
    """
    study, similarity = record.study, record.similarity
    values = similarity.cosine - (similarity.anisotropy if record.corrected else 0)
    names = [f"{o.sentence}.{o.occurrence}" for o in study.occurrences]
    rows: list[list[object]] = []
    for place, (o, row) in enumerate(zip(study.occurrences, values.tolist(), strict=True)):
        proposal = None if similarity.proposals is None else similarity.proposals.groups[place] + 1
        rows.append([o.sentence, o.occurrence, o.sense, proposal, o.text, *row])
    return Table.of(["sentence", "occurrence", "sense", "proposal", "text", *names], rows)


def stem(record: OccurrenceSimilarity, _settings: SimilaritySettings) -> str:
    """A file name that says which word and layer it is."""
    return f"{model_stem(record.study.model)}-{record.study.word}-layer{record.similarity.layer}-similarity"


def source(record: OccurrenceSimilarity) -> Source:
    """The model of the study."""
    return source_of(record.study)
