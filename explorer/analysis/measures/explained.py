"""Numbers of heads that are not in ``MEASURES``, with definition and source."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.analysis.measures.measure import Definition


@dataclass(frozen=True, kw_only=True)
class Explanation(Definition):
    """The definition of a number whose ``name`` is a function of ``explorer``; ``range`` in words, with the unit."""

    range: str


NULLS = (
    Explanation(
        name="experiments.null",
        title="z, against shuffled tokens",
        reading="Near 0: the head scores the same whatever the order of the tokens. Above 2 or "
        "under −2: this order makes a difference. A head that hardly varies between shuffles "
        "gets a large z from a small difference: hover a z for the mean, and compare.",
        formula="(score − mean) / standard deviation, over 20 random orders of the text’s tokens; "
        "special tokens keep their positions, a pair’s texts are shuffled separately",
        source="a permutation test, beside the baselines of Clark et al. 2019",
        range="any number",
        undefined="where the score is undefined, or in all shuffles but one",
    ),
    Explanation(
        name="experiments.best_offset",
        title="Best offset, and the weight at it",
        reading="The head as a purely positional one: the fixed distance with most of its weight, and "
        "how much that is. A head that is claimed to find something must find it more often than "
        "this. −1 is the previous token, so that the weight is then its Previous token score.",
        formula="the o with the largest Σ_q A[q, q+o]; its weight is the mean of A[q, q+o] over "
        "the queries that may see such a key",
        source="the fixed-offset baseline of Clark et al. 2019, “What Does BERT Look At?”, section 4.2",
        range="offset: a number of tokens; its weight: 0 to 1",
        undefined="on cross attention, where it is an error",
    ),
    Explanation(
        name="experiments.induction_probe",
        title="Induction, random tokens",
        reading="1: on a random sequence that is repeated, every token of the second copy attends to "
        "the token that followed it in the first.",
        formula="mean of A[q, q−49] over the second of two copies of 50 random tokens, 4 draws, "
        "after the model’s own first token",
        source="Olsson et al. 2022, “In-context Learning and Induction Heads”",
        range="0 to 1",
        undefined="on cross attention",
    ),
)

BESIDE = (
    Explanation(
        name="head_distance",
        title="Distance of two heads",
        reading="0: both put their weight on the same tokens, query by query. In the distances view "
        "heads with similar attention are near each other.",
        formula="mean over queries of the Jensen–Shannon divergence of the two rows, "
        "½·Σ A ln(A/M) + ½·Σ B ln(B/M) with M = (A + B)/2; points by multidimensional scaling",
        source="Clark et al. 2019, “What Does BERT Look At?”, section 6",
        range="0 to ln 2 = 0.693 nats",
    ),
    Explanation(
        name="pattern_match",
        title="Pattern match",
        reading="How well a head matches your own pattern, a 0/1 matrix D of queries and keys: “mul” "
        "is the share of its weight on the pattern, “abs” how close each cell is to it.",
        formula="mul: Σ A·D / Σ A; abs: 1 − n · mean |A − D| for n keys",
        source="TransformerLens, head_detector",
        range="mul: 0 to 1; abs: up to 1, for an A that is D",
    ),
    Explanation(
        name="norm_weights",
        title="Norm-based weight",
        reading="An option of the map. The size of what a token contributes: a large weight on a short "
        "value vector contributes little, as on many sinks.",
        formula="‖A[q, k] · (x_k W_V + b_V) W_O‖; of a layer’s sum the norm of the sum",
        source="Kobayashi et al. 2020, “Attention is Not Only a Weight”",
        range="0 and up, in units of the residual stream; rows do not sum to 1",
        undefined="after an eager run, which records no values",
    ),
)
