"""A question from the owner's side: decide, charge, compute, add noise, release. Protocol.md section 4.

    taken ─(gate) accepted, cost reserved→ reserved ─debit logged→ released ─statement logged→ sent
             ├ no → refused, told when it stands in the log
             └ a person must agree → pending ─agreed→ approved ─logged→ (gate) again; see `pending`

    reserved ─match or set-up ended, room stopped, an hour over, new terms→ voided: the cost is free again
    reserved, or decided by a person, in a backup whose ledger was replayed → lost: never answered; see `replay`

No transaction ends with a question that is still `taken`.

Order is what protects people: the gate decides on public facts; one transaction reserves the cost, pins the plan and
takes the question number before any row is read; masked rows are stored before they leave; noise is drawn once, in
the transaction that stores the sealed release; the release leaves only with the log's proof of its statement. A
repeated request gets the stored bytes; another request under the same plan is refused.
"""

import base64
import os
from hashlib import sha256

from cleanroom.answer.opening import Table, pack_release, release, table
from cleanroom.crypto.transfer_owner import mask_rows
from cleanroom.errors import PeerError, RefusedError, StateError
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.noise import NoiseSource
from cleanroom.privacy.noise import release as noisy
from cleanroom.querylog.dsse import open_statement, peek_statement, strict_base64
from cleanroom.querylog.statement import check_fields
from cleanroom.question.gate import Accepted, Situation, decide
from cleanroom.question.plan import Plan
from cleanroom.question.shape import parts_of
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from cleanroom.wire.messages import Envelope
from parties.asking import covered_digest, release_digest, rows_root
from parties.desk import Desk, pack_envelope, unpack_envelope
from parties.heads import Heads
from parties.match_rows import Match
from parties.matching import Matching
from parties.pace import Pace, sums_tick_s, tick_s
from parties.pending import Pending
from parties.people import People
from parties.post import Message
from parties.refusals import refusal_fields
from parties.setup_rows import Setup, SetupRows
from parties.values import packed_values, table_sums

MAX_REPEATS = 128
REPEATS_S = 3600.0
"""How often what was decided about one plan is said again, in so many seconds."""
_WAITS = """SELECT 1 FROM outbox
 WHERE subject = ? AND says IN ('question.pending', 'question.released', 'question.refused')"""


