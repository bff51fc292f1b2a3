"""What an analyst typed in Python, as the own node's door and the catalogue take it: texts, and exact numbers.

A float is read by the digits that a person would have typed, so 0.1 is a tenth; so is one that comes out of a data
frame, which prints otherwise.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Integral
from typing import Any, TypeGuard

from cleanroom.catalogue.entry import Values
from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted
from cleanroom.question.quantity import Quantity

_QUANTITIES = {"of": "histogram", "sum": "sum", "mean": "mean", "quantile": "quantile"}
Number = str | int | float | Decimal
_WORDS = ("by", *_QUANTITIES, "at", "top", "whole_table")


def plain_words(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A question without the catalogue: its plan's words, and what is read off its answer; raises UsageError."""
    for name in values:
        if name not in _WORDS:
            raise UsageError(f"a question has no {quoted(name)}; {meant(name, _WORDS)}it may have: {listed(_WORDS)}")
    asked = [Quantity(kind, _text(word, values)) for word, kind in _QUANTITIES.items() if _text(word, values)]
    if len(asked) > 1:
        raise UsageError("of, sum, mean and quantile exclude each other: ask once for each")
    quantity = asked[0] if asked else Quantity("count")
    whole_table, top = values.get("whole_table", False), values.get("top") or 0
    if type(whole_table) is not bool or type(top) is not int:
        raise UsageError("whole_table is true or false, top a whole number")
    plan = {
        "by": _text("by", values),
        "quantity": quantity.kind,
        "column": quantity.column,
        "base": "table" if whole_table else "match",
    }
    return plan, {"at": _text("at", values), "top": top}


def _text(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name) or ""
    if not isinstance(value, str):
        raise UsageError(f"{name} is text")
    return value


def entry_words(values: Mapping[str, Any]) -> Values:
    """Parameters of a question of the catalogue, which are texts: a number becomes its digits, pairs `name=value`.

    Raises UsageError.
    """
    return {name: _texts(name, value) for name, value in values.items() if value is not None}


def price(name: str, value: Number | None) -> str:
    """Epsilon or accuracy as the door takes it; empty where there is none; raises UsageError."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if not _is_number(value):
        raise UsageError(f'{name} is a number, such as "1" or "0.5"')
    return _digits(value)


def _texts(name: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if _is_number(value):
        return _digits(value)
    if isinstance(value, Mapping):
        return tuple(f"{key}={_texts(name, one)}" for key, one in value.items())
    if isinstance(value, Sequence) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise UsageError(f"{name} is text, a number, a list of texts, or names with their values")


def _is_number(value: object) -> TypeGuard[Integral | float | Decimal]:
    return isinstance(value, Integral | float | Decimal) and not isinstance(value, bool)


def _digits(value: Integral | float | Decimal) -> str:
    """All digits, without an exponent."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return format(Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(int(value)), "f")
