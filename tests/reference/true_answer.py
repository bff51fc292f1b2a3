"""The exact answer to a question by pandas, from both companies' tables side by side: what nobody in the product has.

Frames hold texts only, with a column `key` that says who a row is about. People are reduced by `people_by_pandas`,
joined on the key, and counted or added up per cell, in whole steps of the owner's column.
"""

import math
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

import pandas as pd

from cleanroom.question.columns import Dimension, Hidden, Measure
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms
from tests.reference.people_by_pandas import reduced_people

Cells = dict[tuple[str | None, str | None], int]


def true_answer(
    contract: Terms,
    frames: dict[str, pd.DataFrame],
    asker: str,
    owner: str,
    by: str,
    quantity: Quantity,
    base: str = "match",
) -> Cells:
    """(value that splits, owner's value) -> people or whole steps; every declared value and `other`, in plan order.

    A mean has two parts and no exact number: ask `true_parts`.
    """
    (cells,) = true_parts(contract, frames, asker, owner, by, quantity, base)
    return cells


def true_parts(
    contract: Terms,
    frames: dict[str, pd.DataFrame],
    asker: str,
    owner: str,
    by: str,
    quantity: Quantity,
    base: str = "match",
) -> tuple[Cells, ...]:
    """The exact cells of each part: for a mean the people who have a value, and their steps less the middle's."""
    splitter = asker if base == "match" else owner
    groups, rows = _names(contract, frames, splitter, by), _people(frames[owner])
    people = sorted(set(groups) & rows)
    of, parts = _parts(contract, frames, owner, quantity)
    found = []
    for amounts in parts:
        cells: Counter[tuple[str | None, str | None]] = Counter()
        for key in people:
            if key in amounts:
                word, amount = amounts[key]
                cells[groups[key], word] += amount
        found.append({(group, word): cells[group, word] for group in _groups(contract, splitter, by) for word in of})
    return tuple(found)


Amounts = dict[str, tuple[str | None, int]]


def _parts(
    contract: Terms, frames: dict[str, pd.DataFrame], owner: str, quantity: Quantity
) -> tuple[tuple[str | None, ...], tuple[Amounts, ...]]:
    """The words of a group, and for each part who adds how much to which word; who is missing adds nothing."""
    if quantity.kind == "count":
        return (None,), (dict.fromkeys(_people(frames[owner]), (None, 1)),)
    if quantity.kind == "histogram":
        names = _names(contract, frames, owner, quantity.column)
        return _groups(contract, owner, quantity.column), ({key: (names[key], 1) for key in names},)
    column = _column(contract, owner, quantity.column, Measure)
    found = {key: steps for key, steps in reduced_people(frames[owner], column).items() if steps is not None}
    if quantity.kind == "sum":
        return (None,), ({key: (None, steps) for key, steps in found.items()},)
    if quantity.kind == "mean":
        middle = math.floor((column.low + column.high) / (2 * column.step))
        count: Amounts = dict.fromkeys(found, (None, 1))
        return (None,), (count, {key: (None, steps - middle) for key, steps in found.items()})
    ends = list(pairwise([column.low, *column.edges, column.high]))
    bins = [f"{start} to below {end}" for start, end in ends[:-1]] + ["{} to {}".format(*ends[-1])]
    return tuple(bins), ({key: (bins[_bin(steps * column.step, column)], 1) for key, steps in found.items()},)


def _bin(value: Decimal, column: Measure) -> int:
    return sum(edge <= value for edge in column.edges)


def _columns(contract: Terms, party: str) -> list[Dimension | Measure]:
    columns = next(dataset.columns for name, dataset in contract.datasets.items() if name == party)
    return [column for column in columns if not isinstance(column, Hidden)]


def _people(frame: pd.DataFrame) -> set[str]:
    return {str(key) for key in frame["key"].unique()}


Role = TypeVar("Role", Dimension, Measure)


def _column(contract: Terms, party: str, name: str, kind: type[Role]) -> Role:
    """The column of that name and role: one name can have both."""
    return next(one for one in _columns(contract, party) if one.name == name and isinstance(one, kind))


def _groups(contract: Terms, party: str, name: str) -> tuple[str | None, ...]:
    return (*_column(contract, party, name, Dimension).values, "other") if name else (None,)


def _names(contract: Terms, frames: dict[str, pd.DataFrame], party: str, name: str) -> dict[str, str | None]:
    """Key -> the person's declared value or `other`; None for everyone without a column."""
    if not name:
        return dict.fromkeys(_people(frames[party]))
    groups = _groups(contract, party, name)
    return {
        key: groups[(leaf or 0) - 1]
        for key, leaf in reduced_people(frames[party], _column(contract, party, name, Dimension)).items()
    }
