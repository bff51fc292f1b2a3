"""The room's rules over its whole log: what no entry may break, whoever let it in.

The writer asks them at the door, every cosigner before it signs, an auditor when it reads. They fold the entries in
order, and an entry that is refused leaves no trace. Times are each party's own word; no rule is about them.

form      a statement of this room, of a known kind, with that kind's fields, signed by its actor. Under the present
          contract without exception. What stands under an earlier one must have the form; its signature is checked
          against the actor's present card, and where that does not verify (the party has left, or has a new key) the
          entry is passed over and says nothing. After the first entry under the present contract nobody who still has
          a card is passed over like that.
twice     no entry stands twice.
once      debits and releases of a question, debits of a match: one for each actor and subject.
question  a budget.debit is of a question that this consumer asked of this owner under this plan.
price     it books what contract and plan make of it, in the contract's accountant, on the owner's lineage.
release   an answer.released comes after its owner's own debit, which is not voided, for the same consumer.
void      a budget.voided comes after its owner's own debit, once, and not after its release.
closed    nothing is asked after a party has closed the room.
rotation  a key.rotated brings keys of the contract and takes away none of them.
beginning a log that follows another says first from which head it goes on: the one that the contract names.

The logs before this one are part of what is folded: what was said there once is not said here again, what was debited
there is voided here. Whoever joined later has no copy of them, and cannot say that a void has no debit; nor can anybody
where that debit was signed with a key that is no longer its owner's. A void costs nobody but the owner who says it.
"""

from collections.abc import Iterable
from hashlib import sha256

from cleanroom.errors import AuthenticationError, CleanroomError, ConflictError, PeerError
from cleanroom.querylog.rotation import ROTATED, check_beginning, check_rotation
from cleanroom.querylog.statement import ONCE_KINDS, Claim, Statement, read_claim
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.price import price_units
from cleanroom.question.stop import CLOSED, read_earlier_stop


