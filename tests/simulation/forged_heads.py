"""Heads of an owner's ledger that the owner never signed: what somebody else would say of one consumer's chain."""

from typing import Any

from cleanroom.ids import PartyName
from cleanroom.querylog.ledger_head import KIND, LedgerHead
from cleanroom.querylog.salted_tree import include
from cleanroom.question.contract import Contract
from cleanroom.wire.contract_file import contract_hash


def forged_head(contract: Contract, *, owner: str, consumer: str, subject: str) -> dict[str, Any]:
    """The body of a head that fits the room in everything but its signature, with far more entries than there are."""
    lineage = contract.datasets[PartyName(owner)].lineage
    head = LedgerHead(contract.room, lineage, consumer, subject, entries=99, head="ab" * 32, spent=2**40, matches=3)
    root, proof = include({consumer.encode(): head.content()}, consumer.encode(), secret=bytes(32), nonce=bytes(32))
    return {
        "actor": owner,
        "at": "2026-01-02T03:04:05Z",
        "contract": contract_hash(contract).hex(),
        "kind": KIND,
        "room": contract.room,
        "subject": subject,
        "v": 1,
        **head.fields(root, proof),
    }
