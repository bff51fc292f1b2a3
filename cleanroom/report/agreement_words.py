"""The terms of a contract in words: for the people who sign it, and for those who ask what a new one changes.

Every term of the contract comes out as a line. Those that this page has no sentence for come out as their own name and
value, so that nothing that is signed stays unseen; keys are shown as the fingerprints that are compared on the
telephone. Two contracts with the same lines are the same agreement, but for the order of columns and values.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cleanroom.answer.result import epsilon_number
from cleanroom.privacy.accountant import accountant
from cleanroom.question.card import auditor_fingerprint
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from cleanroom.wire.contract_file import contract_bytes

ROOM = "the room"
_ROOM_KEYS = {
    "accountant", "auditors", "cards", "coordinator", "datasets", "ends", "follows", "format", "kind", "log_number",
    "profile", "purpose", "quorum", "region", "room", "setups_per_match", "starts", "suite",
}  # fmt: skip
_DATASET_KEYS = {
    "approval", "bases", "cap_units", "capacity", "cells", "columns", "consumer_caps", "display_threshold",
    "fresh_days", "key", "lineage", "overlap", "questions", "questions_each",
}  # fmt: skip
_COLUMN_KEYS = {
    "consumers", "decimals", "edges", "high", "low", "name", "reduction", "role", "step", "unit", "values",
}  # fmt: skip
_PROFILES = {
    "opaque-v1": "the text as it is, without blanks around it",
    "email-plain-v1": "e-mail addresses, whatever their capitals",
    "email-uid2-v1": "e-mail addresses, whatever their capitals, and at gmail.com whatever their dots and +tags",
    "phone-e164-v1": "telephone numbers in international form",
}
_ACCOUNTANTS = {
    "zcdp": "costs add up in rho (zCDP, discrete Gaussian noise); epsilon at delta 1e-9 is a way to read them",
    "pure": "costs add up in epsilon (pure differential privacy, discrete Laplace noise)",
}
_QUORUMS = {
    "asker-owner-and-required-auditors": "asker, owner and every required auditor have cosigned the log with it",
}
_BASES = {"match": "the people that asker and owner share", "table": "all people of the owner"}
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
    body: dict[str, Any] = parse_canonical(contract_bytes(contract))
    return (
        *(Term(ROOM, name, says) for name, says in _room(contract, body)),
        *(
            Term(party, name, says)
            for party in sorted(contract.cards)
            for name, says in (
                ("card", contract.cards[party].fingerprint()),
                *_dataset(body["datasets"][party], contract.accountant),
            )
        ),
    )


def _room(contract: Contract, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "name", contract.room
    yield "purpose", contract.purpose
    yield "parties", ", ".join(sorted(contract.cards))
    yield "validity", _validity(contract.starts, contract.ends)
    region = f", those without a country code of {contract.region}" if contract.region else ""
    yield "one person is", _PROFILES.get(contract.profile, contract.profile) + region
    yield "accountant", _ACCOUNTANTS.get(contract.accountant, contract.accountant)
    yield "segmentations within one match, at most", str(contract.setups_per_match)
    coordinator = contract.coordinator
    yield "coordinator", f"{coordinator.domain} at {coordinator.address}, card {coordinator.fingerprint()}"
    for name, auditor in contract.auditors.items():
        must = "must" if auditor.required else "may"
        card = auditor_fingerprint(name, auditor.key)
        yield f"auditor {name}", f"reads the log, and {must} cosign it; card {card}"
    yield "number of the room's log", str(contract.log_number)
    if contract.follows:
        size, _, root = contract.follows.partition(" ")
        before = contract.log_number - 1
        yield (
            "the log goes on from",
            f"log {before} as it was with {size} entries and the root {root}; no later head of log {before} counts",
        )
    yield "an answer counts when", _QUORUMS.get(contract.quorum, contract.quorum)
    yield "cryptographic suite", contract.suite
    yield from _others(body, _ROOM_KEYS)


def _validity(starts: str, ends: str) -> str:
    if not starts and not ends:
        return "no first and no last day"
    return f"{f'from {starts}' if starts else 'no first day'}, {f'to {ends}' if ends else 'no last day'} (UTC)"


def _dataset(dataset: Mapping[str, Any], currency: str) -> Iterator[tuple[str, str]]:
    overlap = dataset["overlap"]
    yield "people are matched by", " and ".join(dataset["key"])
    yield "shown to others instead of the number of people", str(dataset["capacity"])
    yield (
        "overlaps are shown to the coordinator",
        f"in at most {overlap['matches']} matches, which together hide each person with epsilon"
        f" {_number(overlap['epsilon'])} at delta {_number(overlap['delta'])}",
    )
    for column in dataset["columns"]:
        yield f"{column['role']} {column['name']}", _column(column)
    bases = " or ".join(_BASES.get(base, base) for base in dataset["bases"])
    yield "may be asked", f"{', '.join(dataset['questions'])}; of {bases}"
    yield "numbers in one answer, at most", str(dataset["cells"])
    yield "questions of each asker, at most", str(dataset["questions_each"])
    yield "the budget protects", dataset["lineage"]
    yield "all questions together may cost", _cost(dataset["cap_units"], currency)
    for consumer, cap in dataset["consumer_caps"].items():
        yield f"{consumer} may ask for", _cost(cap, currency)
    yield "approval", _approval(dataset["approval"], currency)
    yield "small counts", _small_counts(dataset["display_threshold"])
    days = dataset["fresh_days"]
    yield "age of the table", f"not asked about when older than {days} days" if days else "any"
    yield from _others(dataset, _DATASET_KEYS)


def _small_counts(threshold: int) -> str:
    if not threshold:
        return "shown like all others"
    return f"noisy counts below {threshold} are shown as under {threshold}; programs get the noisy number"


def _approval(approval: Mapping[str, Any], currency: str) -> str:
    if approval["mode"] == "required":
        return "a person of this company looks at every question first"
    limits = []
    if approval["columns"] is not None:
        limits.append(f"columns other than {', '.join(approval['columns']) or 'none'}")
    if approval["cells"] is not None:
        limits.append(f"more than {approval['cells']} numbers")
    if approval["units_per_question"] is not None:
        limits.append(f"a cost above {_cost(approval['units_per_question'], currency)}")
    if approval["units_per_day"] is not None:
        limits.append(f"a cost of one asker's day above {_cost(approval['units_per_day'], currency)}")
    limits += [f"{name} {says}" for name, says in _others(approval, _APPROVAL_KEYS)]
    return f"a person of this company looks first at: {'; '.join(limits)}" if limits else "not needed"


_APPROVAL_KEYS = {"mode", "columns", "cells", "units_per_question", "units_per_day"}


def _column(column: Mapping[str, Any]) -> str:
    if column["role"] == "hidden":
        return "nobody may ask for it"
    parts = []
    if "values" in column:
        parts.append(f"one of {', '.join(column['values'])}, or other")
    if "low" in column:
        parts.append(
            f"from {column['low']} to {column['high']} {column['unit']} in steps of {column['step']},"
            f" {column['decimals']} digits after the point"
        )
    if column.get("edges"):
        parts.append(f"quantiles between {', '.join(column['edges'])}")
    parts.append(_reduction(column["reduction"]))
    consumers = column["consumers"]
    parts.append(f"for {'everybody with a budget' if consumers is None else ' and '.join(consumers) or 'nobody'}")
    parts += [f"{name} {says}" for name, says in _others(column, _COLUMN_KEYS)]
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


def _others(body: Mapping[str, Any], said: set[str]) -> Iterator[tuple[str, str]]:
    """Terms that have no sentence here yet, as they stand in the contract."""
    for name, value in body.items():
        if name not in said:
            yield name.replace("_", " "), canonical_bytes(value).decode("utf-8")


def _cost(units: str, currency: str) -> str:
    delta = " at delta 1e-9" if currency == "zcdp" else ""
    return f"epsilon {epsilon_number(int(units), accountant(currency)):g}{delta} ({units} units)"


def _number(fraction: str) -> str:
    exact = Fraction(fraction)
    text = f"{float(exact):g}".replace("e-0", "e-")
    return text if Fraction(text) == exact else f"{text} ({fraction})"


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
