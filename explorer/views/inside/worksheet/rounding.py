"""One query's row as an exercise: what is printed of it, and by how much rounding may miss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from explorer.records import FloatArray, IntArray, QueryRow
from explorer.views.inside.worksheet.compute import softmax_input

MOST_KEYS = 12
DIMENSIONS = 4
DIGITS = range(1, 7)


@dataclass(frozen=True)
class Misses:
    """How far a pupil's results are from the model's, when every number is rounded on the way.

    Attributes:
        products: largest difference of a q·k.
        weights: largest difference of a weight.
        output: largest difference of a printed dimension of the output.
        total: what the model's own weights add up to, each rounded.
    """

    products: float
    weights: float
    output: float
    total: float


@dataclass(frozen=True)
class Worksheet:
    """What is printed of a row: P keys, the first dimensions, and the rest as sums.

    Attributes:
        row: where all numbers come from.
        digits: decimals.
        printed: which keys have a row of their own [P], in the text's order.
        others: the allowed keys that have none.
        dims: how many dimensions of queries and keys are printed, ``value_dims`` of values.
        first: q·k over the printed dimensions [P].
        rest: q·k over the others [P], as it is given.
        largest: the largest score, which is taken from every score.
        others_exponential: sum of the others' exponentials.
        others_value: their mean value, by weight [value_dims]; as if they were one key.
    """

    row: QueryRow
    digits: int
    printed: IntArray
    others: IntArray
    dims: int
    value_dims: int
    first: FloatArray
    rest: FloatArray
    largest: float
    others_exponential: float
    others_value: FloatArray

    @property
    def forbidden(self) -> IntArray:
        """The keys that the query may not see."""
        return np.flatnonzero(~self.row.parts.allowed)

    @property
    def total(self) -> float:
        """Sum of all exponentials, the learned sink's with them."""
        return float(np.nansum(self.row.exponentials) + self.row.sink_exponential)

    @property
    def misses(self) -> Misses:
        """By how much results worked out from the printed numbers miss the model's."""
        return _misses(self)


def check_digits(digits: int) -> None:
    """Refuse what no page has room for.

    Raises:
        ValueError: less than 1 decimal, or more than 6.
    """
    if digits not in DIGITS:
        raise ValueError(f"digits {digits} is out of range: choose {DIGITS[0]} to {DIGITS[-1]} decimals")


def worksheet(row: QueryRow, digits: int = 2, most: int = MOST_KEYS) -> Worksheet:
    """Choose what is printed: the heaviest keys, and of each the first dimensions.

    Args:
        row: one query of one head.
        digits: decimals, 1 to 6.
        most: of more keys, these many with the largest weights have a row of their own.

    Raises:
        ValueError: digits out of range, or a query that may see no key.
    """
    check_digits(digits)
    seen = np.flatnonzero(row.parts.allowed)
    if not len(seen):
        raise ValueError(f"query {row.query} may see no key: there is nothing to work out")
    heaviest = seen[np.argsort(-row.weights[seen], kind="stable")]
    printed, others = np.sort(heaviest[:most]), np.sort(heaviest[most:])
    dims, value_dims = (min(DIMENSIONS, vectors.shape[1]) for vectors in (row.k, row.v))
    weights = row.weights[others]
    mean = weights @ row.v[others, :value_dims] / (weights.sum() or 1.0)
    sink = [] if row.parts.sink is None else [row.parts.sink]
    return Worksheet(
        row=row,
        digits=digits,
        printed=printed,
        others=others,
        dims=dims,
        value_dims=value_dims,
        first=row.k[printed, :dims] @ row.q[:dims],
        rest=row.k[printed, dims:] @ row.q[dims:],
        largest=float(max([*row.scaled[seen].tolist(), *sink])),
        others_exponential=float(row.exponentials[others].sum()),
        others_value=mean,
    )


def _misses(sheet: Worksheet) -> Misses:
    """Do the exercise with the printed numbers, rounding after each step."""
    row, printed = sheet.row, sheet.printed

    def rounded(values: FloatArray | float) -> FloatArray:
        return np.round(np.asarray(values, dtype=np.float64), sheet.digits)

    q, k = rounded(row.q[: sheet.dims]), rounded(row.k[printed, : sheet.dims])
    products = rounded(k @ q + rounded(sheet.rest))
    bias = row.parts.bias
    given = replace(row.parts, bias=None if bias is None else rounded(bias[printed]))
    scores = rounded(softmax_input(products, given))
    sink = [] if row.parts.sink is None else [float(rounded(row.parts.sink))]
    largest = max([*scores.tolist(), *sink])
    powers, rest = rounded(np.exp(scores - largest)), rounded(sheet.others_exponential)
    total = powers.sum() + rest + sum(rounded(np.exp(one - largest)) for one in sink)
    weights, others = rounded(powers / total), rounded(rest / total)
    values = rounded(row.v[printed, : sheet.value_dims])
    output = weights @ values + others * rounded(sheet.others_value)
    others_weight = row.weights[sheet.others].sum()
    told = [*row.weights[printed], others_weight, row.sink_exponential / sheet.total]
    return Misses(
        products=float(np.abs(products - row.products[printed]).max()),
        weights=float(np.abs(weights - row.weights[printed]).max()),
        output=float(np.abs(output - row.output[: sheet.value_dims]).max()),
        total=float(rounded(np.array(told)).sum()),
    )
