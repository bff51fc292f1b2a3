"""One row per person by pandas and Python's own numbers and dates: slow, plain, and independent of DuckDB.

The frame holds texts only, with the normalised match key in the column `key`; rows of people who opted out and rows
without a key are gone already.
"""

import re
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

import pandas as pd

from cleanroom.question.columns import Asked, Dimension, Measure


def reduced_people(frame: pd.DataFrame, column: Asked) -> dict[str, int | None]:
    """Key -> leaf number of a dimension, or whole steps of a measure; None for no value of a measure."""
    kept = frame
    for source, texts in column.reduction.where.items():
        kept = kept[kept[source].isin(texts)]
    found = _leaves(kept, column) if isinstance(column, Dimension) else _steps(kept, column)
    return {key: found.get(key, _without_rows(column)) for key in frame["key"].unique()}


def _without_rows(column: Asked) -> int | None:
    if isinstance(column, Measure):
        return None
    return 2 if column.reduction.kind == "any" else len(column.values) + 1


def _leaves(rows: pd.DataFrame, column: Dimension) -> dict[str, int]:
    rule = column.reduction
    if rule.kind == "any":
        return dict.fromkeys(rows["key"], 1)
    present = rows[rows[rule.source] != ""]
    best = _most_frequent(present, rule.source) if rule.kind == "most_frequent" else _last(present, column)
    leaf = {value: at for at, value in enumerate(column.values, start=1)}
    return {key: leaf.get(text, len(column.values) + 1) for key, text in best.items()}


def _steps(rows: pd.DataFrame, column: Measure) -> dict[str, int]:
    rule = column.reduction
    amounts: dict[str, Decimal] = {}
    if rule.kind == "count":
        amounts = {str(key): Decimal(len(group)) for key, group in rows.groupby("key")["key"]}
    else:
        numeric = [read_number(text, column.decimals) is not None for text in rows[rule.source]]
        readable = rows[pd.Series(numeric, index=rows.index, dtype=bool)]
        if rule.kind == "last":
            amounts = {key: Decimal(text) for key, text in _last(readable, column).items()}
        else:
            for key, group in readable.groupby("key")[rule.source]:
                numbers = list(map(Decimal, group))
                amounts[str(key)] = max(numbers) if rule.kind == "max" else sum(numbers, Decimal(0))
    return {str(key): _on_grid(amount, column) for key, amount in amounts.items()}


def _most_frequent(rows: pd.DataFrame, source: str) -> dict[str, str]:
    counts = rows.groupby(["key", source]).size().reset_index(name="rows")
    ranked = counts.sort_values(["key", "rows", source], ascending=[True, False, True])
    return _first_of_each(ranked, source)


def _last(rows: pd.DataFrame, column: Asked) -> dict[str, str]:
    rule = column.reduction
    days = [read_date(text, rule.date_format) for text in rows[rule.order_by]]
    seconds = [-1.0 if day is None else (day - datetime.min).total_seconds() for day in days]
    dated = rows.assign(ordinal=pd.Series(seconds, index=rows.index, dtype=float))
    ranked = dated[dated["ordinal"] >= 0].sort_values(["key", "ordinal", rule.source], ascending=[True, False, True])
    return _first_of_each(ranked, rule.source)


def _first_of_each(ranked: pd.DataFrame, source: str) -> dict[str, str]:
    firsts = ranked.drop_duplicates("key")
    return dict(zip(firsts["key"], firsts[source], strict=True))


def read_date(text: str, date_format: str) -> datetime | None:
    """Python's strptime, from the year 1000 on."""
    try:
        day = datetime.strptime(text, date_format)
    except ValueError:
        return None
    return day if day.year >= 1000 else None


def read_number(text: str, decimals: int) -> Decimal | None:
    """A sign, digits, a point and at most so many digits; up to 18 digits before the point, zeros in front aside."""
    match = re.fullmatch(r"[+-]?0*([0-9]{1,18})(?:\.([0-9]+))?", text)
    if match is None or len(match[2] or "") > decimals:
        return None
    return Decimal(text)


def _on_grid(amount: Decimal, column: Measure) -> int:
    clamped = min(max(amount, column.low), column.high)
    return int((clamped / column.step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
