"""Every two occurrences of a word at one layer, and senses proposed for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.analysis.measures.contextual import anisotropy, cosines
from explorer.analysis.measures.grouping import proposals
from explorer.capture.loading import Progress
from explorer.records import Proposals, WordSimilarity, WordStudy
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.views.embeddings.embeddings.compute import check_layer
from explorer.views.embeddings.similarity import CORRECTED, SimilaritySettings
from explorer.views.embeddings.study import study_of

# Kaufman & Rousseeuw 1990, Finding Groups in Data: how to read a mean silhouette.
_STRENGTH = (
    (0.7, "a strong structure"),
    (0.5, "a reasonable structure"),
    (0.25, "a weak structure that may be artificial"),
    (-2, "no substantial structure"),
)


def word_similarity(study: WordStudy, layer: int, seed: int = 0) -> WordSimilarity:
    """The cosine of every two occurrences at a layer 0…L; ``seed`` is that of the grouping.

    Raises:
        ValueError: a layer the model does not have.
    """
    check_layer(study, layer)
    vectors = study.contextual[layer]
    senses = [o.sense for o in study.occurrences]
    proposed = proposals(vectors, senses, seed)
    groups = [0] * len(senses) if proposed is None else proposed.groups.tolist()
    return WordSimilarity(
        layer=layer,
        cosine=cosines(vectors),
        anisotropy=anisotropy(study.sample.vectors[layer], study.sample.sentences),
        order=_order(senses, groups),
        proposals=proposed,
    )


def _order(senses: Sequence[str], groups: Sequence[int]) -> tuple[int, ...]:
    """By sense in order of appearance, those without a sense last; within a sense by proposal."""
    rank = {sense: number for number, sense in enumerate(dict.fromkeys(filter(None, senses)))}
    last = len(rank)
    places = range(len(senses))
    return tuple(sorted(places, key=lambda place: (rank.get(senses[place], last), groups[place])))


def proposals_in_words(found: Proposals | None) -> str:
    """How many senses the vectors propose, and how far to trust that."""
    if found is None:
        return "Nothing to group: it takes three occurrences whose vectors differ."
    count = len(found.typical)
    strength = next(word for least, word in _STRENGTH if found.silhouette > least)
    sentence = (
        f"{count} groups by the vectors alone (k-means on unit vectors; of 2 to "
        f"{max(found.tried)} groups these have the largest silhouette, {found.silhouette:.2f}: "
        f"{strength}). Proposals, not senses: read the sentences."
    )
    if found.rand is not None:
        sentence += (
            f" Agreement with the labelled senses: adjusted Rand index {found.rand:.2f} (1 the same, 0 as by chance)."
        )
    return sentence


def word_similarity_of(
    session: Session, request: StudyRequest, layer: int, progress: Progress | None = None
) -> WordSimilarity:
    """Every two occurrences of a word at a layer, and senses proposed for them.

    Raises:
        ValueError: a layer the model does not have.
    """
    return session.get_or_compute(
        ("word similarity", request, layer),
        lambda: word_similarity(study_of(session, request, progress), layer),
        progress,
    )


@dataclass(frozen=True)
class OccurrenceSimilarity:
    """A word study, its cosines, and whether the layer's anisotropy is taken from them."""

    study: WordStudy
    similarity: WordSimilarity
    corrected: bool


def compute(session: Session, settings: SimilaritySettings, progress: Progress | None = None) -> OccurrenceSimilarity:
    """Every two occurrences' cosine at a layer.

    Raises:
        ValueError: an unusable sentence, word or layer.
        ModelError: the model cannot be loaded.
    """
    similarity = word_similarity_of(session, settings.study, settings.layer, progress)
    return OccurrenceSimilarity(study_of(session, settings.study), similarity, settings.values == CORRECTED)
