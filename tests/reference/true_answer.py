"""The exact answer to a question by pandas, from both companies' tables side by side: what nobody in the product has.

Frames hold texts only, with a column `key` that says who a row is about. People are reduced by `people_by_pandas`,
joined on the key, and counted or added up per cell, in whole steps of the owner's column.
"""

from collections import Counter

import pandas as pd

from cleanroom.question.columns import Dimension, Hidden, Measure
from cleanroom.question.contract import Contract
from cleanroom.question.quantity import Quantity
from tests.reference.people_by_pandas import reduced_people

Cells = dict[tuple[str | None, str | None], int]


def true_answer(
    contract: Contract, frames: dict[str, pd.DataFrame], asker: str, owner: str, by: str, quantity: Quantity
) -> Cells:
    """(asker's value, owner's value) -> people or whole steps; every declared value and `other`, in plan order."""
    categories, rows = _names(contract, frames, asker, by), _people(frames[owner])
    words: dict[str, str | None] = dict.fromkeys(rows)
    amounts = dict.fromkeys(rows, 1)
    of: tuple[str | None, ...] = (None,)
    column = next((one for one in _columns(contract, owner) if one.name == quantity.column), None)
    if isinstance(column, Dimension):
        names = _names(contract, frames, owner, quantity.column)
        words, of = {key: names[key] for key in rows}, (*column.values, "other")
    elif isinstance(column, Measure):
        amounts = {key: steps or 0 for key, steps in reduced_people(frames[owner], column).items()}
    cells: Counter[tuple[str | None, str | None]] = Counter()
    for key in sorted(set(categories) & set(rows)):
        cells[categories[key], words[key]] += amounts[key]
    return {(group, word): cells[group, word] for group in _groups(contract, asker, by) for word in of}


def _columns(contract: Contract, party: str) -> list[Dimension | Measure]:
    columns = next(dataset.columns for name, dataset in contract.datasets.items() if name == party)
    return [column for column in columns if not isinstance(column, Hidden)]


def _people(frame: pd.DataFrame) -> set[str]:
    return {str(key) for key in frame["key"].unique()}


def _dimension(contract: Contract, party: str, name: str) -> Dimension:
    column = next(one for one in _columns(contract, party) if one.name == name)
    assert isinstance(column, Dimension)
    return column


def _groups(contract: Contract, party: str, name: str) -> tuple[str | None, ...]:
    return (*_dimension(contract, party, name).values, "other") if name else (None,)


def _names(contract: Contract, frames: dict[str, pd.DataFrame], party: str, name: str) -> dict[str, str | None]:
    """Key -> the person's declared value or `other`; None for everyone without a column."""
    if not name:
        return dict.fromkeys(_people(frames[party]))
    groups = _groups(contract, party, name)
    return {
        key: groups[(leaf or 0) - 1]
        for key, leaf in reduced_people(frames[party], _dimension(contract, party, name)).items()
    }
