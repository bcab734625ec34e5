"""A word study measured layer by layer, each measure beside its null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.by_layer import DRAWS, SEPARATION, anchor_curves, context_curves
from explorer.analysis.measures.separation import sense_test
from explorer.records import FloatArray, LayerCurve, WordLayers, WordStudy
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.views.embeddings.page import WordSettings
from explorer.views.embeddings.study import study_of


def word_layers(study: WordStudy, seed: int = 0, progress: Progress | None = None) -> WordLayers:
    """Measure a word study at every layer, each measure beside its null.

    ``progress`` is called before each step; an error it raises ends the work.
    """
    test = sense_test(
        study.contextual, [o.sense for o in study.occurrences], [o.sentence for o in study.occurrences], seed, progress
    )
    undefined = np.full(len(study.contextual), np.nan)
    separation = test.separation if test else LayerCurve(undefined, undefined, undefined)
    return WordLayers(
        model=study.model,
        word=study.word,
        curves={SEPARATION: separation, **context_curves(study, seed, progress)},
        test=test,
        anchors=anchor_curves(study, seed),
        occurrences=len(study.occurrences),
        draws=DRAWS,
        seed=seed,
    )


def layer_columns(layers: WordLayers) -> dict[str, FloatArray]:
    """Every measure by the name that files give it [L+1]; NaN where undefined.

    A null's mean and standard deviation are ``<name>_null`` and ``<name>_null_std``; a
    similarity is called ``similarity:<anchor>:<sense>``.
    """
    columns: dict[str, FloatArray] = {}
    for name, curve in layers.curves.items():
        columns |= _with_null(name, {name: curve.values}, curve.null_mean, curve.null_std)
        if name == SEPARATION and layers.test:
            columns[f"{name}_p"] = layers.test.p
            columns[f"{name}_p_corrected"] = layers.test.p_corrected
    for word, anchor in layers.anchors.items():
        name = f"similarity:{word}"
        by_sense = {f"{name}:{sense}": values for sense, values in anchor.by_sense.items()}
        columns |= _with_null(name, by_sense, anchor.null_mean, anchor.null_std)
    return columns


def _with_null(
    name: str, values: Mapping[str, FloatArray], mean: FloatArray, std: FloatArray
) -> dict[str, FloatArray]:
    return {**values, f"{name}_null": mean, f"{name}_null_std": std}


def word_layers_of(session: Session, request: StudyRequest, progress: Progress | None = None) -> WordLayers:
    """A word study measured layer by layer, each measure beside its null."""
    progress = progress or session.progress
    return session.get_or_compute(
        ("word layers", request),
        lambda: word_layers(study_of(session, request, progress), progress=progress),
        progress,
    )


@dataclass(frozen=True)
class LayerMeasures:
    """A word study and its measures."""

    study: WordStudy
    layers: WordLayers


def compute(session: Session, settings: WordSettings, progress: Progress | None = None) -> LayerMeasures:
    """A word's measures at every layer.

    Raises:
        ValueError: an unusable sentence, word or layer.
        ModelError: the model cannot be loaded.
    """
    study = study_of(session, settings.study, progress)
    last = len(study.contextual) - 1
    if not 0 <= settings.layer <= last:
        raise ValueError(f"layer {settings.layer} is out of range: layers are 0 to {last}")
    return LayerMeasures(study, word_layers_of(session, settings.study, progress))
