"""What an analyst's program may know of its own company and of the room: for askers, at the own node's door.

own        the contract, word for word, and how many people the own table has. The number is exact and the company's
           own; it leaves the node for this company's analysts alone.
settings   every owner's rules in one answer, and what of it this company may ask.
budget     what this company has left at each owner: as its newest receipt and its own open questions say, or the cap
           where the owner has said nothing yet.
"""

from typing import Any

from cleanroom.answer.result import amount
from cleanroom.answer.rules import rules_body
from cleanroom.privacy.accountant import accountant
from cleanroom.wire.contract_file import contract_bytes, contract_hash
from parties.desk import Desk
from parties.door import Command, Progress
from parties.dry_running import own_record
from parties.node import Node
from parties.settings import Analyst

ROLE = "asker"


def view_commands(node: Node) -> dict[str, tuple[str, Command]]:
    """The three commands of the module."""
    desk = node.desk

    def own(_analyst: Analyst, _request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        return {
            "party": desk.name,
            "people": node.call(lambda: node.people.table(node.people.require().id).num_rows),
            "contract": contract_bytes(desk.contract).decode("utf-8"),
            "contract_hash": contract_hash(desk.contract).hex(),
        }

    def settings(_analyst: Analyst, _request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        return rules_body(desk.contract, desk.name)

    def budget(_analyst: Analyst, _request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        return node.call(lambda: budget_body(desk))

    return {"own": (ROLE, own), "settings": (ROLE, settings), "budget": (ROLE, budget)}


def budget_body(desk: Desk) -> dict[str, Any]:
    """What is left for us at every owner that grants us something; the caller holds a transaction."""
    of, lines = accountant(desk.contract.accountant), []
    for owner, dataset in desk.contract.datasets.items():
        cap = dataset.consumer_caps.get(desk.name)
        if cap is None:
            continue
        record = own_record(desk, owner)
        lines.append(
            {
                "owner": owner,
                "cap": amount(cap, of),
                "spent": amount(record.units, of),
                "left": amount(max(0, cap - record.units), of),
                "questions": record.questions,
                "questions_each": dataset.questions_each,
                "open_questions": record.open_questions,
                "known_from": "receipt" if record.as_of else "cap",
                "as_of": record.as_of or None,
            }
        )
    return {"party": desk.name, "accountant": desk.contract.accountant, "delta": float(of.delta), "owners": lines}
