"""One entry of the log as an auditor reads it: what it says, who says so, and why that may be in doubt.

Whose signature must verify stands in the contract that the entry names. An auditor who was not given that contract
checks the signature with the actor's key in another one of the room and is told that the terms are unknown; an entry
that is no statement at all is an event without a kind. Nothing here raises: a log is read to its end.

What is found to be wrong is not believed: it counts as nobody's word. What could not be checked is, with its doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cleanroom.errors import CleanroomError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import open_statement, peek_statement
from cleanroom.querylog.statement import verify_statement
from cleanroom.question.contract import Contract

UNCHECKED = "no agreement was given, so no party's signature was checked"


@dataclass(frozen=True, slots=True)
class Event:
    """Entry `index` (from 0). `doubt` is empty when kind, fields and signature are right under the contract it names.

    `believed` is False when something of it is wrong. A text field that an entry lacks, or that is of another type,
    reads as ''.
    """

    index: int
    doubt: str
    believed: bool
    body: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field of the body that is text."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    @property
    def kind(self) -> str:
        """One of `statement.KINDS`, where there is no doubt."""
        return self.text("kind")

    @property
    def actor(self) -> str:
        """The party that made the statement, or "coordinator"."""
        return self.text("actor")

    @property
    def at(self) -> str:
        """When its actor says it was made (UTC, YYYY-MM-DDTHH:MM:SSZ)."""
        return self.text("at")

    @property
    def subject(self) -> str:
        """What it is about: a plan's hash, a match's id, a contract's hash."""
        return self.text("subject")

    @property
    def contract(self) -> str:
        """The hash of the terms under which it was said, hex."""
        return self.text("contract")


def read_event(index: int, entry: bytes, terms: Mapping[str, Contract]) -> Event:
    """The event in an entry; `terms` are contracts of signed agreements by their hash in hex."""
    try:
        body = peek_statement(entry)
    except CleanroomError as error:
        return Event(index, f"it is not a statement: {error}", believed=False)
    event = Event(index, UNCHECKED, believed=True, body=body)
    if not terms:
        return event
    contract = terms.get(event.contract)
    if contract is None:
        return Event(index, _of_unknown_terms(event, entry, terms), believed=True, body=body)
    try:
        verify_statement(entry, contract, bytes.fromhex(event.contract))
    except CleanroomError as error:
        return Event(index, str(error), believed=False, body=body)
    return Event(index, "", believed=True, body=body)


def _of_unknown_terms(event: Event, entry: bytes, terms: Mapping[str, Contract]) -> str:
    named = event.contract[:12] or "that it does not name"
    for contract in terms.values():
        card = contract.cards.get(PartyName(event.actor))
        if card is None:
            continue
        try:
            open_statement(event.kind, entry, card.identity)
        except CleanroomError:
            continue
        return f"{event.actor} signed it, but under terms {named}, whose agreement was not given"
    return f"it stands under terms {named}, whose agreement was not given, and its signature could not be checked"
