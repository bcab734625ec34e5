"""The measures of a word's vectors, layer by layer, each beside its null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.contextual import anisotropy, explainable_variance, self_similarity, unit
from explorer.records import AnchorCurves, FloatArray, IntArray, LayerCurve, TokenSample, WordStudy

DRAWS = 20
MOST_OTHERS = 600  # other tokens of the sentences that a study keeps
LEAST_OTHERS_EACH = 4  # of a sentence, be there ever so many
_AtLayer = tuple[float, float, float]
SEPARATION = "separation"
_ETHAYARAJH = "Ethayarajh 2019, How Contextual are Contextualized Word Representations?"


@dataclass(frozen=True)
class ContextMeasure:
    """A measure of a word's vectors at a layer.

    Attributes:
        name: its key in ``CONTEXT_MEASURES`` and in files.
        title: what it is called on a page.
        reading: how to read it, in a sentence or two.
        formula: its definition.
        source: who defined it.
        range: lowest and highest value.
        null: what chance means for it.
        undefined: where it is NaN, in words.
    """

    name: str
    title: str
    reading: str
    formula: str
    source: str
    range: tuple[float, float]
    null: str
    undefined: str


CONTEXT_MEASURES = {
    measure.name: measure
    for measure in (
        ContextMeasure(
            SEPARATION,
            "Separation by sense",
            "How well the senses separate in the full space: near 1, each is far closer "
            "to its own sense than to the other; 0, no difference; below 0, closer to the other.",
            "mean over occurrences of (b − a) / max(a, b), with a the mean cosine distance to "
            "the own sense and b the mean to the nearest other one (silhouette)",
            "Rousseeuw 1987, Silhouettes; as scikit-learn's silhouette_score",
            (-1, 1),
            "the senses permuted over the sentences: all permutations where there are 20,000 at most, "
            "2,499 random ones otherwise",
            "with fewer than two senses, a sense with fewer than two occurrences, or vectors that are all equal",
        ),
        ContextMeasure(
            "self_similarity",
            "Self-similarity",
            "How alike the word's vectors stay in different sentences. High: context changes it "
            "little. Falling from layer to layer: its vectors become the sentence's own.",
            "mean over pairs of occurrences of cos(xᵢ, xⱼ), minus anisotropy",
            _ETHAYARAJH,
            (-2, 2),
            "as many random words of different sentences",
            "of a single occurrence, and where all other words stand in one sentence",
        ),
        ContextMeasure(
            "intra_sentence",
            "Intra-sentence similarity",
            "How alike the words of one sentence are. High: they all take on what the sentence "
            "is about. Low: context tells them apart.",
            "mean over sentences and their tokens of cos(token, mean of the sentence's tokens), minus anisotropy",
            _ETHAYARAJH,
            (-2, 2),
            "made-up sentences, as long as the real ones, of random words from all of them",
            "where all other words stand in one sentence",
        ),
        ContextMeasure(
            "mev",
            "Explainable variance (MEV)",
            "How well one single vector could stand for the word in all sentences. High: a static vector would do.",
            "σ₁² / Σ σᵢ², σ the singular values of the occurrences' vectors, not centred, as the "
            "paper defines it (its released code centres them); minus the mean of the same for "
            "random words",
            _ETHAYARAJH,
            (-1, 1),
            "as many random words of different sentences",
            "of a single occurrence, and where all other words stand in one sentence",
        ),
        ContextMeasure(
            "anisotropy",
            "Anisotropy",
            "How much the vectors of any words point the same way. 0: in all directions. What "
            "stands above it is the word's own; self-similarity is counted from here.",
            "mean of cos(x, y) over words x and y of different sentences (the other words of "
            f"these sentences: {MOST_OTHERS} at most, or {LEAST_OTHERS_EACH} of each where there "
            f"are more than {MOST_OTHERS // LEAST_OTHERS_EACH} sentences)",
            _ETHAYARAJH,
            (-1, 1),
            "directions uniformly distributed on the sphere",
            "where all other words stand in one sentence",
        ),
    )
}
ANCHOR_MEASURE = ContextMeasure(
    "similarity",
    "Similarity to an anchor",
    "How near each sense comes to another word. The sense whose line rises is the one that "
    "takes on the anchor's company.",
    "mean over the sense's occurrences of cos(x, anchor), the anchor read in “The word is …”",
    "cosine similarity",
    (-1, 1),
    "as many random words of these sentences as the smallest sense has occurrences",
    "nowhere; its null where the sentences have no other words",
)


def context_curves(study: WordStudy, seed: int = 0, progress: Progress | None = None) -> dict[str, LayerCurve]:
    """Every measure of ``CONTEXT_MEASURES`` but separation, by name, beside its null.

    Args:
        study: the word's vectors.
        seed: of the draws of random words.
        progress: called with a sentence and a share of 1 before each layer; what it raises
            ends the work.
    """
    rng = np.random.default_rng(seed)
    words = _draws(study.sample, len(study.occurrences), rng)
    made_up = _draws(study.sample, int(study.sentence_tokens.sum()), rng)
    rows: dict[str, list[_AtLayer]] = {}
    for layer in range(len(study.contextual)):
        if progress is not None:
            progress(f"random words, layer {layer}", layer / len(study.contextual))
        for name, at_layer in _layer(study, layer, words, made_up).items():
            rows.setdefault(name, []).append(at_layer)
    return {name: LayerCurve(*np.array(found).T) for name, found in rows.items()}


def _layer(study: WordStudy, layer: int, words: IntArray, made_up: IntArray) -> dict[str, _AtLayer]:
    """Each measure at one layer: its value, and the null's mean and standard deviation."""
    vectors = study.contextual[layer]
    others = np.asarray(study.sample.vectors[layer], dtype=np.float64)
    directions = unit(others)
    common = anisotropy(others, study.sample.sentences)
    lengths = study.sentence_tokens
    alike, spread = _null([self_similarity(others[places]) for places in words])
    together, togethers = _null([_sentences_alike(others[places], directions[places], lengths) for places in made_up])
    explained, explaineds = _null([explainable_variance(others[places]) for places in words])
    return {
        "self_similarity": (self_similarity(vectors) - common, alike - common, spread),
        "intra_sentence": (float(study.intra_sentence[layer].mean()) - common, together - common, togethers),
        "mev": (explainable_variance(vectors) - explained, explained - explained, explaineds),
        "anisotropy": (common, *_isotropic(study.sample)),
    }


