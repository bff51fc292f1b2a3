"""A change of keys as the log says it: `key.rotated`, by whoever has new keys, under the contract that brings them.

What counts is the contract that every party signed; the entry tells a reader of the log at which entry the keys
changed. Its subject is that contract's hash, `comes` are keys of its actor there, `goes` those that were before:

    the coordinator   the log's key, as a vkey
    a party           "identity BASE64", "sealing SHA-256 IN HEX", and its cosigning key, as a vkey

A log that follows another, whose key was stolen, begins with the coordinator's `key.rotated`: `follows` holds the head
of the log before that the contract names, so the log says by itself what it goes on from.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from cleanroom.errors import PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.log_policy import cosigner_key, former_head, log_key
from cleanroom.querylog.statement import COORDINATOR, Statement
from cleanroom.question.card import PartyCard
from cleanroom.question.contract import Contract
from cleanroom.transparency.spelling import base64_text

ROTATED = "key.rotated"
MAX_KEYS = 16
MAX_KEY_CHARACTERS = 400


def keys_of(contract: Contract, actor: str) -> tuple[str, ...]:
    """The keys that an actor can rotate, as this contract has them; none for a stranger."""
    if actor == COORDINATOR:
        return (log_key(contract).vkey(),)
    card = contract.cards.get(PartyName(actor))
    return () if card is None else (*card_keys(card), cosigner_key(contract, card.name).vkey())


def card_keys(card: PartyCard) -> tuple[str, str]:
    """Identity and sealing key."""
    return f"identity {base64_text(card.identity)}", f"sealing {sha256(card.sealing).hexdigest()}"


def rotation(contract: Contract, actor: str, *, before: Sequence[str]) -> dict[str, Any] | None:
    """The fields that say how the keys of an actor changed; None when none did."""
    present = keys_of(contract, actor)
    comes = [key for key in present if key not in before]
    return {"comes": comes, "goes": [key for key in before if key not in present]} if comes else None


def check_rotation(statement: Statement, contract: Contract) -> None:
    """Under the present contract: it brings keys that this has, and takes away none of them; raises PeerError."""
    present = keys_of(contract, statement.actor)
    comes, goes = (_keys(statement.body.get(name)) for name in ("comes", "goes"))
    if statement.subject != statement.body["contract"] or not comes or not set(comes) <= set(present):
        raise PeerError("rule rotation: a change of keys brings keys that the contract does not have")
    if set(goes) & set(present):
        raise PeerError("rule rotation: a change of keys takes away a key that the contract has")


def check_beginning(statement: Statement | None, contract: Contract) -> None:
    """The first entry of a log says from which head of the log before it goes on; raises PeerError."""
    head = former_head(contract)
    if head is None:
        return
    if statement is None or (statement.kind, statement.actor) != (ROTATED, COORDINATOR):
        raise PeerError("rule beginning: a log that follows another begins with the coordinator's key.rotated")
    if statement.body.get("follows") != head.text():
        raise PeerError("rule beginning: the log goes on from another head than the one that the parties agreed on")


def _keys(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise PeerError(f"rule rotation: keys are a list of at most {MAX_KEYS}")
    if not all(isinstance(key, str) and len(key) <= MAX_KEY_CHARACTERS for key in value):
        raise PeerError("rule rotation: a key is a short text")
    return value
