"""The worksheet's page: what it shows, hides and bounds."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import explorer
from explorer.records import QueryRow
from explorer.records.source import Source
from explorer.views.inside.worksheet.compute import query_row
from explorer.views.inside.worksheet.page import worksheet_html
from explorer.views.inside.worksheet.rounding import MOST_KEYS, rounding_errors, worksheet
from tests.checkpoints import LONG, TEXT
from tests.conftest import Loader
from tests.views.inside.test_worksheet import APPLES, row_of


class Page(HTMLParser):
    """A page's tables as rows of (text, class) cells, its text, and whether its tags match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tables: list[list[list[tuple[str, str]]]] = []
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.isolated: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("meta", "br"):
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append(("", dict(attrs).get("class") or ""))
        elif tag == "bdi":
            self.isolated.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open or "title" in self.open:
            return
        self.text += data
        if "bdi" in self.open:
            self.isolated[-1] += data
        if {"td", "th"} & set(self.open):
            text, kind = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (text + data, kind)

    def column(self, table: int, place: int) -> list[str]:
        return [row[place][0] for row in self.tables[table][1:]]


def shown(values: Any, digits: int = 2) -> list[str]:
    """Numbers as a page has them."""
    texts = [f"{round(float(value), digits) + 0:.{digits}f}" for value in np.atleast_1d(values)]
    return [text.replace("-", "−") for text in texts]


@pytest.fixture(scope="module")
def apple(minilm: explorer.LoadedModel) -> QueryRow:
    """“apple” in one head of minilm."""
    return row_of(explorer.capture(minilm, APPLES), 3, 7, 4)


