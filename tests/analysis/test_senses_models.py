"""The ready apple set on both bundled models, against scikit-learn on transformers' own states."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from explorer.analysis.measures.verdict import where_senses_separate
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.text.example_sets import EXAMPLE_SETS, OPENING
from explorer.views.embeddings.layers.compute import word_layers_of
from tests.browser import eager


@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_apple_parts_at_the_named_layer(model: str, session: Session) -> None:
    senses, sentences = zip(*OPENING.rows, strict=True)
    layers = word_layers_of(session, StudyRequest(model, OPENING.word, tuple(OPENING.rows)))
    assert layers.test is not None
    contextual, _ = eager.word_vectors(model, list(sentences), OPENING.word)
    for layer, value in enumerate(layers.test.separation.values):
        if not np.isnan(value):
            expected = silhouette_score(contextual[layer], senses, metric="cosine")
            assert value == pytest.approx(expected, abs=1e-4), layer
    peak = int(np.nanargmax(layers.test.separation.values))
    assert layers.test.p_corrected[peak] <= 0.05
    said = where_senses_separate(layers)
    assert said.startswith("fruit and company separate ")
    assert f"most at layer {peak} ({layers.test.separation.values[peak]:.2f}, p = " in said


@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_one_sense_labelled_at_random_does_not_part(model: str, session: Session) -> None:
    control = EXAMPLE_SETS["control"]
    layers = word_layers_of(session, StudyRequest(model, control.word, tuple(control.rows)))
    assert layers.test is not None
    assert np.nanmin(layers.test.p_corrected) > 0.05
    assert "do not separate at any layer beyond chance" in where_senses_separate(layers)
