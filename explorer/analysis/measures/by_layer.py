"""The measures of a word's vectors, layer by layer, each with its null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.contextual import anisotropy, explainable_variance, self_similarity, unit
from explorer.analysis.measures.measure import Definition
from explorer.records import AnchorCurves, FloatArray, IntArray, LayerCurve, TokenSample, WordStudy

DRAWS = 20
MOST_OTHERS = 600  # other tokens of the sentences in a study
LEAST_OTHERS_EACH = 4  # of each sentence, however many sentences there are
_AtLayer = tuple[float, float, float]
SEPARATION = "separation"


@dataclass(frozen=True, kw_only=True)
class ContextMeasure(Definition):
    """A measure of a word's vectors at a layer, with its value by chance (``null``) in words."""

    source: str = "Ethayarajh 2019, How Contextual are Contextualized Word Representations?"
    range: tuple[float, float] = (-1, 1)
    null: str


CONTEXT_MEASURES = {
    measure.name: measure
    for measure in (
        ContextMeasure(
            name=SEPARATION,
            title="Separation by sense",
            reading="How well the senses separate in the full space: near 1, each is far closer "
            "to its own sense than to the other; 0, no difference; below 0, closer to the other.",
            formula="mean over occurrences of (b − a) / max(a, b), with a the mean cosine distance to "
            "the own sense and b the mean to the nearest other one (silhouette)",
            source="Rousseeuw 1987, Silhouettes; as scikit-learn's silhouette_score",
            null="the senses permuted over the sentences: all permutations where there are 20,000 at most, "
            "2,499 random ones otherwise",
            undefined="with fewer than two senses, a sense with fewer than two occurrences, or vectors that are "
            "all equal",
        ),
        ContextMeasure(
            name="self_similarity",
            title="Self-similarity",
            reading="How alike the word's vectors stay in different sentences. High: context changes it "
            "little. Falling from layer to layer: its vectors become the sentence's own.",
            formula="mean over pairs of occurrences of cos(xᵢ, xⱼ), minus anisotropy",
            range=(-2, 2),
            null="as many random words of different sentences",
            undefined="of a single occurrence, and where all other words stand in one sentence",
        ),
        ContextMeasure(
            name="intra_sentence",
            title="Intra-sentence similarity",
            reading="How alike the words of one sentence are. High: they all take on what the sentence "
            "is about. Low: context tells them apart.",
            formula="mean over sentences and their tokens of cos(token, mean of the sentence's tokens), minus "
            "anisotropy",
            range=(-2, 2),
            null="made-up sentences, as long as the real ones, of random words from all of them",
            undefined="where all other words stand in one sentence",
        ),
        ContextMeasure(
            name="mev",
            title="Explainable variance (MEV)",
            reading="How well one vector could represent the word in all sentences. High: a static vector would do.",
            formula="σ₁² / Σ σᵢ², σ the singular values of the occurrences' vectors, not centred, as the "
            "paper defines it (its released code centres them); minus the mean of the same for "
            "random words",
            null="as many random words of different sentences",
            undefined="of a single occurrence, and where all other words stand in one sentence",
        ),
        ContextMeasure(
            name="anisotropy",
            title="Anisotropy",
            reading="How much the vectors of any words point the same way. 0: in all directions. What "
            "stands above it is the word's own; self-similarity is counted from here.",
            formula="mean of cos(x, y) over words x and y of different sentences (the other words of "
            f"these sentences: {MOST_OTHERS} at most, or {LEAST_OTHERS_EACH} of each where there "
            f"are more than {MOST_OTHERS // LEAST_OTHERS_EACH} sentences)",
            null="directions uniformly distributed on the sphere",
            undefined="where all other words stand in one sentence",
        ),
    )
}
ANCHOR_MEASURE = ContextMeasure(
    name="similarity",
    title="Similarity to an anchor",
    reading="How near each sense comes to another word. The sense whose line rises is the one that "
    "takes on the anchor's company.",
    formula="mean over the sense's occurrences of cos(x, anchor), the anchor read in “The word is …”",
    source="cosine similarity",
    null="as many random words of these sentences as the smallest sense has occurrences",
    undefined="nowhere; its null where the sentences have no other words",
)


def context_curves(study: WordStudy, seed: int = 0, progress: Progress | None = None) -> dict[str, LayerCurve]:
    """Every measure of ``CONTEXT_MEASURES`` except separation, by name, with its null.

    ``seed`` is for the random words; ``progress`` is called before each layer.
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
    self_mean, self_std = _null([self_similarity(others[places]) for places in words])
    intra_mean, intra_std = _null([_intra_sentence(others[places], directions[places], lengths) for places in made_up])
    mev_mean, mev_std = _null([explainable_variance(others[places]) for places in words])
    return {
        "self_similarity": (self_similarity(vectors) - common, self_mean - common, self_std),
        "intra_sentence": (float(study.intra_sentence[layer].mean()) - common, intra_mean - common, intra_std),
        "mev": (explainable_variance(vectors) - mev_mean, mev_mean - mev_mean, mev_std),
        "anisotropy": (common, *_isotropic(study.sample)),
    }


def anchor_curves(study: WordStudy, seed: int = 0) -> dict[str, AnchorCurves]:
    """Mean cosine of each sense's occurrences with each anchor, by layer, with its null."""
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
    """Indices of ``count`` random words of the sample, a new draw in each row.

    Sentences are drawn first, then a word of each, as in the paper; no sentence is drawn twice
    while others are left. There is no row where all words are in one sentence.
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


def _intra_sentence(words: FloatArray, directions: FloatArray, lengths: IntArray) -> float:
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
