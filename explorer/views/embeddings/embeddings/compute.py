"""A word study in two or three dimensions, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.measures.separation import separation
from explorer.analysis.projection import NORMALISE, fit_basis, flipped, place, project
from explorer.analysis.vocabulary import vocabulary_sample
from explorer.capture.loading import Progress
from explorer.records import (
    PLAIN_PLANE,
    Basis,
    FloatArray,
    PlaneOptions,
    PlaneParts,
    WordLayers,
    WordProjection,
    WordStudy,
)
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.views.embeddings.layers.compute import word_layers_of
from explorer.views.embeddings.page import PlaneSettings, ProjectionSettings
from explorer.views.embeddings.study import study_of

BASES = ("layer", "all", "vocabulary")
# One layer's vectors this many times longer than another's make a common basis theirs.
_MUCH_LONGER = 4.0


@dataclass(frozen=True)
class Plane:
    """A word study on two or three axes.

    Attributes:
        projections: all layers, or the only one of t-SNE.
        shown: the layer on the screen.
        in_files: the layers whose points are saved.
        measures: computes the measures of all layers, for files.
    """

    study: WordStudy
    projections: tuple[WordProjection, ...]
    shown: WordProjection
    in_files: Sequence[WordProjection]
    parts: PlaneParts
    measures: Callable[[], WordLayers]


def compute(session: Session, settings: PlaneSettings, progress: Progress | None = None) -> Plane:
    """The projections of a word.

    Raises:
        ValueError: an unusable sentence, word, layer or option, or nothing left to fit.
        ModelError: the model cannot be loaded.
    """
    study = study_of(session, settings.study, progress)
    check_layer(study, settings.layer)
    projections = projections_of(session, settings.study, plane_options(settings), settings.layer)
    shown = next(one for one in projections if one.layer == settings.layer)
    parts = PlaneParts(settings.arrows, settings.paths, settings.anchors_shown, settings.others)
    in_files = _in_files(settings.layers, projections, shown, parts)
    return Plane(study, projections, shown, in_files, parts, lambda: word_layers_of(session, settings.study))


def plane_options(settings: ProjectionSettings) -> PlaneOptions:
    """What the plane is fitted on; t-SNE is of one layer."""
    basis = "layer" if settings.method == "tsne" else settings.basis
    return PlaneOptions(basis, settings.normalise, settings.method, int(settings.axes), settings.drop_first)


def layers_in(written: str) -> tuple[int, ...]:
    """Layers such as "0,3,6", each once.

    Raises:
        ValueError: no list of layers.
    """
    try:
        return tuple(dict.fromkeys(int(part) for part in written.split(",")))
    except ValueError:
        raise ValueError(f"layers {written} is not a list of layers: write for example 0,3,6") from None


def _in_files(
    chosen: str, projections: Sequence[WordProjection], shown: WordProjection, parts: PlaneParts
) -> Sequence[WordProjection]:
    """The layers whose points a file holds: those chosen, or those that the picture shows."""
    if chosen in ("", "all"):
        through_all = parts.paths and shown.switches.basis != "layer"
        return projections if chosen or through_all else (shown,)
    by_layer = {one.layer: one for one in projections}
    requested = layers_in(chosen)
    if missing := [layer for layer in requested if layer not in by_layer]:
        first, last = projections[0].layer, projections[-1].layer
        raise ValueError(f"layer {missing[0]} is out of range: layers are {first} to {last}")
    return [by_layer[layer] for layer in requested]


def word_projections(
    study: WordStudy, switches: PlaneOptions = PLAIN_PLANE, vocabulary: FloatArray | None = None
) -> tuple[WordProjection, ...]:
    """A word study's layers, 0…L, each brought to two or three dimensions by PCA.

    The basis "layer" is each layer's own, fitted on the occurrences' vectors together with
    their static vectors; an axis is turned round where that makes it agree with the layer
    before. "all" is one for all layers, fitted on their occurrences with the static vectors;
    "vocabulary" is one, fitted on other words' static vectors. Anchors and other tokens are
    placed, never fitted.

    ``vocabulary`` are the static vectors [m, D] of the basis "vocabulary".

    Raises:
        ValueError: an unknown switch, or nothing left to fit.
    """
    check_options(switches)
    if switches.method != "pca":
        raise ValueError("t-SNE shows one layer at a time: ask for that layer")
    made: list[WordProjection] = []
    common = None if switches.basis == "layer" else _common(study, switches, vocabulary)
    warnings = _on_lengths(study, switches)
    sample = 0 if vocabulary is None else len(vocabulary)
    for layer in range(len(study.contextual)):
        basis = common or _of_layer(study, layer, switches)
        if common is None and made:
            basis = _agreeing(basis, study, made[-1])
        fit = fit_in_words(study, f"layer {layer}", switches, sample)
        made.append(_placed(study, layer, basis, switches, fit, warnings))
    return tuple(made)


def word_projection(
    study: WordStudy, layer: int, switches: PlaneOptions = PLAIN_PLANE, vocabulary: FloatArray | None = None
) -> WordProjection:
    """One layer of a word study, as ``word_projections`` shows it, or by t-SNE.

    t-SNE is of that layer's occurrences and the different static vectors among theirs; what
    was not among them cannot be placed.

    Raises:
        ValueError: a layer the model does not have, an unknown switch, or nothing to fit.
    """
    check_layer(study, layer)
    check_options(switches)
    if switches.method == "tsne":
        return _by_tsne(study, layer, switches)
    return word_projections(study, switches, vocabulary)[layer]


def check_options(switches: PlaneOptions) -> None:
    """Check the basis, the normalisation and the method.

    Raises:
        ValueError: an unknown basis or normalisation, or t-SNE with a basis other than "layer".
    """
    if switches.basis not in BASES:
        raise ValueError(f"unknown basis '{switches.basis}': use {', '.join(BASES)}")
    if switches.normalise not in NORMALISE:
        raise ValueError(f"unknown normalisation '{switches.normalise}': use {', '.join(NORMALISE)}")
    if switches.method == "tsne" and switches.basis != "layer":
        raise ValueError("t-SNE has no axes to bring other vectors into: use the basis layer")


def _of_layer(study: WordStudy, layer: int, switches: PlaneOptions) -> Basis:
    kept = _kept_rows(study, switches)
    vectors = np.concatenate([study.contextual[layer][kept], study.static[kept]])
    names = _owners(study, kept) + _static_names(kept)
    return fit_basis(vectors, switches.axes, switches.normalise, names, _first_tokens(study))


def _common(study: WordStudy, switches: PlaneOptions, vocabulary: FloatArray | None) -> Basis:
    """The one basis of all layers."""
    if switches.basis == "vocabulary":
        if vocabulary is None:
            raise ValueError("the basis vocabulary needs a sample of the vocabulary's vectors")
        words = [f"word {row} of the sample" for row in range(len(vocabulary))]
        return fit_basis(vocabulary, switches.axes, switches.normalise, words)
    kept = _kept_rows(study, switches)
    layers = study.contextual[:, kept].reshape(-1, study.static.shape[1])
    vectors = np.concatenate([layers, study.static[kept]])
    names = _owners(study, kept) * len(study.contextual) + _static_names(kept)
    return fit_basis(vectors, switches.axes, switches.normalise, names, _first_tokens(study))


def _static_names(rows: Sequence[int]) -> list[str]:
    return [f"the static vector of occurrence {row}" for row in rows]


def _kept_rows(study: WordStudy, switches: PlaneOptions) -> list[int]:
    """Which occurrences the basis is fitted on."""
    kept = [row for row, o in enumerate(study.occurrences) if not (switches.drop_first and o.position == 0)]
    if not kept:
        raise ValueError(f"“{study.word}” is the first token of every sentence: without those nothing is left to fit")
    return kept


def _owners(study: WordStudy, rows: Sequence[int]) -> list[str]:
    """Whose each vector is: a sentence's, or the first tokens' that are all alike."""
    first = _first_tokens(study)
    names = [first if o.position == 0 else f"sentence {o.sentence + 1}" for o in study.occurrences]
    return [names[row] for row in rows]


def _first_tokens(study: WordStudy) -> str:
    """What the occurrences at position 0 are called together."""
    first = sorted({o.sentence + 1 for o in study.occurrences if o.position == 0})
    sentences = f"sentence {first[0]}" if len(first) == 1 else f"{len(first)} sentences"
    return f"the first token of {sentences}"


def _agreeing(basis: Basis, study: WordStudy, before: WordProjection) -> Basis:
    """Axes flipped where they would mirror the layer before."""
    layer = before.layer + 1
    points = np.concatenate([place(basis, study.contextual[layer]), place(basis, study.static)])
    alike = (points * np.concatenate([before.points, before.static])).sum(axis=0)
    return flipped(basis, np.where(alike < 0, -1.0, 1.0))


def _placed(
    study: WordStudy, layer: int, basis: Basis, switches: PlaneOptions, fit: str, warnings: tuple[str, ...]
) -> WordProjection:
    """One layer in a basis."""
    vectors = study.contextual[layer]
    points, static = place(basis, vectors), place(basis, study.static)
    width = study.static.shape[1]
    anchors = np.reshape([a.contextual[layer] for a in study.anchors], (-1, width))
    static_anchors = np.reshape([a.static for a in study.anchors], (-1, width))
    return WordProjection(
        layer=layer,
        points=points,
        static=static,
        others=place(basis, study.sample.vectors[layer]),
        anchors=place(basis, anchors),
        static_anchors=place(basis, static_anchors),
        basis=basis,
        kept=_share_kept(basis, np.concatenate([vectors, study.static])),
        separation=separation(vectors, [o.sense for o in study.occurrences]),
        fit=fit,
        switches=switches,
        warnings=(*basis.warnings, *warnings),
    )


def _share_kept(basis: Basis, vectors: FloatArray) -> float | None:
    """Which share of some vectors' variance a basis' axes keep."""
    data = np.asarray(vectors, dtype=np.float64)
    if basis.normalise == "unit":
        data = data / np.maximum(np.linalg.norm(data, axis=1, keepdims=True), 1e-12)
    whole = (data / basis.scale).var(axis=0).sum()
    if whole <= 1e-12 * max(1.0, float((data**2).sum())):
        return None
    return float(place(basis, vectors).var(axis=0).sum() / whole)


def _on_lengths(study: WordStudy, switches: PlaneOptions) -> tuple[str, ...]:
    """A warning where one basis serves layers whose vectors differ much in length."""
    if switches.basis != "all" or switches.normalise != "none":
        return ()
    lengths = np.linalg.norm(study.contextual, axis=2).mean(axis=1)
    longest, shortest = int(lengths.argmax()), int(lengths.argmin())
    if lengths[longest] < _MUCH_LONGER * lengths[shortest]:
        return ()
    times = lengths[longest] / max(lengths[shortest], 1e-12)
    return (
        f"vectors of layer {longest} are {times:,.0f} times as long as those of layer "
        f"{shortest}, so the basis is theirs, try unit normalisation",
    )


def _by_tsne(study: WordStudy, layer: int, switches: PlaneOptions) -> WordProjection:
    kept = _kept_rows(study, switches)
    _, firsts, which = np.unique(np.round(study.static, 6), axis=0, return_index=True, return_inverse=True)
    vectors = np.concatenate([study.contextual[layer][kept], study.static[firsts]])
    result = project(vectors, switches.axes, "tsne", switches.normalise)
    points = np.full((len(study.occurrences), switches.axes), np.nan)
    points[kept] = result.points[: len(kept)]
    nothing = np.zeros((0, switches.axes))
    return WordProjection(
        layer=layer,
        points=points,
        static=result.points[len(kept) :][which.ravel()],
        others=nothing,
        anchors=nothing,
        static_anchors=nothing,
        basis=None,
        kept=None,
        separation=separation(study.contextual[layer], [o.sense for o in study.occurrences]),
        fit=fit_in_words(study, f"layer {layer}", switches),
        switches=switches,
        warnings=result.warnings,
    )


def fit_in_words(study: WordStudy, where: str, switches: PlaneOptions = PLAIN_PLANE, sample: int = 0) -> str:
    """What the basis is fitted on; ``where`` is "layer 3" or "each layer", ``sample`` counts vocabulary words."""
    scalings = {"none": "", "unit": ", each scaled to length 1", "standard": ", each dimension scaled to variance 1"}
    scaled = scalings[switches.normalise]
    if switches.basis == "vocabulary":
        return (
            f"PCA of the static vectors of {sample:,} words drawn evenly from the vocabulary with a fixed seed{scaled}"
        )
    kept = len(_kept_rows(study, switches))
    left = len(study.occurrences) - kept
    without = "" if not left else f" ({left} at position 0 left out)"
    if switches.basis == "all":
        where = f"all layers, 0 to {len(study.contextual) - 1},"
    method = "t-SNE" if switches.method == "tsne" else "PCA"
    return (
        f"{method} of the {kept} vectors of “{study.word}”{without} at {where} "
        f"together with their {kept} static vectors{scaled}"
    )


def check_layer(study: WordStudy, layer: int) -> None:
    """Raise a ValueError if the study has no such layer."""
    last = len(study.contextual) - 1
    if not 0 <= layer <= last:
        raise ValueError(f"layer {layer} is out of range: {study.model} has layers 0 to {last}")


def separations(study: WordStudy) -> list[float | None]:
    """The separation by sense at each layer, 0…L."""
    senses = [o.sense for o in study.occurrences]
    return [separation(vectors, senses) for vectors in study.contextual]


def projections_of(
    session: Session, request: StudyRequest, options: PlaneOptions, layer: int
) -> tuple[WordProjection, ...]:
    """A word study's layers, 0…L, on two or three axes; for t-SNE ``layer`` alone."""
    tsne = options.method == "tsne"

    def project_all() -> tuple[WordProjection, ...]:
        study = study_of(session, request)
        if tsne:
            return (word_projection(study, layer, options),)
        sample = vocabulary_sample(session.model(request.model)) if options.basis == "vocabulary" else None
        return word_projections(study, options, sample)

    return session.get_or_compute(("projections", request, options, layer if tsne else None), project_all)
