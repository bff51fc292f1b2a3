"""A question in its own words, without the catalogue: what is counted or added up, split by what, over whom."""

from collections.abc import Mapping
from typing import Any

from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted
from cleanroom.question.quantity import Quantity

_QUANTITIES = {"of": "histogram", "sum": "sum", "mean": "mean", "quantile": "quantile"}
_WORDS = ("by", *_QUANTITIES, "at", "top", "whole_table")


def plain_words(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A plan's words and what is read off its answer, as the node's door takes them; raises UsageError."""
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
