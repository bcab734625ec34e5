"""Which two tokens a click on a map means."""

from __future__ import annotations

import numpy as np
import pytest

import explorer
from explorer.records import MapOptions
from explorer.views.heads.heatmap.compute import Region, token_groups, tokens_of_cell


class TestTokensOfCell:
    """Which two tokens a click on a map means, by numpy over the head's whole attention."""

    TEXT = "The unaffable gardener reprimanded a flabbergasted mathematician. " * 6

    def test_of_a_word_those_with_most_weight(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, self.TEXT)
        switches = MapOptions(words=True)
        queries, keys = token_groups(cap, cap.stack(), switches)
        row = next(i for i, group in enumerate(queries) if len(group) > 1)
        column = next(i for i, group in enumerate(keys) if len(group) > 2 and i != row)
        cells = cap.attention(2, 5)[np.ix_(queries[row], keys[column])]
        a, b = np.unravel_index(cells.argmax(), cells.shape)
        found = tokens_of_cell(cap, 2, 5, None, switches, Region(), (row, column))
        assert found == (queries[row][a], keys[column][b])

    @pytest.mark.parametrize("cell", [(0, 0), (2, 5), (7, 7)])
    def test_of_a_block_those_with_most_weight(self, cell: tuple[int, int], minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, self.TEXT)
        attention, count = cap.attention(3, 7), len(cap.tokens)
        each = -(-count // 8)
        blocks = [slice(at * each, min((at + 1) * each, count)) for at in cell]
        part = attention[blocks[0], blocks[1]]
        a, b = np.unravel_index(part.argmax(), part.shape)
        middle = tuple(at * each + (each - 1) / 2 for at in cell)
        found = tokens_of_cell(cap, 3, 7, None, MapOptions(), Region(most=8), middle)
        assert found == (blocks[0].start + a, blocks[1].start + b)

    def test_of_a_window_counts_from_the_whole_map(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, self.TEXT)
        region = Region(queries=(10, 20), keys=(5, 9))
        assert tokens_of_cell(cap, 0, 0, None, MapOptions(), region, (13, 6)) == (13, 6)
        assert tokens_of_cell(cap, 0, 0, None, MapOptions(), region, (99, 0)) == (19, 5)
