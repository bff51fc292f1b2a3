"""An entry of the catalogue: a question in words that marketers know, which plans it becomes, and how they are read.

An entry turns a request into one or more `Ask`s, each of which is one plan that the room's nodes answer as ever, and
the answers into a `Finding`. It decides nothing about privacy: what an `Ask` costs and whether it may be asked is for
the owner's node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from cleanroom.catalogue.finding import Finding
from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from cleanroom.nearest import listed, meant, quoted
from cleanroom.question.quantity import BASES, Quantity
from cleanroom.question.shape import Terms
from cleanroom.report.answer import Answer

Values = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A word of the question that the asker chooses; `says` is for people. A repeated one may be given many times."""

    name: str
    says: str
    required: bool = True
    default: str = ""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """One plan. `by` is empty where nobody is split; `share` is the share of the units that epsilon buys."""

    by: str
    quantity: Quantity
    base: str = "match"
    share: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.base not in BASES:
            raise ValueError(f"a base is one of {', '.join(BASES)}")
        if not 0 < self.share <= 1:
            raise ValueError("a share of the units is above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks whom, with every parameter of the entry; made by `request`."""

    asker: PartyName
    owner: PartyName
    values: Values

    def text(self, name: str) -> str:
        """The value of a parameter that is given once; empty where it was left out."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ", ".join(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of a parameter, in the order given; none where it was left out."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else (value,) if value else ()


@dataclass(frozen=True, slots=True)
class Own:
    """What the asker knows of itself, exactly: how many people its own table has. None where it was not said."""

    people: int | None = None


class Entry(Protocol):
    """One question of the catalogue. `says` describes it, `sentence` is an example of what it answers."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def says(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """The plans; shares add up to at most 1. Raises UsageError in one line for parameters that do not fit."""

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """What the answers to `asks` say, in the same order."""


def request(terms: Terms, entry: Entry, asker: str, owner: str, values: Values) -> Request:
    """A request with every parameter of the entry, defaults filled in; raises UsageError in one line.

    Whether a column exists is the entry's to say (`asks`): it knows whose it is and in which role.
    """
    for party in (asker, owner):
        if party not in terms.datasets:
            raise UsageError(
                f"there is no party {quoted(party)} in room {terms.room};"
                f" {meant(party, terms.datasets)}parties: {listed(terms.datasets)}"
            )
    if asker == owner:
        raise UsageError("asker and owner must be two different parties")
    names = [parameter.name for parameter in entry.parameters]
    for name in values:
        if name not in names:
            raise UsageError(
                f"{entry.name} has no parameter {quoted(name)}; {meant(name, names)}its parameters: {listed(names)}"
            )
    given = {parameter.name: _given(entry, parameter, values) for parameter in entry.parameters}
    return Request(PartyName(asker), PartyName(owner), given)


def _given(entry: Entry, parameter: Parameter, values: Values) -> str | tuple[str, ...]:
    value = values.get(parameter.name, ())
    texts = (value,) if isinstance(value, str) else tuple(value)
    texts = tuple(text for text in texts if text)
    if not texts and parameter.required:
        raise UsageError(f"{entry.name} needs {parameter.name}: {parameter.says}")
    if parameter.repeated:
        return texts or ((parameter.default,) if parameter.default else ())
    if len(texts) > 1:
        raise UsageError(f"{entry.name} takes one {parameter.name}; {len(texts)} were given")
    return texts[0] if texts else parameter.default
