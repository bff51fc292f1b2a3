"""A question from the asker's side: sign the plan, have it logged, send it, open what comes back, once.

    asked ─logged→ sent ─rows→ rowed ─release, its statement in the log→ answered
                     ├ over a whole table, without rows: release, its statement in the log→ answered
                     └ the owner's approver must agree → pending ─rows or release→ as from sent
                                                            └ asked again → sent

    sent, pending or rowed ─refusal, in the log→ refused
    anything that is neither answered nor refused → failed: the owner voided it, its match ended, a message about it
    was an offence, or the receipt that came with the answer does not go on from the one we hold

A question that waits for the owner's approver costs nothing yet. Its answer or refusal comes by itself; the end of a
question whose analyst was told to come back is shown to whoever asks the same again.

With every answer comes the owner's signed head of what its ledger holds about us, and it is checked before anything is
opened: see `receipts`. Where it does not fit, the answer is not shown and the log gets an incident.

Nothing is opened or shown before the owner's `answer.released` over exactly these bytes is proved to be in the log.
The opened answer is kept; the same question is answered from it, free, for ever. To the outside this node behaves the
same whatever it opened.
"""

import base64
import json
from dataclasses import dataclass, replace
from hashlib import sha256

from cleanroom.answer.opening import Table, open_release, parse_release, table
from cleanroom.crypto.transfer_asker import open_rows
from cleanroom.errors import OutOfTurnError, PeerError, StateError
from cleanroom.querylog.dsse import open_statement, peek_statement, strict_base64
from cleanroom.querylog.log_policy import question_quorum
from cleanroom.question.plan import Plan
from cleanroom.transparency.policy_file import policy_text
from cleanroom.wire.canonical import canonical_bytes, labelled_hash, parse_canonical
from parties.desk import Desk
from parties.post import Message
from parties.receipts import Receipts
from parties.refusals import parse_reasons, parse_refusal
from parties.setup_rows import Setup, SetupRows


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a question stands; `cells` once answered (groups outermost), `refusal` once refused.

    `waits` says why the owner's approver must agree, until the analyst who was told so has been told the end.
    """

    plan_hash: str
    state: str
    plan: Plan
    cells: tuple[int, ...] = ()
    refusal: str = ""
    waits: tuple[str, ...] = ()


class Asking:
    """All questions that this node asks."""

    def __init__(self, desk: Desk, rows: SetupRows) -> None:
        self._desk = desk
        self._rows = rows
        self._receipts = Receipts(desk)

    def find(self, plan_hash: str) -> Asked | None:
        """The question of that plan."""
        row = self._desk.database.one(
            "SELECT state, plan, refusal, waits FROM question WHERE plan_hash = ? AND owner = 0", plan_hash
        )
        if row is None:
            return None
        plan = Plan.from_body(peek_statement(row[1]).get("plan"))
        cells = json.loads(self._desk.database.kept("answer", plan_hash)) if row[0] == "answered" else ()
        return Asked(plan_hash, row[0], plan, tuple(cells), row[2], tuple(json.loads(row[3] or "[]")))

    def receipt(self, plan: Plan) -> dict[str, str]:
        """What shows anybody that the owner's statement about an answer stands in the log.

        The `entry` (base64), the text of its `proof` file, and the `policy` that says whose signatures the proof needs.
        """
        quorum = question_quorum(self._desk.contract, asker=plan.asker, owner=plan.owner)
        kept = parse_canonical(self._desk.database.kept("receipt", plan.hash()))
        return {**kept, "policy": policy_text(self._desk.log_policy.with_quorum(quorum))}

    def repeats(self, plan: Plan) -> list[Asked]:
        """This question from the plan's repeat on, by whichever analyst of ours it was asked, by rising repeat."""
        rows = self._desk.database.all("SELECT plan_hash FROM question WHERE owner = 0 AND setup = ?", plan.setup)
        found = [asked for (plan_hash,) in rows if (asked := self.find(plan_hash)) is not None]
        same = [
            asked
            for asked in found
            if asked.plan.repeat >= plan.repeat
            and replace(asked.plan, analyst=plan.analyst, repeat=plan.repeat) == plan
        ]
        return sorted(same, key=lambda asked: asked.plan.repeat)

    def start(self, plan: Plan) -> str:
        """Sign the plan and have it logged; the same plan twice is the same question.

        Raises RefusedError in a stopped room.
        """
        self._desk.stops.check_open()
        plan_hash = plan.hash()
        statement = self._desk.state("question.asked", plan_hash, plan=plan.body(), owner=plan.owner)
        self._desk.database.run(
            "INSERT INTO question (plan_hash, owner, peer, request_digest, plan, state, setup, since)"
            " VALUES (?, 0, ?, ?, ?, 'asked', ?, ?)",
            plan_hash,
            plan.owner,
            sha256(statement).hexdigest(),
            statement,
            plan.setup,
            self._desk.clock(),
        )
        return plan_hash

    def asked_is_logged(self, plan_hash: str, statement: bytes, proof: str) -> None:
        """Our question stands in the log: send it to the owner."""
        asked = self.find(plan_hash)
        if asked is None or asked.state != "asked":
            return
        self._send_plan(asked, statement, proof)

    def _send_plan(self, asked: Asked, statement: bytes, proof: str) -> None:
        header = {"proof": proof, "statement": base64.b64encode(statement).decode("ascii")}
        header |= self._receipts.header(asked.plan.owner)
        self._desk.send(asked.plan.owner, "question.plan", asked.plan_hash, header)
        self._set(asked.plan_hash, "sent")

    def ask_again(self, asked: Asked) -> None:
        """The same request once more, for what its owner's approver had not decided when we last heard."""
        row = self._desk.database.one(
            "SELECT bytes, proof FROM statement WHERE kind = 'question.asked' AND subject = ?", asked.plan_hash
        )
        if row is not None and row[1]:  # without a proof only the owner can bring it to an end
            self._send_plan(asked, row[0], row[1])

    def told(self, plan_hash: str) -> None:
        """An analyst has seen how the question ended."""
        self._desk.database.run("UPDATE question SET waits = '' WHERE plan_hash = ? AND owner = 0", plan_hash)

    def _set(self, plan_hash: str, state: str) -> None:
        self._desk.database.run(
            "UPDATE question SET state = ?, since = ? WHERE plan_hash = ? AND owner = 0",
            state,
            self._desk.clock(),
            plan_hash,
        )

    def _expect(self, message: Message, *states: str) -> Asked | None:
        """The question this message continues, None when it ended meanwhile; raises PeerError for any other."""
        asked = self.find(message.subject)
        if asked is not None and asked.plan.owner == message.sender and asked.state in ("failed", "answered"):
            return None
        if asked is None or asked.plan.owner != message.sender:
            raise PeerError(f"a {message.kind} message answers nothing that we asked of its sender")
        if asked.state not in states:
            raise OutOfTurnError(f"a {message.kind} message came at the wrong moment")
        return asked

    def _expect_released(self, message: Message) -> Asked | None:
        """Over the match the rows come first; over a whole table there are none."""
        asked = self._expect(message, "sent", "pending", "rowed")
        if asked is not None and (asked.state == "rowed") != (asked.plan.base == "match"):
            raise OutOfTurnError(f"a {message.kind} message came at the wrong moment")
        return asked

    def on_rows(self, message: Message) -> None:
        """The masked rows: worthless without the release."""
        asked = self._expect(message, "sent", "pending")
        if asked is None:
            return
        if asked.plan.base != "match":
            raise PeerError("masked rows came for a question over a whole table")
        number, database = int.from_bytes(message.hex("question", 8), "big"), self._desk.database
        if number >> 63:
            raise PeerError("a question's number has at most 63 bits")
        database.keep("question.rows", asked.plan_hash, message.blob)
        root = rows_root(message.sealed_digests)
        database.run(
            "UPDATE question SET question = ?, rows_root = ? WHERE plan_hash = ?",
            number,
            root.hex(),
            asked.plan_hash,
        )
        self._set(asked.plan_hash, "rowed")

    def on_release(self, message: Message) -> None:
        """The release, still to be covered by a statement in the log."""
        asked = self._expect_released(message)
        if asked is None:
            return
        self._desk.database.keep("question.release", asked.plan_hash, message.blob)
        self._desk.database.run(
            "UPDATE question SET release_digest = ? WHERE plan_hash = ?",
            release_digest(message.sealed_digests).hex(),
            asked.plan_hash,
        )

    def on_released(self, message: Message) -> None:
        """The owner's statement over the release and its place in the log: verify both, then open."""
        asked = self._expect_released(message)
        if asked is None:
            return
        database = self._desk.database
        row = database.one(
            "SELECT question, rows_root, release_digest, setup FROM question WHERE plan_hash = ?", asked.plan_hash
        )
        if row is None or not row[2]:
            raise PeerError("a released statement came before its release")
        statement = strict_base64(message.header.get("statement"))
        body = open_statement("answer.released", statement, self._desk.contract.cards[asked.plan.owner].identity)
        covered = covered_digest(
            message.hex("salt", 32), bytes.fromhex(row[2]), bytes.fromhex(row[1]) if row[1] else rows_root(())
        )
        if body.get("subject") != asked.plan_hash or body.get("digest") != covered.hex():
            raise PeerError("the owner's statement covers another release than the one received")
        proof = message.text("proof")
        self._desk.check_proof(statement, proof)
        dispute = self._receipts.take(asked.plan, strict_base64(message.header.get("ledger")), message.blob)
        if dispute:
            self._dispute(asked, dispute)
            return
        plan = asked.plan
        sums = self._opened_rows(asked, row[0]) if plan.base == "match" else [[0] * plan.words] * plan.leaves
        released = parse_release(
            database.kept("question.release", asked.plan_hash), cells=len(plan.groups) * plan.words, bits=plan.bits
        )
        cells = open_release(released, sums, plan.groups, bits=plan.bits)
        database.keep("answer", asked.plan_hash, _cells_text(cells))
        receipt = {"entry": base64.b64encode(statement).decode("ascii"), "proof": proof}
        database.keep("receipt", asked.plan_hash, canonical_bytes(receipt))
        database.erase("question.rows", asked.plan_hash)
        database.erase("question.release", asked.plan_hash)
        self._set(asked.plan_hash, "answered")

    def _dispute(self, asked: Asked, dispute: str) -> None:
        """The owner's ledger is not what it was: its answer is not shown, and the log says that something is wrong."""
        reason = (
            f"{asked.plan.owner}'s ledger {dispute}, so its answer is not shown: it was restored from a backup, or"
            " keeps two ledgers. What it signed is kept as evidence; talk to its operator"
        )
        self._desk.database.run("UPDATE question SET refusal = ? WHERE plan_hash = ?", reason, asked.plan_hash)
        self._desk.state("incident", asked.plan_hash, sender=asked.plan.owner, message="ledger.head")
        self._set(asked.plan_hash, "failed")

    def _opened_rows(self, asked: Asked, number: int) -> Table:
        """Our sums over the masked rows of question number `number`."""
        plan, setup = asked.plan, self._setup(asked.plan.setup)
        opened = open_rows(
            setup.joint_bytes,
            self._rows.kept("siblings", setup.id),
            self._rows.kept("categories", setup.id),
            setup.depth,
            number,
            0,
            plan.words,
            plan.bits // 8,
            self._desk.database.kept("question.rows", asked.plan_hash),
        )
        return table(opened, leaves=plan.leaves, words=plan.words)

    def _setup(self, joint: str) -> Setup:
        row = self._desk.database.one("SELECT id FROM setup WHERE joint_id = ? AND owner = 0", joint)
        setup = self._rows.find(row[0], owner=False) if row else None
        if setup is None or setup.state != "ready":
            raise StateError("a question lost its set-up")
        return setup

    def on_pending(self, message: Message) -> None:
        """The owner's approver must agree first: nothing is spent; the reasons are kept to be shown.

        The coordinator may deliver this after what follows it; then it says nothing any more.
        """
        asked = self._expect(message, "sent", "pending", "rowed", "refused")
        reasons = parse_reasons(message.header.get("reasons"))
        if asked is None or asked.state not in ("sent", "pending"):
            return
        self._desk.database.run(
            "UPDATE question SET waits = ? WHERE plan_hash = ?", json.dumps(reasons), asked.plan_hash
        )
        self._set(asked.plan_hash, "pending")

    def on_refused(self, message: Message) -> None:
        """The owner's refusal, signed and logged; kept to be shown."""
        asked = self._expect(message, "sent", "pending", "rowed")
        if asked is None:
            return
        statement = strict_base64(message.header.get("statement"))
        body = open_statement("question.refused", statement, self._desk.contract.cards[asked.plan.owner].identity)
        if body.get("subject") != asked.plan_hash:
            raise PeerError("a refusal is of another question")
        self._desk.check_proof(statement, message.header.get("proof"))
        refusal = {name: body.get(name) for name in ("rule", "owner", "explanation", "advice")}
        parse_refusal(refusal)
        self._desk.database.run(
            "UPDATE question SET refusal = ? WHERE plan_hash = ?", canonical_bytes(refusal).decode(), asked.plan_hash
        )
        self._set(asked.plan_hash, "refused")

    def fail(self, plan_hash: str) -> None:
        """The question ends without an answer."""
        self._set(plan_hash, "failed")

    def fail_open_of_match(self, match: str) -> None:
        """The match ended: what was asked over it and not answered yet never will be."""
        self._desk.database.run(
            "UPDATE question SET state = 'failed' WHERE owner = 0 AND state NOT IN ('answered', 'refused') AND setup IN"
            " (SELECT joint_id FROM setup WHERE match = ? AND owner = 0 AND joint_id != '')",
            match,
        )

    def on_voided(self, message: Message) -> None:
        """The owner freed the reservation: match or set-up had ended. Nothing was released and nothing was spent."""
        asked = self._expect(message, "sent", "pending", "rowed")
        if asked is not None:
            self._set(asked.plan_hash, "failed")


def _cells_text(cells: list[int]) -> bytes:
    """Cells as JSON text; numbers of up to 64 bits, so not canonical JSON."""
    return json.dumps(cells).encode("ascii")


def rows_root(digests: tuple[bytes, ...]) -> bytes:
    """32 bytes over the digests of all sealed pieces of the masked rows, in order."""
    return labelled_hash("cleanroom/v1/rows-root", *digests)


def release_digest(digests: tuple[bytes, ...]) -> bytes:
    """32 bytes over the digests of all sealed pieces of the release."""
    return labelled_hash("cleanroom/v1/release", *digests)


def covered_digest(salt: bytes, release: bytes, rows: bytes) -> bytes:
    """What `answer.released` states: salted, so that the log says nothing to those who hold neither."""
    return labelled_hash("cleanroom/v1/released", salt, release, rows)