class RoomRules:
    """Has seen `size` entries. Not thread-safe. `former` are the entries of the logs before, None if nobody has them.

    Raises PeerError when those break a rule.
    """

    def __init__(self, contract: Contract, contract_hash: bytes, former: Iterable[bytes] | None = None) -> None:
        self._contract = contract
        self._hash = contract_hash.hex()
        self._began = self._closed = False
        self._digests: set[bytes] = set()
        self._once: set[tuple[str, str, str]] = set()
        self._asked: dict[str, Plan] = {}
        self._debited: dict[tuple[str, str], object] = {}
        self._released: set[tuple[str, str]] = set()
        self._voided: set[tuple[str, str]] = set()
        self._unread_debits: set[tuple[str, str]] = set()
        self._is_whole = former is not None or not contract.follows
        self._former = -1
        for entry in former or ():
            self.take(entry)
        self._former = len(self._digests)

    @property
    def size(self) -> int:
        """How many entries of this log were taken."""
        return len(self._digests) - self._former

    def take(self, entry: bytes) -> Statement | None:
        """The next entry's statement, None where nobody can be held to it; raises PeerError and then changes nothing.

        ConflictError when other bytes stand where the entry would, AuthenticationError when it is forged.
        """
        digest = sha256(entry).digest()
        if digest in self._digests:
            raise ConflictError("rule twice: the log has this very entry already")
        claim = read_claim(entry)
        statement, is_present = self._verified(claim), claim.contract == self._hash
        if self.size == 0:
            check_beginning(statement, self._contract)
        if statement is not None:
            self._check(statement, is_present=is_present)
            self._note(statement, entry)
        elif claim.kind == "budget.debit":
            self._unread_debits.add((claim.actor, str(claim.envelope.body.get("subject"))))
        self._digests.add(digest)
        self._began = self._began or is_present
        return statement

    def _verified(self, claim: Claim) -> Statement | None:
        statement = claim.statement(self._contract)
        try:
            claim.check_signature(self._contract)
        except AuthenticationError:
            has_card = claim.actor in self._contract.cards
            if claim.contract == self._hash or (self._began and has_card):
                raise
            return None
        return statement

    def _check(self, statement: Statement, *, is_present: bool) -> None:
        if statement.kind in ONCE_KINDS and _once(statement) in self._once:
            raise ConflictError(f"rule once: {statement.actor} has another {statement.kind} about this subject")
        if not is_present:  # the terms of then are not known any more
            return
        if statement.kind == "question.asked" and self._closed:
            raise PeerError("rule closed: a question was asked after the room was closed")
        if statement.kind == ROTATED:
            check_rotation(statement, self._contract)
        elif statement.kind == "budget.debit":
            self._check_debit(statement)
        elif statement.kind == "answer.released":
            self._check_follows_debit(statement, "release")
            if _pair(statement) in self._voided:
                raise PeerError("rule release: an answer is released whose debit was voided")
        elif statement.kind == "budget.voided":
            is_unread = not self._is_whole or _pair(statement) in self._unread_debits
            if _pair(statement) in self._debited or not is_unread:
                self._check_follows_debit(statement, "void")
            if _pair(statement) in self._released | self._voided:
                raise PeerError("rule void: a debit is voided that was voided before, or whose answer was released")

    def _check_debit(self, statement: Statement) -> None:
        plan, body, owner = self._asked.get(statement.subject), statement.body, statement.actor
        if plan is None or plan.owner != owner or plan.asker != body.get("consumer") or plan.contract != self._hash:
            raise PeerError("rule question: a debit is of no question that its consumer asked of this owner")
        try:
            units = price_units(self._contract, plan)
        except CleanroomError as error:
            raise PeerError(f"rule price: a debit is of a question that has no price: {error}") from error
        expected = {
            "accountant": self._contract.accountant,
            "lineage": self._contract.datasets[plan.owner].lineage,
            "match": plan.match,
            "quantity": plan.quantity.kind,
            "units": str(units),
        }
        wrong = [name for name, value in expected.items() if body.get(name) != value]
        if wrong:
            raise PeerError(f"rule price: a debit's {', '.join(wrong)} are not those of its question and the contract")

    def _check_follows_debit(self, statement: Statement, rule: str) -> None:
        pair = _pair(statement)
        if pair not in self._debited or self._debited[pair] != statement.body.get("consumer"):
            raise PeerError(f"rule {rule}: there is no debit of {statement.actor} before its {statement.kind}")

    def _note(self, statement: Statement, entry: bytes) -> None:
        pair = _pair(statement)
        if statement.kind in ONCE_KINDS:
            self._once.add(_once(statement))
        if statement.kind == "question.asked":
            self._note_question(statement)
        elif statement.kind == "budget.debit":
            self._debited[pair] = statement.body.get("consumer")
        elif statement.kind == "answer.released":
            self._released.add(pair)
        elif statement.kind == "budget.voided":
            self._voided.add(pair)
        elif statement.kind == CLOSED:
            self._closed = self._closed or self._closes(entry)

    def _note_question(self, statement: Statement) -> None:
        """What is no plan, or not its actor's, is no question: nothing can be charged for it."""
        try:
            plan = Plan.from_body(statement.body.get("plan"))
        except CleanroomError:
            return
        if (plan.asker, plan.owner, plan.contract) == (
            statement.actor,
            statement.body.get("owner"),
            statement.body["contract"],
        ) and plan.hash() == statement.subject:
            self._asked[statement.subject] = plan

    def _closes(self, entry: bytes) -> bool:
        try:
            read_earlier_stop(entry, self._contract)
        except PeerError:
            return False
        return True


def _pair(statement: Statement) -> tuple[str, str]:
    return statement.actor, statement.subject


def _once(statement: Statement) -> tuple[str, str, str]:
    return statement.kind, statement.actor, statement.subject
