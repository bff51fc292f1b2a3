"""What the own node says about the room, as sheets: budgets, every owner's rules, and the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cleanroom.catalogue.catalogue import CATALOGUE
from cleanroom.catalogue.entry import Entry
from cleanroom.client.sheet import Sheet, Value

Body = Mapping[str, Any]

_KNOWN = {"receipt": "the owner's receipt", "cap": "the cap: nothing was asked yet"}


def budget_sheet(body: Body) -> Sheet:
    """What is left at each owner, read as epsilon; `left_rho` is what adds up, empty in a pure room."""
    rows = tuple(
        (
            line["owner"],
            *(_number(line[name]["epsilon"]) for name in ("cap", "spent", "left")),
            line["left"]["rho"],
            _number(line["questions"]),
            _number(line["open_questions"]),
            _KNOWN[line["known_from"]],
            line["as_of"],
        )
        for line in body["owners"]
    )
    delta = f" at delta {body['delta']:g}" if body["delta"] else ""
    columns = ("owner", "cap", "spent", "left", "left_rho", "questions", "open_questions", "known_from", "as_of")
    title = f"what {body['party']} has left, as epsilon{delta}"
    return Sheet(title, columns, rows, {"party": body["party"]}, frozenset({"questions", "open_questions"}))


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """All owners' rules of the room; `raw` is their JSON."""

    raw: Body

    @property
    def owners(self) -> Sheet:
        """One row an owner: what it allows at all."""
        columns = (
            *("owner", "may_ask", "budget", "questions", "over", "cells", "questions_each"),
            *("display_threshold", "fresh_days", "approval"),
        )
        whole = ("cells", "questions_each", "display_threshold", "fresh_days")
        rows = tuple(
            (
                one["owner"],
                one["may_ask"],
                _number(one["budget"]["epsilon"]) if one["budget"] else None,
                ", ".join(one["questions"]),
                ", ".join(one["over"]),
                *(_number(one[name]) for name in whole),
                approval_words(one["approval"]),
            )
            for one in self.raw["owners"]
        )
        title = f"room {self.raw['room']}: what owners allow {self.raw['party']}; budgets as epsilon"
        return Sheet(title, columns, rows, {"room": self.raw["room"]}, frozenset(whole))

    @property
    def columns(self) -> Sheet:
        """One row a column: the own ones, which questions may be split by, then every owner's."""
        title = "columns: the own ones to split by, the owners' to ask for"
        parties = [(self.raw["party"], self.raw["own"])]
        parties += [(one["owner"], one["columns"]) for one in self.raw["owners"]]
        rows = tuple(
            (party, column["column"], column["role"], column["may_ask"], column.get("unit"), _range(column))
            for party, columns in parties
            for column in columns
        )
        return Sheet(title, ("party", "column", "role", "may_ask", "unit", "values"), rows, {"room": self.raw["room"]})

    def __repr__(self) -> str:
        return f"{self.owners!r}\n\n{self.columns!r}"

    def _repr_html_(self) -> str:
        return f"{self.owners._repr_html_()}{self.columns._repr_html_()}"


def catalogue_sheet() -> Sheet:
    """One row a question of the catalogue."""
    rows = tuple(
        (entry.name, _number(entry.version), entry.says, ", ".join(parameter_words(entry)), entry.sentence)
        for entry in CATALOGUE.values()
    )
    title = "questions of the catalogue; a parameter in brackets may be left out"
    return Sheet(title, ("question", "version", "says", "parameters", "example"), rows, {}, frozenset({"version"}))


def parameter_words(entry: Entry) -> Iterator[str]:
    """Each parameter's name, in brackets where it may be left out, with dots where it may be given many times."""
    for parameter in entry.parameters:
        word = f"{parameter.name}…" if parameter.repeated else parameter.name
        yield word if parameter.required else f"[{word}]"


def _number(value: float) -> Fraction:
    return Fraction(repr(value))


def approval_words(body: Body) -> Value:
    """When an approver must look at a question first."""
    if body["mode"] == "required":
        return "always"
    limits = [f"beyond {body['cells']} cells"] if body["cells"] is not None else []
    limits += [f"beyond columns {', '.join(body['columns'])}"] if body["columns"] is not None else []
    limits += [
        f"beyond epsilon {body[f'per_{name}']['epsilon']:g} a {name}"
        for name in ("question", "day")
        if body[f"per_{name}"]
    ]
    return "; ".join(limits) or "never"


def _range(column: Body) -> Value:
    if column["role"] == "hidden":
        return None
    if column["role"] == "dimension":
        return ", ".join(column["values"])
    edges = f", edges {', '.join(f'{edge:g}' for edge in column['edges'])}" if column["edges"] else ""
    return f"{column['low']:g} to {column['high']:g}, step {column['step']:g}{edges}"