def anchor_curves(study: WordStudy, seed: int = 0) -> dict[str, AnchorCurves]:
    """How near each sense of the word comes to each anchor, by layer."""
    senses: dict[str, list[int]] = {}
    for place, occurrence in enumerate(study.occurrences):
        senses.setdefault(occurrence.sense, []).append(place)
    n_others = study.sample.vectors.shape[1]
    smallest = min(len(places) for places in senses.values())
    rng = np.random.default_rng(seed)
    random_places = rng.integers(n_others, size=(DRAWS, smallest)) if n_others else None
    found = {}
    for anchor in study.anchors:
        direction = unit(anchor.contextual)
        own = np.einsum("lnd,ld->ln", unit(study.contextual), direction)
        mean = spread = np.full(len(own), np.nan)
        if random_places is not None:
            random = np.einsum("lmd,ld->lm", unit(study.sample.vectors), direction)
            of_draws = random[:, random_places].mean(axis=2)
            mean, spread = of_draws.mean(axis=1), of_draws.std(axis=1, ddof=1)
        found[anchor.word] = AnchorCurves(
            {sense: own[:, places].mean(axis=1) for sense, places in senses.items()}, mean, spread
        )
    return found


def _draws(sample: TokenSample, count: int, rng: np.random.Generator) -> IntArray:
    """Places of ``count`` random words in the sample, a new draw in each row.

    Sentences first, then a word of each, as the paper does; no sentence twice while there
    are others left. No row where all words stand in one sentence.
    """
    _, firsts, sizes = np.unique(sample.sentences, return_index=True, return_counts=True)
    if len(firsts) < 2:
        return np.zeros((0, count), dtype=np.int64)
    rounds = -(-count // len(firsts))
    chosen = np.stack(
        [np.concatenate([rng.permutation(len(firsts)) for _ in range(rounds)])[:count] for _ in range(DRAWS)]
    )
    result: IntArray = firsts[chosen] + rng.integers(sizes[chosen])
    return result


def _null(random: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation over the draws; NaN where there are none."""
    if not random:
        return float("nan"), float("nan")
    return float(np.mean(random)), float(np.std(random, ddof=1))


def _sentences_alike(words: FloatArray, directions: FloatArray, lengths: IntArray) -> float:
    """Intra-sentence similarity of words [T, D] that make up sentences of these lengths."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    means = np.repeat(unit(np.add.reduceat(words, starts)), lengths, axis=0)
    with_mean = np.vecdot(directions, means)
    return float((np.add.reduceat(with_mean, starts) / lengths).mean())


def _isotropic(sample: TokenSample) -> tuple[float, float]:
    """Mean and standard deviation of the mean cosine of uniform random directions.

    The cosine of two has mean 0 and variance 1/D, and any two cosines are uncorrelated.
    """
    _, counts = np.unique(sample.sentences, return_counts=True)
    pairs = (counts.sum() ** 2 - (counts**2).sum()) / 2
    width = sample.vectors.shape[2]
    return (0.0, float(1 / np.sqrt(width * pairs))) if pairs else (float("nan"), float("nan"))
