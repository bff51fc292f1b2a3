"""The terms of a contract in words: for the people who sign it, and for those who ask what a new one changes.

Every term of the contract comes out as one line, those that this page has no sentence for as their own name and value,
so that nothing that is signed stays unseen; keys are shown as the fingerprints that are compared on the telephone.
Two contracts with the same lines are the same agreement.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cleanroom.answer.result import epsilon_number
from cleanroom.privacy.accountant import accountant
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import parse_canonical
from cleanroom.wire.contract_file import contract_bytes

ROOM = "the room"
_UNSAID = {"cards", "coordinator", "datasets", "kind", "format", "profile", "region"}
_NAMES = {
    "setups_per_match": "segmentations within one match, at most",
    "lineage": "the budget protects",
    "key": "people are matched by",
    "capacity": "shown to others instead of the number of people",
    "cap_units": "all questions together may cost",
}
_PROFILES = {
    "opaque-v1": "the text as it is, without blanks around it",
    "email-plain-v1": "e-mail addresses, whatever their capitals",
    "email-uid2-v1": "e-mail addresses, whatever their capitals, and at gmail.com whatever their dots and +tags",
    "phone-e164-v1": "telephone numbers in international form",
}
_REDUCTIONS = {
    "last": "the latest",
    "most_frequent": "the most frequent",
    "any": "whether there is any row",
    "sum": "the sum of",
    "max": "the largest",
    "count": "the number of rows",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the agreement: whose it is (the room's or a party's), what it is about, what it says."""

    place: str
    name: str
    says: str


def terms(contract: Contract) -> tuple[Term, ...]:
    """Every term, the room's first, then each party's in order of name."""
    return tuple(_terms(contract))


def _terms(contract: Contract) -> Iterator[Term]:
    body: dict[str, Any] = parse_canonical(contract_bytes(contract))
    yield Term(ROOM, "name", contract.room)
    yield Term(ROOM, "purpose", contract.purpose)
    yield Term(ROOM, "parties", ", ".join(sorted(contract.cards)))
    region = f", numbers without a country code are of {contract.region}" if contract.region else ""
    yield Term(ROOM, "one person is", _PROFILES.get(contract.profile, contract.profile) + region)
    for name, value in body.items():
        if name not in _UNSAID and name not in ("room", "purpose"):
            yield from _plain(ROOM, name, value)
    coordinator = contract.coordinator
    yield Term(ROOM, "coordinator", f"{coordinator.domain} at {coordinator.address}, card {coordinator.fingerprint()}")
    for party in sorted(contract.cards):
        yield Term(party, "card", contract.cards[party].fingerprint())
        yield from _dataset(party, body["datasets"][party])


def _dataset(party: str, dataset: Mapping[str, Any]) -> Iterator[Term]:
    for name, value in dataset.items():
        if name == "columns":
            for column in value:
                yield Term(party, f"column {column['name']}", _column(column))
        elif name == "consumer_caps":
            for consumer, cap in value.items():
                yield Term(party, f"{consumer} may ask for", _cost(cap))
        elif name == "cap_units":
            yield Term(party, _NAMES[name], _cost(value))
        elif name == "overlap":
            yield Term(
                party,
                "overlaps are shown to the coordinator",
                f"in at most {value['matches']} matches, which together hide each person with epsilon"
                f" {_number(value['epsilon'])} at delta {_number(value['delta'])}",
            )
        else:
            yield from _plain(party, name, value)


def _column(column: Mapping[str, Any]) -> str:
    said = {"name", "role", "reduction", "values", "low", "high", "step", "unit", "decimals"}
    parts = [column["role"]]
    if "values" in column:
        parts.append(f"one of {', '.join(column['values'])}, or other")
    if "low" in column:
        parts.append(
            f"from {column['low']} to {column['high']} {column['unit']} in steps of {column['step']},"
            f" {column['decimals']} digits after the point"
        )
    if "reduction" in column:
        parts.append(_reduction(column["reduction"]))
    parts += [f"{name} {_value(column[name])}" for name in column if name not in said]
    return "; ".join(parts)


def _reduction(reduction: Mapping[str, Any]) -> str:
    text = _REDUCTIONS.get(reduction["kind"], reduction["kind"])
    if reduction["source"]:
        text += f" `{reduction['source']}`"
    if reduction["order_by"]:
        text += f" by `{reduction['order_by']}` written {reduction['date_format']}"
    for name, values in reduction["where"].items():
        text += f", of rows whose `{name}` is {' or '.join(values)}"
    return f"a person's value is {text}"


def _plain(place: str, name: str, value: Any) -> Iterator[Term]:
    """A term as it stands in the contract; what is inside it, line by line."""
    label = _NAMES.get(name, name.replace("_", " "))
    if isinstance(value, dict):
        for inner in value:
            yield from _plain(place, f"{name} {inner}", value[inner])
        if not value:
            yield Term(place, label, "none")
    else:
        yield Term(place, label, _value(value))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{name} {_value(item)}" for name, item in value.items()) or "none"
    return str(value) or "none"


def _cost(units: str) -> str:
    return f"epsilon {epsilon_number(int(units), accountant('zcdp')):g} at delta 1e-9 ({units} units)"


def _number(fraction: str) -> str:
    numerator, denominator = fraction.split("/")
    return numerator if denominator == "1" else f"{int(numerator) / int(denominator):g}".replace("e-0", "e-")


def lines(contract: Contract) -> list[str]:
    """The terms as a page: a heading for the room and each party, and a line a term."""
    page: list[str] = []
    place = ""
    for term in terms(contract):
        if term.place != place:
            place = term.place
            page += [*([""] if page else []), place]
        page.append(f"  {term.name}: {term.says}")
    return page


def changes(old: Contract, new: Contract, *, formerly: str = "it was") -> list[str]:
    """What the new contract says otherwise, term by term, in the new one's order; empty when it is the same."""
    before, after = _by_place(terms(old)), _by_place(terms(new))
    found = []
    for place, name in [*after, *(key for key in before if key not in after)]:
        earlier, later = before.get((place, name)), after.get((place, name))
        if earlier is None:
            found.append(f"{place}: {name}: new: {later}")
        elif later is None:
            found.append(f"{place}: {name}: no longer; {formerly}: {earlier}")
        elif earlier != later:
            found.append(f"{place}: {name}: {later}; {formerly}: {earlier}")
    return found


def _by_place(found: Iterable[Term]) -> dict[tuple[str, str], str]:
    return {(term.place, term.name): term.says for term in found}
