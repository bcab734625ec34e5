"""What the numbers in the table of heads mean: every measure, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from explorer.measures import MEASURES

_COMPARISONS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (
        "z, against shuffled tokens",
        "Near 0: the head scores the same whatever the order of the tokens. Above 2 or under −2: "
        "this order makes a difference. A head that hardly changes from shuffle to shuffle gets a "
        "large z from a small difference: hover a z for the mean, and compare.",
        {
            "formula": "(score − mean) / standard deviation, over 20 random orders of the text’s "
            "tokens; special tokens stay where they are, a pair’s texts are shuffled each in "
            "itself",
            "range": "any number",
            "source": "a permutation test, beside the baselines of Clark et al. 2019",
        },
    ),
    (
        "Best offset, and the weight at it",
        "What the head would be if position were all: the one distance at which it looks most, and "
        "how much it puts there. A head said to find something must find it more often than this. "
        "−1 is the previous token, so that the weight is then its Previous token score.",
        {
            "formula": "the o with the largest Σ_q A[q, q+o]; its weight is the mean of A[q, q+o] "
            "over the queries that may see such a key",
            "range": "offset: a number of tokens; its weight: 0 to 1",
            "source": "the fixed-offset baseline of Clark et al. 2019, “What Does BERT Look At?”, "
            "section 4.2",
        },
    ),
    (
        "Induction, random tokens",
        "1: on a sequence that means nothing and comes twice, every token of the second copy looks "
        "at what followed it in the first.",
        {
            "formula": "mean of A[q, q−49] over the second of two copies of 50 random tokens, 4 "
            "draws, after the model’s own first token",
            "range": "0 to 1",
            "source": "Olsson et al. 2022, “In-context Learning and Induction Heads”",
        },
    ),
)


_OTHERS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (
        "Distance of two heads",
        "0: both put their weight on the same tokens, query by query. The distances view lays "
        "heads out so that those which look alike are near each other.",
        {
            "formula": "mean over queries of the Jensen–Shannon divergence of the two rows, "
            "½·Σ A ln(A/M) + ½·Σ B ln(B/M) with M = (A + B)/2; points by multidimensional scaling",
            "range": "0 to ln 2 = 0.693 nats",
            "source": "Clark et al. 2019, section 6",
        },
    ),
    (
        "Pattern match (Python: pattern_match)",
        "How far a head is a pattern of your own, a 0/1 matrix D of queries and keys: “mul” is the "
        "share of its weight that falls on the pattern, “abs” how near each cell is to it.",
        {
            "formula": "mul: Σ A·D / Σ A; abs: 1 − n · mean |A − D| for n keys",
            "range": "mul: 0 to 1; abs: up to 1, for an A that is D",
            "source": "TransformerLens, head_detector",
        },
    ),
    (
        "Norm-based weight (a switch of the map)",
        "What a token really gives: a large weight on a short value vector gives little, as on "
        "many sinks.",
        {
            "formula": "‖A[q, k] · (x_k W_V + b_V) W_O‖; of a layer’s sum the norm of the sum",
            "range": "0 and up, in lengths of the residual stream; rows do not sum to 1",
            "source": "Kobayashi et al. 2020, “Attention is Not Only a Weight”",
        },
    ),
)


def layout() -> Any:
    """The panel, closed."""
    measures = [
        section(
            measure.title,
            measure.reading,
            {
                "formula": measure.formula,
                "range": _range(measure.range, measure.unit),
                "source": measure.source,
            },
        )
        for measure in MEASURES.values()
    ]
    comparisons = [section(*comparison) for comparison in _COMPARISONS]
    return dmc.Modal(
        [*measures, html.H2("What a score is held against"), *comparisons,
         html.H2("Beside the table"), *(section(*other) for other in _OTHERS)],
        id="measures-help", title="What the measures mean", size="lg",
    )  # fmt: skip


def register(app: Dash) -> None:
    """Wire the button that opens the panel."""
    app.clientside_callback(
        ClientsideFunction("explorer", "openKeys"),
        Output("measures-help", "opened"),
        Input("measures-open", "n_clicks"),
    )


def section(title: str, reading: str, facts: Mapping[str, str]) -> Any:
    """What one number means: how to read it, and its formula, source and the like."""
    terms = [part for name, said in facts.items() for part in (html.Dt(name), html.Dd(said))]
    return html.Section([html.H3(title), html.P(reading), html.Dl(terms)])


def _range(limits: tuple[float | None, float | None], unit: str) -> str:
    low, high = ("as the text allows" if limit is None else f"{limit:g}" for limit in limits)
    return f"{low} to {high} {unit}".strip()
