"""Sentences as they are typed, pasted and uploaded; the ready sets, by each bundled tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from transformers import AutoTokenizer

from explorer.models import checkpoints
from explorer.text.example_sets import EXAMPLE_SETS, OPENING, ExampleSet
from explorer.text.sentences import (
    MAX_CHARACTERS,
    check_rows,
    decoded,
    parse_anchors,
    parse_sentences,
    read_table,
    sentences_text,
)
from tests.browser import eager


class TestLines:
    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("", []),
            (" \n\t\n  ", []),
            ("|\n | \n", []),
            ("fruit | An apple.", [("fruit", "An apple.")]),
            ("fruit|An apple.", [("fruit", "An apple.")]),
            ("fruit\tAn apple.", [("fruit", "An apple.")]),
            ("An apple.", [("", "An apple.")]),
            ("  An apple.  ", [("", "An apple.")]),
            ("| An apple.", [("", "An apple.")]),
            ("fruit | ", [("fruit", "")]),
            ("a | b | c", [("a", "b | c")]),
            ("a | b\tc", [("a | b", "c")]),
            ("a | One.\r\n\r\nb | Two.", [("a", "One."), ("b", "Two.")]),
            ("фрукт | 🍎 תפוח apple", [("фрукт", "🍎 תפוח apple")]),
        ],
    )
    def test_lines_are_read(self, text: str, rows: list[tuple[str, str]]) -> None:
        assert parse_sentences(text) == rows

    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("sense,sentence\nfruit,An apple.\n", [("fruit", "An apple.")]),
            ("Text;Label\nAn apple.;fruit", [("fruit", "An apple.")]),
            ('"sense","sentence"\n"a","One | two."', [("a", "One | two.")]),
            ('a,"One, ""two""."\n\nb,Two.', [("a", 'One, "two".'), ("b", "Two.")]),
            ('a,One.\nb,"Two\nthree."', [("a", "One."), ("b", "Two\nthree.")]),
            ("a,One.\r\nb,Two.", [("a", "One."), ("b", "Two.")]),
            ("a;One.\nb;Two.", [("a", "One."), ("b", "Two.")]),
            ("sense\tsentence\na\tOne, two.", [("a", "One, two.")]),
            ("id\tsentence\tsense\n1\tOne.\ta", [("a", "One.")]),
            ("sense | sentence\na | One.", [("a", "One.")]),
        ],
    )
    def test_a_pasted_table_is_read_as_a_file(self, text: str, rows: list[tuple[str, str]]) -> None:
        assert parse_sentences(text) == rows

    @pytest.mark.parametrize(
        "text",
        [
            "I ate an apple, then left.\nApple, the firm, rose.",
            "On Monday, an apple fell.\nOn Tuesday, an apple rose.",
            "I paid 1,000 for an apple.",
            '"An apple," he said.\n"Two apples", she said.',
            "The sense, or the sentence, of an apple.",
            "An apple; a pear.",
            "Commas,",
        ],
    )
    def test_prose_with_commas_is_no_table(self, text: str) -> None:
        assert parse_sentences(text) == [("", line) for line in text.split("\n")]

    def test_a_pasted_table_that_cannot_be_read_names_its_line(self) -> None:
        with pytest.raises(ValueError, match=r"^the sentences, line 3 has 3 columns instead of sense"):
            parse_sentences('a,"One, two."\nb,Two.\na,Three, four.')

    @pytest.mark.parametrize(
        ("row", "back"),
        [
            (("fruit", "An apple."), ("fruit", "An apple.")),
            (("", "Red | green apple."), ("", "Red | green apple.")),
            (("", "An\tapple\nfell."), ("", "An apple fell.")),
            (("a|b", "An apple.\u2028Two."), ("a/b", "An apple. Two.")),
            (("fruit", ""), ("fruit", "")),
        ],
    )
    def test_a_row_is_one_line_and_is_read_back(self, row: tuple[str, str], back: tuple[str, str]) -> None:
        assert parse_sentences(sentences_text([row, row])) == [back, back]

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ([], "there is no sentence: type at least one"),
            ([("", "An apple.")] * 501, "there are 501 sentences; at most 500 are compared"),
            ([("a", "An apple."), ("b", "")], "sentence 2 is empty: write one after “b |”"),
            ([("a", "x" * 5_001)], "sentence 1 has 5,001 characters; at most 5,000 are read"),
        ],
    )
    def test_what_cannot_be_compared(self, rows: list[tuple[str, str]], said: str) -> None:
        with pytest.raises(ValueError, match=said.replace("|", r"\|")):
            check_rows(rows)

    def test_up_to_the_limits(self) -> None:
        check_rows([("a", "x" * MAX_CHARACTERS)] * 500)

    def test_anchors(self) -> None:
        assert parse_anchors(" banana, New York ,,banana, 🍎,") == ("banana", "New York", "🍎")
        assert parse_anchors(" , ") == ()
        with pytest.raises(ValueError, match="there are 13 anchor words; at most 12 are shown"):
            parse_anchors(",".join("abcdefghijklm"))


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "text", "rows"),
        [
            ("a.tsv", "a\tOne, 2.\r\n\n b \t Two\t3. \n", [("a", "One, 2."), ("b", "Two\t3.")]),
            ("a.txt", 'Sense\tSentence\na\t"One" said.\n', [("a", '"One" said.')]),
            ("a.tsv", "sentence\tsense\tsource\nOne.\ta\tx\nTwo.\n", [("a", "One."), ("", "Two.")]),
            ("a.csv", 'a,"One, ""two""."\nb,Two.\n', [("a", 'One, "two".'), ("b", "Two.")]),
            ("A.CSV", "id,Label,Text\n1,a,One.\n2,b,Two.\n", [("a", "One."), ("b", "Two.")]),
            ("a.csv", "a;One.\nb;Two.\n", [("a", "One."), ("b", "Two.")]),
            ("a.csv", "sentence\nOne.\nTwo.\n", [("", "One."), ("", "Two.")]),
            ("a.csv", "One.\n\n,\nTwo.\n", [("", "One."), ("", "Two.")]),
            ("a.csv", 'a,"One\ntwo."\nb,Two.\n', [("a", "One\ntwo."), ("b", "Two.")]),
        ],
    )
    def test_tables_are_read(self, name: str, text: str, rows: list[tuple[str, str]]) -> None:
        assert [(line.sense, line.sentence) for line in read_table(text, name)] == rows

    def test_a_place_is_the_line_a_row_begins_in(self) -> None:
        found = read_table('sense,sentence\na,"One\ntwo."\n\nb,Two.\n', "x.csv")
        assert [line.place for line in found] == ["x.csv, line 2", "x.csv, line 5"]

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("a.tsv", "", "a.tsv has no sentence: write lines of sense, tab, sentence"),
            ("a.tsv", "sense\tsentence\n", "a.tsv has no sentence"),
            ("a.tsv", "a\tOne.\n\nTwo.\n", "a.tsv, line 3 has no tab: write the sense, a tab"),
            ("a.tsv", "a\tOne.\nb\t \n", "a.tsv, line 2 has no sentence after its tab"),
            ("a.csv", "a,One.\nb,\n", "a.csv, line 2 has no sentence$"),
            ("a.csv", 'a,One.\nb,"Two.\nc,Three.\n', "line 2 cannot be read as CSV: its quote is"),
            ("a.csv", 'a,"One" two.\n', "a.csv, line 1 cannot be read as CSV"),
            ("a.csv", "a,One.\nb,Two, three.\n", "a.csv, line 2 has 3 columns instead of sense and"),
            ("a.csv", "a,One.\nTwo.\n", "a.csv, line 2 has 1 columns"),
        ],
    )
    def test_a_line_that_cannot_be_read_is_named(self, name: str, text: str, said: str) -> None:
        with pytest.raises(ValueError, match=said) as refused:
            read_table(text, name)
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_encodings(self, encoding: str) -> None:
        assert decoded("a\tÉpée שלום 🍎.\n".encode(encoding), "a.tsv") == "a\tÉpée שלום 🍎.\n"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "p.png is not a text file: use sentences as TSV"),
            ("a\tOne.\nb\tcafé\n".encode("latin-1"), "p.png, line 2 is not UTF-8: save it"),
        ],
    )
    def test_no_text(self, data: bytes, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            decoded(data, "p.png")


@pytest.fixture(scope="module", params=["minilm", "smollm2"])
def place_of(request: pytest.FixtureRequest) -> Callable[[str, str], list[int]]:
    """Which tokens of a sentence a word is, by a bundled model's own tokenizer."""
    found = checkpoints.find(request.param, None, lambda _sentence, _share: None)
    tokenizer = AutoTokenizer.from_pretrained(found.folder)

    def place(sentence: str, word: str) -> list[int]:
        offsets = tokenizer(sentence, return_offsets_mapping=True)["offset_mapping"]
        start = sentence.index(word)
        return [i for i, (a, b) in enumerate(offsets) if a < start + len(word) and b > max(a, start)]

    return place


