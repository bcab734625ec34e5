"""One query's row as an exercise: what is printed, and the errors that rounding causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from explorer.records import FloatArray, IntArray, QueryRow
from explorer.views.inside.worksheet.compute import softmax_input

MOST_KEYS = 12
DIMENSIONS = 4
DIGITS = range(1, 7)


class RoundingErrors(NamedTuple):
    """The largest differences between results worked out from rounded numbers and the model's."""

    products: float
    weights: float
    output: float  # over the printed dimensions


@dataclass(frozen=True)
class Worksheet:
    """What is printed of a row: P keys, the first dimensions, and the rest as sums.

    Attributes:
        digits: decimals.
        printed: the keys that have a row [P], in the text's order.
        others: the allowed keys that have none.
        dims: how many dimensions of queries and keys are printed, ``value_dims`` of values.
        first: q·k over the printed dimensions [P].
        rest: q·k over the others [P].
        largest: the largest score, which is subtracted from every score.
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

    def rounded(self, values: FloatArray | float) -> FloatArray:
        """Values as they are printed."""
        return np.round(np.asarray(values, dtype=np.float64), self.digits)


def check_digits(digits: int) -> None:
    """Check the number of decimals.

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
        most: how many keys, those with the largest weights, have a row.

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


def rounding_errors(sheet: Worksheet) -> RoundingErrors:
    """Do the exercise with the printed numbers, rounding after each step."""
    row, printed, rounded = sheet.row, sheet.printed, sheet.rounded
    q, k = rounded(row.q[: sheet.dims]), rounded(row.k[printed, : sheet.dims])
    products = rounded(k @ q + rounded(sheet.rest))
    bias = row.parts.bias
    parts = replace(row.parts, bias=None if bias is None else rounded(bias[printed]))
    scores = rounded(softmax_input(products, parts))
    sink = [] if row.parts.sink is None else [float(rounded(row.parts.sink))]
    largest = max([*scores.tolist(), *sink])
    exponentials, rest = rounded(np.exp(scores - largest)), rounded(sheet.others_exponential)
    total = exponentials.sum() + rest + sum(rounded(np.exp(one - largest)) for one in sink)
    weights, others = rounded(exponentials / total), rounded(rest / total)
    output = weights @ rounded(row.v[printed, : sheet.value_dims]) + others * rounded(sheet.others_value)
    return RoundingErrors(
        products=float(np.abs(products - row.products[printed]).max()),
        weights=float(np.abs(weights - row.weights[printed]).max()),
        output=float(np.abs(output - row.output[: sheet.value_dims]).max()),
    )


def rounded_total(sheet: Worksheet) -> float:
    """The sum of the model's own weights, each rounded."""
    row = sheet.row
    weights = [*row.weights[sheet.printed], row.weights[sheet.others].sum(), row.sink_exponential / sheet.total]
    return float(sheet.rounded(np.array(weights)).sum())