class TestPage:
    """The page to print."""

    @pytest.mark.parametrize("digits", [1, 2, 6])
    def test_rounded_numbers(self, apple: QueryRow, digits: int) -> None:
        page = Page(worksheet_html(apple, digits))
        query, products, softmax, values = range(4)
        assert [cell for cell, _ in page.tables[query][1]] == ["apple·1", *shown(apple.q[:4], digits)]
        assert page.column(products, 0) == list(apple.labels)
        for i in range(4):
            assert page.column(products, 1 + i) == shown(apple.k[:, i], digits)
            column = shown([*apple.v[:, i], apple.weights @ apple.v[:, i]], digits)
            assert page.column(values, 1 + i) == column
        first = apple.k[:, :4] @ apple.q[:4]
        assert page.column(products, 5) == shown(first, digits)
        assert page.column(products, 6) == shown(apple.k @ apple.q - first, digits)
        assert page.column(products, 7) == shown(apple.k @ apple.q, digits)
        scores = apple.k @ apple.q / 32**0.5
        powers = np.exp(scores - scores.max())
        assert page.column(softmax, 1) == [*shown(scores, digits), ""]
        assert page.column(softmax, 2) == shown([*powers, powers.sum()], digits)
        assert page.column(softmax, 3) == shown([*powers / powers.sum(), 1], digits)

    def test_blank_has_the_answers_in_its_key_only(self, apple: QueryRow) -> None:
        """Other answers leave everything before the key as it is."""
        other = replace(
            apple,
            products=apple.products + 1,
            scaled=apple.scaled - 2,
            output=apple.output * 3,
            exponentials=apple.exponentials / 5,
            weights=apple.weights / 7,
            error=0.5,
            contributions=apple.contributions + 1,
            added=apple.added * 2,
        )
        front, key = worksheet_html(apple, blank=True).split('<section class="key">')
        assert worksheet_html(other, blank=True).split('<section class="key">')[0] == front
        exercise = Page(front.split("<body>")[1])
        cells = [cell for table in exercise.tables for row in table for cell in row]
        assert {text for text, kind in cells if kind == "blank"} == {""}
        # Two sums and a score, an exponential and a weight a key; their sum; four of the output.
        assert sum(kind == "blank" for _, kind in cells) == 12 * 5 + 1 + 4
        assert not any(kind == "answer" for _, kind in cells)
        answers = Page("<section>" + key.split("</body>")[0])
        assert answers.column(0, 2) == [*shown(apple.products), ""]
        assert answers.column(0, 5) == shown([*apple.weights, 1])
        assert [cell for cell, _ in answers.tables[1][1]] == ["output", *shown(apple.output[:4])]

    def test_stands_alone(self, apple: QueryRow) -> None:
        for blank in (False, True):
            page = worksheet_html(apple, blank=blank, paper="Letter")
            parsed = Page(page)
            assert not parsed.tags & {"script", "link", "img", "iframe", "object"}
            assert not parsed.attributes & {"src", "href", "style", "onload"}
            assert not re.search(r"https?:|url\(|@import", page)
            assert "@page { size: Letter; }" in page

    def test_what_a_text_holds_stays_text(self, apple: QueryRow) -> None:
        nasty = ("<script>alert(1)</script>", "שלום", '"&amp;', "</table>")
        row = replace(
            apple,
            labels=(*nasty, *apple.labels[4:]),
            query_label=nasty[0],
            source=Source("/a/b/<i>", apple.source.revision, nasty[0], nasty[3], "<b>"),
        )
        page = Page(worksheet_html(row, blank=True))
        assert page.column(1, 0) == list(row.labels)
        assert not page.tags & {"script", "i"}
        assert {*nasty} <= set(page.isolated)
        assert "/a/b" not in page.text

    def test_no_digits_that_do_not_fit(self, apple: QueryRow) -> None:
        for digits in (0, 7, 50, -1):
            with pytest.raises(ValueError, match=f"digits {digits} is out of range: choose 1 to 6"):
                worksheet_html(apple, digits)
        with pytest.raises(ValueError, match="unknown paper 'A3': use A4 or Letter"):
            worksheet_html(apple, paper="A3")

    def test_how_far_rounding_is_off(self, apple: QueryRow) -> None:
        """A pupil's way, number by number; and the line that says so."""
        q = [round(x, 1) for x in apple.q[:4].tolist()]
        scores, products = [], []
        for k in apple.k.tolist():
            given = round(sum(a * b for a, b in zip(apple.q[4:].tolist(), k[4:], strict=True)), 1)
            products.append(round(sum(a * round(b, 1) for a, b in zip(q, k, strict=False)) + given, 1))
            scores.append(round(products[-1] / 32**0.5, 1))
        powers = [round(np.exp(score - max(scores)), 1) for score in scores]
        weights = [round(power / sum(powers), 1) for power in powers]
        output = [sum(w * round(v[i], 1) for w, v in zip(weights, apple.v.tolist(), strict=True)) for i in range(4)]
        misses = rounding_errors(worksheet(apple, 1))
        assert misses.products == pytest.approx(np.abs(np.array(products) - apple.products).max())
        assert misses.weights == pytest.approx(np.abs(np.array(weights) - apple.weights).max())
        assert misses.output == pytest.approx(np.abs(np.array(output) - apple.output[:4]).max())
        total = sum(round(weight, 1) for weight in apple.weights.tolist())
        assert f"the weights add up to {total:.1f}." in Page(worksheet_html(apple, 1)).text
        for digits in (1, 2, 4):  # what is told is never less than what is missed
            text = Page(worksheet_html(apple, digits)).text
            told = re.search(r"within ([\d.]+) of.*within ([\d.]+) and.*within ([\d.]+)\.", text)
            assert told is not None
            missed = rounding_errors(worksheet(apple, digits))
            for bound, miss in zip(told.groups(), (missed.products, missed.weights, missed.output), strict=True):
                assert 0 <= float(bound) - miss + 1e-6 < 10**-digits + 1e-6
        fine = rounding_errors(worksheet(apple, 6))
        assert max(fine.products, fine.weights, fine.output) < 1e-4

    def test_many_keys(self, minilm: explorer.LoadedModel) -> None:
        """The heaviest have a row of their own; the rest count as one key."""
        row = query_row(explorer.capture(minilm, LONG), 2, 4, 3)
        n = len(row.labels)
        heaviest = sorted(np.argsort(-row.weights)[:MOST_KEYS])
        rest = np.setdiff1d(np.arange(n), heaviest)
        page = Page(worksheet_html(row, 6))
        name = f"{n - MOST_KEYS} others"
        assert page.column(1, 0) == [row.labels[key] for key in heaviest]
        assert page.column(2, 0) == [*(row.labels[key] for key in heaviest), name, "sum"]
        assert page.column(2, 2)[-2] == shown(row.exponentials[rest].sum(), 6)[0]
        assert page.column(2, 3)[-2] == shown(row.weights[rest].sum(), 6)[0]
        # What is printed still adds up to the head's output.
        weights, values = (
            [float(text.replace("−", "-")) for text in page.column(*where)[:-1]] for where in ((2, 3), (3, 1))
        )
        assert np.dot(weights, values) == pytest.approx(row.output[0], abs=1e-5)
        assert f"The token may see {n} keys. The {MOST_KEYS} with the largest" in page.text

    def test_a_causal_mask(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        last = len(cap.tokens) - 1
        text = Page(worksheet_html(query_row(cap, 0, 1, last - 2))).text
        later = f"“{cap.tokens[-2]}”, “{cap.tokens[-1]}” come after “{cap.tokens[-3]}”."
        assert later in text
        first = Page(worksheet_html(query_row(cap, 0, 1, 0)))
        assert first.column(1, 0) == [cap.tokens[0]]
        assert " and 3 more come after" in Page(worksheet_html(query_row(cap, 0, 1, last - 15))).text
        assert "may see every token." in Page(worksheet_html(query_row(cap, 0, 1, last))).text

    @pytest.mark.parametrize("name", ["t5", "gemma2", "gpt-oss"])
    def test_scores_of_their_own(self, tiny: Loader, name: str) -> None:
        """A bias and no scale; a scale of its own, a soft cap and a window; a learned sink."""
        cap = explorer.capture(tiny(name), TEXT, target=TEXT if name == "t5" else None)
        row = query_row(cap, 0, 1, 9)
        page = Page(worksheet_html(row, 4))
        seen = np.flatnonzero(row.parts.allowed)
        printed = np.sort(seen[np.argsort(-row.weights[seen])][:MOST_KEYS])
        heads = [cell for cell, _ in page.tables[2][0]]
        scores = heads.index("6e" + "score − largest") - 1
        assert page.column(2, scores)[: len(printed)] == shown(row.scaled[printed], 4)
        assert page.column(2, 1)[: len(printed)] == shown(row.products[printed] * row.parts.scale, 4)
        if name == "t5":
            assert heads[1:4] == ["4q·k", "4+ bias", "4= score"]
            assert row.parts.bias is not None
            assert page.column(2, 2)[: len(printed)] == shown(row.parts.bias[printed], 4)
            assert "does not scale" in page.text
        elif name == "gemma2":
            assert heads[1:3] == ["4q·k × 0.5", "4capped= score"]
            assert "2 · tanh(result ÷ 2) never passes 2" in page.text
            assert "outside the window of near tokens" in page.text
        else:
            sink = page.tables[2][-2]
            assert sink[0][0] == "the learned sink"
            powers = [*row.exponentials[seen], row.sink_exponential]
            assert sink[-1][0] == shown(powers[-1] / sum(powers), 4)[0]
            assert page.tables[2][-1][-2][0] == shown(sum(powers), 4)[0]

    def test_before_and_after_turning(self, tiny: Loader) -> None:
        row = row_of(explorer.capture(tiny("llama"), TEXT), 1, 1, 5)
        table = Page(worksheet_html(row)).tables[0]
        assert row.q_before is not None
        assert [cell for cell, _ in table[1]][1:] == shown(row.q_before[:4])
        assert [cell for cell, _ in table[2]][1:] == shown(row.q[:4])