class Answering:
    """All questions about this node's people. `noise` comes from the constructor and from nowhere else."""

    def __init__(
        self,
        desk: Desk,
        rows: SetupRows,
        matching: Matching,
        people: People,
        *,
        noise: NoiseSource,
        pace: Pace,
    ) -> None:
        self._desk = desk
        self._rows = rows
        self._matching = matching
        self._people = people
        self._noise = noise
        self._heads = Heads(desk)
        self.pending = Pending(desk)
        self._pace = pace
        self._repeats: dict[str, tuple[float, int]] = {}

    def on_plan(self, message: Message) -> None:
        """A signed, logged plan."""
        statement = strict_base64(message.header.get("statement"))
        body = open_statement("question.asked", statement, self._desk.contract.cards[message.sender].identity)
        check_fields("question.asked", body)
        plan = Plan.from_body(body.get("plan"))
        if (plan.hash(), plan.asker, plan.owner, body.get("actor"), body.get("contract")) != (
            message.subject,
            message.sender,
            self._desk.name,
            message.sender,
            self._desk.contract_hash.hex(),
        ):
            raise PeerError("a plan is not the one its message and signature say")
        self._desk.check_proof(statement, message.header.get("proof"))
        digest = sha256(statement).hexdigest()
        known = self._desk.database.one(
            "SELECT request_digest, state FROM question WHERE plan_hash = ?", message.subject
        )
        try:
            self._heads.check_receipt(message)
        except RefusedError as refusal:
            if known is None:
                self._insert(plan, statement, digest)
                self.pending.refuse(message.subject, refusal)
            return
        if known is not None:
            self._repeat(message.subject, known[0], known[1], digest, message.sender)
            return
        if self._is_lost(plan):
            return
        standing = self._standing(plan)
        self._insert(plan, statement, digest)
        try:
            accepted = self._decide(plan)
            if accepted.approval:
                self.pending.take(message.subject, plan.asker, accepted.approval)
                return
        except RefusedError as refusal:
            self.pending.refuse(message.subject, refusal)
            return
        self._reserve(plan, message.subject, accepted, standing)

    def _is_lost(self, plan: Plan) -> bool:
        """Whether a backup that was restored here lacks what the plan stands on: its asker makes it anew, and is blamed
        for nothing."""
        if plan.base == "table" or not self._rows.were_replayed():
            return False
        if self._matching.find(plan.match) is None:
            self._desk.send(plan.asker, "match.abort", plan.match, {})
        elif self._rows.find_joint(plan.setup, owner=True) is None:
            self._desk.send(plan.asker, "setup.abort", plan.setup, {})
        else:
            return False
        self._desk.send(plan.asker, "question.voided", plan.hash(), {})
        return True

    def approved_is_logged(self, plan_hash: str) -> None:
        """A person's agreement stands in the log: everything is checked again, then it goes on as any other."""
        row = self._desk.database.one("SELECT state, plan FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is None or row[0] != "approved":
            return
        plan = Plan.from_body(peek_statement(row[1]).get("plan"))
        try:
            standing = self._standing(plan)
            accepted = self._decide(plan)
        except RefusedError as refusal:
            self.pending.refuse(plan_hash, refusal)
        except (PeerError, StateError):
            self.pending.refuse(plan_hash, self.pending.stale())
        else:
            self._reserve(plan, plan_hash, accepted, standing)

    def _reserve(self, plan: Plan, plan_hash: str, accepted: Accepted, standing: tuple[Match, Setup] | None) -> None:
        """Pay before anything is read; the work begins when the debit stands in the log."""
        dataset = self._desk.dataset
        self._set(plan_hash, "reserved")
        self._desk.ledger.reserve(
            at=self._desk.now(),
            lineage=dataset.lineage,
            room=self._desk.contract.room,
            consumer=plan.asker,
            plan_hash=plan_hash,
            quantity=plan.quantity.kind,
            units=accepted.cost_units,
        )
        if standing is not None:
            self._take_question_number(plan_hash, standing[1])
        self._desk.state(
            "budget.debit",
            plan_hash,
            accountant=self._desk.contract.accountant,
            consumer=plan.asker,
            lineage=dataset.lineage,
            match=plan.match,
            quantity=plan.quantity.kind,
            units=str(accepted.cost_units),
        )

    def _decide(self, plan: Plan) -> Accepted:
        """The gate over this node's public facts; raises RefusedError."""
        desk = self._desk
        view = desk.ledger.view(desk.dataset.lineage, plan.asker, room=desk.contract.room, today=desk.today())
        situation = Situation(desk.today(), self._people.require().day, desk.stops.standing())
        return decide(desk.contract, plan, view, situation)

    def knows(self, plan_hash: str) -> bool:
        """Whether a question under this plan was taken up before."""
        return self._desk.database.one("SELECT 1 FROM question WHERE plan_hash = ?", plan_hash) is not None

    def _standing(self, plan: Plan) -> tuple[Match, Setup] | None:
        """The match and set-up that the plan names, if they are exactly the current ones; None over the whole table.

        Raises StateError when ours had ended, by a new table or a restart, before the asker can have heard of it: that
        is nobody's offence. Raises PeerError for anything else.
        """
        if plan.base == "table":
            return None
        match = self._matching.find(plan.match)
        if match is not None and match.peer == plan.asker and match.state == "aborted":
            raise StateError("a plan stands on a match that has ended")
        setup = self._rows.find_joint(plan.setup, owner=True)
        if setup is not None and setup.state == "dead" and self._rows.peer(setup) == plan.asker:
            raise StateError("a plan stands on a set-up that has ended")
        if (
            match is None
            or setup is None
            or match.state != "ready"
            or setup.state != "ready"
            or setup.match != match.id
            or match.peer != plan.asker
            or (match.transcript, match.own_version, match.peer_version)
            != (plan.match_transcript, plan.owner_version, plan.asker_version)
            or self._people.require().id != plan.owner_version
            or (setup.transcript, setup.leaves, setup.by) != (plan.setup_transcript, plan.leaves, plan.by)
        ):
            raise PeerError("a plan stands on a match or set-up that is not the current one")
        return match, setup

    def _insert(self, plan: Plan, statement: bytes, digest: str) -> None:
        self._desk.database.run(
            "INSERT INTO question (plan_hash, owner, peer, request_digest, plan, state, setup, since)"
            " VALUES (?, 1, ?, ?, ?, 'taken', ?, ?)",
            plan.hash(),
            plan.asker,
            digest,
            statement,
            plan.setup,
            self._desk.clock(),
        )

    def _take_question_number(self, plan_hash: str, setup: Setup) -> None:
        """q is unique in the set-up and burnt from here on, whatever happens.

        Drawn, not counted: a node restored from a backup that nobody told it of would count the same numbers again, and
        one number used for two vectors shows their difference, person by person.
        """
        database = self._desk.database
        number = int.from_bytes(os.urandom(8), "little") >> 1
        if database.one(
            "SELECT 1 FROM question WHERE owner = 1 AND setup = ? AND question = ?", setup.joint_id, number
        ):
            raise StateError("a question number came twice; nothing was answered")
        database.run("UPDATE question SET question = ? WHERE plan_hash = ?", number, plan_hash)

    def _repeat(self, plan_hash: str, known_digest: str, state: str, digest: str, asker: str) -> None:
        if not self._may_repeat(plan_hash):
            return
        if digest != known_digest:
            refusal = RefusedError(
                "already-asked",
                self._desk.name,
                "another request was made under this plan",
                "repeat the first request, or ask a new question",
            )
            self._desk.state("question.refused", plan_hash, consumer=asker, **refusal_fields(refusal))
            return
        if state == "sent":
            self._send_stored(plan_hash)
        elif state == "pending":
            self.pending.tell(plan_hash)

    def _may_repeat(self, plan_hash: str) -> bool:
        """What was lost is sent again; as that is free for the asker it is bounded, and not done in a stopped room."""
        database, now = self._desk.database, self._desk.clock()
        waits = database.one(_WAITS, plan_hash)
        if waits is not None or self._desk.stops.standing().state != "open":
            return False
        since, count = self._repeats.get(plan_hash, (now, 0))
        if abs(now - since) >= REPEATS_S:
            since, count = now, 0
        self._repeats[plan_hash] = (since, count + 1)
        return count < MAX_REPEATS

    def refusal_is_logged(self, plan_hash: str, statement: bytes, proof: str) -> None:
        """The refusal stands in the log: tell the asker."""
        row = self._desk.database.one("SELECT peer, state FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is not None and row[1] == "refused" and row[0] in self._desk.contract.cards:
            header = {"proof": proof, "statement": base64.b64encode(statement).decode("ascii")}
            self._desk.send(row[0], "question.refused", plan_hash, header)

    def debit_is_logged(self, plan_hash: str) -> None:
        """The cost stands in the log: mask the rows, draw the noise, store the sealed release."""
        database = self._desk.database
        row = database.one("SELECT state, plan, question FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is None or row[0] != "reserved":
            return
        plan = Plan.from_body(peek_statement(row[1]).get("plan"))
        try:
            self._desk.stops.check_open()
            standing = self._standing(plan)
        except (PeerError, StateError, RefusedError):
            self.void(plan_hash)
            return
        started = self._pace.now()
        if standing is None:
            root, sums, numbers = rows_root(()), self._table_sums(plan), self._desk.dataset.capacity
        else:
            root, sums = self._send_rows(plan, plan_hash, row[2], *standing)
            numbers = self._matching.all_slots(standing[0]) * plan.words
        self._pace.wait_until_tick(since=started, tick=sums_tick_s(numbers))
        sealed = self._draw(plan, plan_hash, sums)
        released = release_digest((sha256(sealed.sealed).digest(),))
        salt = os.urandom(32)
        database.keep("release", plan_hash, pack_envelope(sealed))
        database.run(
            "UPDATE question SET rows_root = ?, release_digest = ?, salt = ? WHERE plan_hash = ?",
            root.hex(),
            released.hex(),
            salt.hex(),
            plan_hash,
        )
        self._set(plan_hash, "released")
        self._desk.ledger.share_sent(at=self._desk.now(), plan_hash=plan_hash)
        self._desk.state(
            "answer.released", plan_hash, consumer=plan.asker, digest=covered_digest(salt, released, root).hex()
        )

    def _send_rows(self, plan: Plan, plan_hash: str, number: int, match: Match, setup: Setup) -> tuple[bytes, Table]:
        """Mask every slot's row under question number `number` and send them: their root, and the masks' sums."""
        nodes = self._rows.kept("nodes", setup.id)
        rows, sums = mask_rows(
            setup.joint_bytes, nodes, setup.depth, number, 0, plan.words, plan.bits // 8, self._values(plan, match)
        )
        envelopes = self._desk.post.write(plan.asker, "question.rows", plan_hash, {"question": f"{number:016x}"}, rows)
        for envelope in envelopes:
            self._desk.send_sealed(envelope)
        root = rows_root(tuple(sha256(envelope.sealed).digest() for envelope in envelopes))
        return root, table(sums, leaves=plan.leaves, words=plan.words)

    def _values(self, plan: Plan, match: Match) -> bytes:
        return packed_values(
            self._people.table(match.own_version),
            self._matching.slots(match.id),
            self._desk.dataset,
            quantity=plan.quantity,
            words=plan.words,
            width=plan.bits // 8,
            slots=self._matching.all_slots(match),
        )

    def _table_sums(self, plan: Plan) -> Table:
        """Over the whole table nothing is masked: the release adds the noise to minus these."""
        people = self._people.table(self._people.require().id)
        sums = table_sums(
            people,
            self._desk.dataset,
            by=plan.by,
            quantity=plan.quantity,
            leaves=plan.leaves,
            words=plan.words,
        )
        negative: Table = (-sums).tolist()
        return negative

    def void(self, plan_hash: str) -> None:
        """Nothing was computed for this reservation and nothing ever will be: match or set-up ended, the room was
        stopped, or it has waited too long."""
        database = self._desk.database
        row = database.one("SELECT peer FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is None:
            raise StateError("a reserved question vanished")
        self._set(plan_hash, "voided")
        self._desk.ledger.void(at=self._desk.now(), plan_hash=plan_hash)
        self._desk.state("budget.voided", plan_hash, consumer=row[0])
        if row[0] in self._desk.contract.cards:
            self._desk.send(row[0], "question.voided", plan_hash, {})

    def void_open(self) -> None:
        """The room was stopped: whatever is reserved and has drawn no noise is given up. What was drawn stays spent.

        What waits for approval waits on in a paused room and is refused in a closed one.
        """
        standing = self._desk.stops.standing()
        refusal = standing.refusal()
        if standing.state == "closed" and refusal is not None:
            self.pending.refuse_all(refusal)
        for (plan_hash,) in self._desk.database.all(
            "SELECT plan_hash FROM question WHERE owner = 1 AND state = 'reserved'"
        ):
            self.void(plan_hash)

    def _draw(self, plan: Plan, plan_hash: str, sums: Table) -> Envelope:
        """One draw of noise for every (group, word), sealed at a tick; the plain numbers go nowhere else."""
        contract, drawn = self._desk.contract, []
        started = self._pace.now()
        for part, scale in zip(parts_of(contract, plan), plan.scales, strict=True):
            noise = noisy(
                [0] * (len(plan.groups) * part.words),
                sensitivity=part.sensitivity,
                scale=scale,
                accountant=accountant(contract.accountant),
                tag=plan.quantity.kind,
                source=self._noise,
            )
            drawn.append([noise[at : at + part.words] for at in range(0, len(noise), part.words)])
        rows = [number for group in zip(*drawn, strict=True) for part_of_group in group for number in part_of_group]
        packed = pack_release(release(rows, sums, plan.groups, bits=plan.bits))
        self._pace.wait_until_tick(since=started, tick=tick_s(len(rows)))
        envelopes = self._desk.post.write(plan.asker, "question.release", plan_hash, {}, packed)
        if len(envelopes) != 1:
            raise StateError("a release does not fit one piece")
        return envelopes[0]

    def released_is_logged(self, plan_hash: str, statement: bytes, proof: str) -> None:
        """The release stands in the log: now, and only now, it leaves."""
        row = self._desk.database.one("SELECT state FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is None or row[0] not in ("released", "sent"):
            return
        header = {"proof": proof, "statement": base64.b64encode(statement).decode("ascii")}
        self._desk.database.keep("released", plan_hash, canonical_bytes(header))
        self._set(plan_hash, "sent")
        self._send_stored(plan_hash)

    def _send_stored(self, plan_hash: str) -> None:
        """The stored release and its statement, byte for byte, with what the ledger holds about the asker by now."""
        database = self._desk.database
        row = database.one("SELECT peer, salt FROM question WHERE plan_hash = ?", plan_hash)
        if row is None:
            raise StateError("a released question vanished")
        self._desk.send_sealed(self._desk.post.again(unpack_envelope(database.kept("release", plan_hash))))
        head, entries = self._heads.give(row[0], plan_hash)
        header = {**parse_canonical(database.kept("released", plan_hash)), "ledger": head, "salt": row[1]}
        self._desk.send(row[0], "question.released", plan_hash, header, entries)

    def _set(self, plan_hash: str, state: str) -> None:
        self._desk.database.run(
            "UPDATE question SET state = ?, since = ? WHERE plan_hash = ? AND owner = 1",
            state,
            self._desk.clock(),
            plan_hash,
        )
