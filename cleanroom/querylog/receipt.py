"""The receipt of an answer: checked by the analyst's own tool before it shows a number, and written as one file.

An answer carries the owner's signed `answer.released` statement as it stands in the log, the log's proof of it, and
the policy that says whose cosignatures that proof needs. The proof must hold under that policy, the policy must need
asker and owner, and the statement must be about this very question.

Not checked here: who signed the statement (the node did, with the owner's key from the contract), and that the numbers
are those that it covers (only the node could open them).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cleanroom.errors import CleanroomError, PeerError
from cleanroom.querylog.dsse import peek_statement, strict_base64
from cleanroom.transparency.policy_file import parse_policy
from cleanroom.transparency.proof_file import parse_proof, verify_proof

_REFUSED = "the answer is not shown, since its receipt does not hold"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified one: the statement is entry `index` of a log of `size` entries that the quorum cosigned."""

    entry: bytes
    proof: bytes
    index: int
    size: int

    def file(self) -> bytes:
        """The proof file with the statement in its `extra` line, so that it is checked with nothing beside it."""
        return replace(parse_proof(self.proof), extra=self.entry).to_bytes()


def check_receipt(answer: Mapping[str, Any]) -> Receipt:
    """The receipt in an answer's JSON; raises PeerError, in one line that says what does not hold."""
    try:
        body, question = answer["receipt"], answer["question"]
        entry = strict_base64(body["entry"])
        proof = str(body["proof"]).encode("utf-8")
        policy = parse_policy(str(body["policy"]).encode("utf-8"))
        asker, owner, plan = str(question["asker"]), str(question["owner"]), question["plan"]
        index, head = verify_proof(proof, entry, policy)
        statement = peek_statement(entry)
    except (CleanroomError, KeyError, TypeError, UnicodeEncodeError) as error:
        why = str(error) if isinstance(error, CleanroomError) else "a part of it is missing"
        raise PeerError(f"{_REFUSED}: {why}") from error
    said = tuple(statement.get(name) for name in ("kind", "actor", "consumer", "subject"))
    if said != ("answer.released", owner, asker, plan):
        raise PeerError(f"{_REFUSED}: its log entry is about another question")
    for name in (asker, owner):
        if policy.quorum.is_met_by(set(policy.cosigners) - {name}):
            raise PeerError(f"{_REFUSED}: its policy does not ask for the signature of {name}")
    return Receipt(entry, proof, index, head.checkpoint.size)
