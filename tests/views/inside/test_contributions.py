"""What the heads of a layer add, drawn and in a file."""

from __future__ import annotations

import numpy as np

import explorer
from explorer.views.inside.contributions.compute import head_outputs
from explorer.views.inside.contributions.data import table as outputs_table
from explorer.views.inside.contributions.figure import cosines, outputs_caption, outputs_figure


def test_outputs_side_by_side(minilm: explorer.LoadedModel) -> None:
    outputs = head_outputs(explorer.capture(minilm, "She ate an apple."), 1, 2)
    bars, alike, vectors = outputs_figure(outputs, 8).data
    np.testing.assert_allclose(bars.y, np.linalg.norm(outputs.added, axis=1))
    np.testing.assert_allclose(np.diag(alike.z), 1)
    np.testing.assert_allclose(
        np.asarray(vectors.z)[-1], outputs.added.sum(axis=0) + outputs.bias, rtol=1e-4, atol=1e-6
    )
    assert "12 × 32 = 384" in outputs_caption(outputs)
    header, *body = outputs_table(outputs).csv().splitlines()
    assert header.startswith("part,length,cosine,0,1,")
    assert [line.split(",")[0] for line in body[-2:]] == ["bias", "sum"]


def test_cosines_by_hand() -> None:
    found = cosines(np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[1, 0.96, 0], [0.96, 1, 0], [0, 0, 0]])