@pytest.mark.parametrize("ready", EXAMPLE_SETS.values(), ids=list(EXAMPLE_SETS))
class TestReadySets:
    def test_is_balanced(self, ready: ExampleSet, place_of: Callable[[str, str], list[int]]) -> None:
        """One lower-case token in mid-sentence, at the same token positions in both senses."""
        places: dict[str, list[int]] = {}
        for sense, sentence in ready.rows:
            assert sentence.count(ready.word) == 1
            words = re.findall(r"\w+", sentence)
            assert 4 < words.index(ready.word) < len(words) - 1
            (place,) = place_of(sentence, ready.word)
            places.setdefault(sense, []).append(place)
        first, second = places.values()
        assert first == second
        assert len(first) >= 5
        assert len({sentence for _, sentence in ready.rows}) == len(ready.rows)

    def test_is_read_back(self, ready: ExampleSet) -> None:
        assert tuple(parse_sentences(sentences_text(ready.rows))) == ready.rows
        assert parse_anchors(", ".join(ready.anchors)) == ready.anchors

    def test_parts_by_sense_or_not(self, ready: ExampleSet) -> None:
        """Scikit-learn on hidden states straight from transformers, the layer that parts most."""
        senses = [sense for sense, _ in ready.rows]
        hidden, static = eager.word_vectors("minilm", [sentence for _, sentence in ready.rows], ready.word)
        assert np.ptp(static, axis=0).max() == 0
        most = max(silhouette_score(layer, senses, metric="cosine") for layer in hidden)
        assert most < 0.05 if "control" in ready.title else most > 0.35


def test_the_opening_set_is_the_first() -> None:
    assert OPENING is next(iter(EXAMPLE_SETS.values()))
