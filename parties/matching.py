"""A match from this node's side: hello, mask, tag, place, compare dummies. Protocol.md section 2.

    initiator: opened ─peer's hello→ debiting ─debit logged→ masked ─peer's list→ tagged ─placement→ placed ─┐
    responder: opened ─peer's list and its logged debit→ debiting ─debit logged→ tagged ─placement→ placed ──┤
                                                     ready ←─ peer's dummies are consistent with ours ─────────┘
    any failure, a restart before `tagged`, a new table or contract → aborted

The peer learns our capacity and masked points; the coordinator masked tags and a noisy overlap; we learn slots. The
match key lives in `_live` and nowhere else: a restart before both tag lists left aborts the match, and its debit
stays. What fails, and why, looks the same from outside.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.match_secret import Ephemeral, MatchSecret
from cleanroom.crypto.placement import check_slots
from cleanroom.crypto.points import check_points
from cleanroom.errors import OutOfTurnError, PeerError, StateError
from cleanroom.ids import PartyName, random_id
from cleanroom.match.dummies import compare, pack_pairs, parse_pairs
from cleanroom.match.handshake import Hello, transcript
from cleanroom.querylog.dsse import open_statement, strict_base64
from cleanroom.wire.canonical import canonical_bytes, labelled_hash, parse_canonical
from parties.blinding import blind, slots_of_items
from parties.desk import Desk
from parties.match_rows import Match, MatchRows
from parties.people import People
from parties.post import Message
from parties.work_log import timed

UNPLACED = ("opened", "debiting", "masked", "tagged")
_BULK = ("match.order", "match.chosen", "match.slots", "match.own-pairs", "match.peer-pairs")


@dataclass(slots=True)
class _Live:
    """Secrets of a running match, in memory only."""

    ephemeral: Ephemeral
    match_key: MatchKey
    secret: MatchSecret | None = None
    early_points: Message | None = None


class Matching(MatchRows):
    """All matches of this node. Every method runs inside the worker's transaction."""

    def __init__(self, desk: Desk, people: People, *, ended: Callable[[str], None]) -> None:
        """`ended` is called with the id of a match that is aborted, in the same transaction."""
        super().__init__(desk, people)
        self._ended = ended
        self._live: dict[str, _Live] = {}

    def start(self, peer: PartyName) -> str:
        """Open a match; raises RefusedError when the overlap was shown often enough, or the room is stopped."""
        self._desk.stops.check_open()
        self.check_limit(peer)
        match = random_id()
        version = self._people.require()
        self.insert(match, peer, initiator=True, state="opened", version=version.id)
        self._live[match] = _Live(Ephemeral(), MatchKey(os.urandom(32)))
        self._desk.state("match.opened", match, initiator=self._desk.name, responder=peer)
        return match

    def _own_hello(self, match: Match, initiator: PartyName) -> Hello:
        contract, version = self._desk.contract, self._people.require()
        if version.id != match.own_version:
            raise StateError("the table changed while the match was being opened")
        return Hello(
            match=match.id,
            initiator=initiator,
            party=self._desk.name,
            contract=self._desk.contract_hash.hex(),
            version=version.id,
            version_counter=version.counter,
            capacity=contract.datasets[self._desk.name].capacity,
            profile=contract.profile,
            suite=contract.suite,
            dummies=match.dummies,
            share=self._live[match.id].ephemeral.share().hex(),
            nonce=os.urandom(32).hex(),
        )

    def opened_is_logged(self, match_id: str, statement: bytes, proof: str) -> None:
        """Our `match.opened` stands in the log: say hello."""
        match = self.find(match_id)
        if match is None or match.state != "opened" or match_id not in self._live:
            return
        hello = self._own_hello(match, self._desk.name)
        self._desk.database.run("UPDATE match SET own_hello = ? WHERE id = ?", canonical_bytes(hello.body()), match_id)
        header = {"hello": hello.body(), "opened": base64.b64encode(statement).decode("ascii"), "proof": proof}
        self._desk.send(match.peer, "match.hello", match_id, header)

    def on_hello(self, message: Message) -> None:
        """The other side's half of the handshake; the responder answers with its own."""
        match = self.find(message.subject)
        peer_hello = Hello.from_body(message.header.get("hello"))
        if match is None:
            self._desk.stops.check_open()
            self._check_opened(message)
            peer_hello.check(
                self._desk.contract, match=message.subject, initiator=message.sender, sender=message.sender
            )
            self.check_limit(message.sender)
            version = self._people.require()
            self.insert(message.subject, message.sender, initiator=False, state="opened", version=version.id)
            self._live[message.subject] = _Live(Ephemeral(), MatchKey(os.urandom(32)))
            match = self.find(message.subject)
            assert match is not None  # noqa: S101 # inserted two lines above
            own_hello = self._own_hello(match, message.sender)
            self._desk.send(message.sender, "match.hello", match.id, {"hello": own_hello.body()})
            hellos = (peer_hello, own_hello)
        else:
            if match.state != "opened" or not match.initiator or match.peer != message.sender:
                raise OutOfTurnError("a hello came at the wrong moment")
            peer_hello.check(self._desk.contract, match=match.id, initiator=self._desk.name, sender=match.peer)
            row = self._desk.database.one("SELECT own_hello FROM match WHERE id = ?", match.id)
            own_hello = Hello.from_body(parse_canonical(row[0]) if row and row[0] else None)
            hellos = (own_hello, peer_hello)
        if peer_hello.dummies != match.dummies:
            raise PeerError(f"{match.peer} solved another number of dummies; nothing was masked")
        live = self._live.get(match.id)
        if live is None:
            raise PeerError("this match was lost in a restart")
        agreed = transcript(self._desk.contract, *hellos)
        live.secret = live.ephemeral.agree(bytes.fromhex(peer_hello.share), agreed)
        self._desk.database.run(
            "UPDATE match SET transcript = ?, peer_version = ?, peer_hello = ? WHERE id = ?",
            agreed.hex(),
            peer_hello.version,
            canonical_bytes(peer_hello.body()),
            match.id,
        )
        if match.initiator:
            self._debit(match)

    def _check_opened(self, message: Message) -> None:
        statement = strict_base64(message.header.get("opened"))
        card = self._desk.contract.cards[message.sender]
        body = open_statement("match.opened", statement, card.identity)
        if (body.get("subject"), body.get("initiator"), body.get("responder"), body.get("contract")) != (
            message.subject,
            message.sender,
            self._desk.name,
            self._desk.contract_hash.hex(),
        ):
            raise PeerError("a match was opened under other terms than its hello says")
        self._desk.check_proof(statement, message.header.get("proof"))

    def _debit(self, match: Match) -> None:
        dataset = self._desk.dataset
        self._desk.stops.check_open()
        self.check_limit(match.peer)
        self._desk.ledger.match_debit(
            at=self._desk.now(),
            lineage=dataset.lineage,
            room=self._desk.contract.room,
            peer=match.peer,
            match_id=match.id,
            dummies=match.dummies,
        )
        self.set_state(match.id, "debiting")
        self._desk.state(
            "match.debit",
            match.id,
            dummies=match.dummies,
            lineage=dataset.lineage,
            observer="coordinator",
            peer=match.peer,
        )

    def debit_is_logged(self, match_id: str, statement: bytes, proof: str) -> None:
        """Our `match.debit` stands in the log: mask our list and send it; the initiator shows that it paid first."""
        match, live = self.find(match_id), self._live.get(match_id)
        if match is None or match.state != "debiting":
            return
        if live is None or live.secret is None:
            raise StateError("the match key was lost")
        with timed("mask"):
            blinded = blind(
                self._people.table(match.own_version).column("key"),
                capacity=self._desk.dataset.capacity,
                dummies=match.dummies,
                match_key=live.match_key,
                secret=live.secret,
            )
        self._desk.database.keep("match.order", match_id, blinded.order.tobytes())
        self._desk.database.keep("match.chosen", match_id, blinded.chosen_dummies.tobytes())
        confirmation = live.secret.confirmation(self._desk.name, bytes.fromhex(match.transcript))
        header: dict[str, object] = {"confirmation": confirmation.hex()}
        if match.initiator:
            header |= {"debit": base64.b64encode(statement).decode("ascii"), "proof": proof}
        self._desk.send(match.peer, "match.points", match_id, header, blinded.points)
        self.set_state(match_id, "masked")
        if live.early_points is not None:
            self._tag_early(match, live.early_points)

    def _tag_early(self, match: Match, message: Message) -> None:
        """What shows only under our key is the sender's offence as well, although its message came a while ago."""
        try:
            self._tag(match.id, message)
        except PeerError:
            self.abort(match.id, tell_peer=True)
            self._desk.state("incident", match.id, sender=match.peer, message=message.kind)

    def on_points(self, message: Message) -> None:
        """The peer's masked list."""
        match, live = self._running(message)
        if match.state == "debiting" or (match.state == "opened" and not match.initiator):
            if live.early_points is not None:
                raise PeerError("a masked list came twice")
            self._check_list(match, live.secret, message)
            check_points(message.blob)  # now, while it is known whose message this is
            live.early_points = message
            if match.state == "opened":
                self._check_debited(message)
                self._debit(match)
        elif match.state == "masked":
            self._tag(match.id, message)
        else:
            raise OutOfTurnError("a masked list came at the wrong moment")

    def _check_debited(self, message: Message) -> None:
        """The initiator's own debit stands in the log: nobody uses up our matches without spending one of its own."""
        statement = strict_base64(message.header.get("debit"))
        body = open_statement("match.debit", statement, self._desk.contract.cards[message.sender].identity)
        if (body.get("subject"), body.get("peer"), body.get("contract")) != (
            message.subject,
            self._desk.name,
            self._desk.contract_hash.hex(),
        ):
            raise PeerError("an initiator's debit is for another match")
        self._desk.check_proof(statement, message.header.get("proof"))

    def _running(self, message: Message) -> tuple[Match, _Live]:
        match, live = self.find(message.subject), self._live.get(message.subject)
        if match is None or live is None or live.secret is None or match.peer != message.sender:
            raise PeerError("a message belongs to no running match of these two parties")
        return match, live

    def _check_list(self, match: Match, secret: MatchSecret | None, message: Message) -> None:
        assert secret is not None  # noqa: S101 # checked by _running
        secret.check_confirmation(match.peer, bytes.fromhex(match.transcript), message.hex("confirmation", 32))
        if len(message.blob) != 32 * self._desk.contract.datasets[match.peer].capacity:
            raise PeerError("a masked list has another length than the contract's capacity")

    def _tag(self, match_id: str, message: Message) -> None:
        match, live = self._running(message)
        assert live.secret is not None  # noqa: S101 # checked by _running
        self._check_list(match, live.secret, message)
        with timed("tag"):
            tags = live.match_key.mask_and_tag(live.secret.tag_key(), message.blob)
        self._desk.submit_tags(match_id, match.peer, match.transcript, tags)
        live.match_key.erase()
        del self._live[match_id]
        self.set_state(match_id, "tagged")

    def on_placement(self, match_id: str, slots: bytes, salt: bytes, statement: bytes) -> None:
        """Our slots from the coordinator, with its signed hash of both placements."""
        match = self.find(match_id)
        if match is None or match.state != "tagged":
            raise OutOfTurnError("a placement came at the wrong moment")
        body = open_statement("match.placed", statement, self._desk.contract.coordinator.identity)
        digest = labelled_hash(
            "cleanroom/v1/placement", salt, bytes.fromhex(match_id), self._desk.name.encode("utf-8"), slots
        ).hex()
        hashes = body.get("slots")
        if (
            body.get("subject") != match_id
            or body.get("transcript") != match.transcript
            or not isinstance(hashes, dict)
            or hashes.get(self._desk.name) != digest
        ):
            raise PeerError("a placement is not the one that the coordinator signed")
        capacity = self._desk.dataset.capacity
        if len(slots) != 4 * capacity:
            raise PeerError("a placement has another length than the contract's capacity")
        check_slots(slots, limit=self.all_slots(match))
        database = self._desk.database
        order = np.frombuffer(database.kept("match.order", match_id), dtype="<u4")
        chosen = np.frombuffer(database.kept("match.chosen", match_id), dtype="<u4")
        items = slots_of_items(order, np.frombuffer(slots, dtype="<u4"))
        people = self._people.table(match.own_version).num_rows
        pairs = pack_pairs(chosen, items[people : people + match.dummies])
        database.keep("match.slots", match_id, items[:people].tobytes())
        database.keep("match.own-pairs", match_id, pairs)
        database.erase("match.order", match_id)
        database.erase("match.chosen", match_id)
        self._desk.send(match.peer, "match.dummies", match_id, {}, pairs)
        self.set_state(match_id, "placed")
        self._compare(match_id)

    def on_dummies(self, message: Message) -> None:
        """Where the peer's shared dummies ended up."""
        match = self.find(message.subject)
        if match is None or match.peer != message.sender or match.state not in ("tagged", "placed"):
            raise OutOfTurnError("a list of shared dummies came at the wrong moment")
        parse_pairs(message.blob, dummies=match.dummies, slots=self.all_slots(match))
        self._desk.database.keep("match.peer-pairs", match.id, message.blob)
        self._compare(match.id)

    def _compare(self, match_id: str) -> None:
        match, database = self.find(match_id), self._desk.database
        known = database.one("SELECT 1 FROM bulk WHERE kind = 'match.peer-pairs' AND id = ?", match_id)
        if match is None or match.state != "placed" or known is None:
            return
        bounds = {"dummies": match.dummies, "slots": self.all_slots(match)}
        own = parse_pairs(database.kept("match.own-pairs", match_id), **bounds)
        compare(own, parse_pairs(database.kept("match.peer-pairs", match_id), **bounds))
        database.erase("match.own-pairs", match_id)
        database.erase("match.peer-pairs", match_id)
        self.set_state(match_id, "ready")

    def abort(self, match_id: str, *, tell_peer: bool) -> None:
        """End a match for good: secrets and bulk state erased, peer and log told; says nothing about why."""
        match = self.find(match_id)
        if match is None or match.state == "aborted":
            return
        self.forget(match_id)
        for kind in _BULK:
            self._desk.database.erase(kind, match_id)
        self._ended(match_id)
        self.set_state(match_id, "aborted")
        self._desk.state("match.aborted", match_id, peer=match.peer)
        if tell_peer:
            self._desk.send(match.peer, "match.abort", match_id, {})

    def forget(self, match_id: str) -> None:
        """Drop the secrets of a match that never came to be."""
        live = self._live.pop(match_id, None)
        if live is not None:
            live.match_key.erase()

    def on_not_placed(self, match_id: str, statement: bytes) -> None:
        """The coordinator signed that it will not place this match; afterwards it has no say in it."""
        match = self.find(match_id)
        if match is None or match.state not in UNPLACED:
            return
        body = open_statement("match.aborted", statement, self._desk.contract.coordinator.identity)
        if body.get("subject") != match_id:
            raise PeerError("the coordinator ended another match than it says")
        self.abort(match_id, tell_peer=False)

    def on_abort(self, message: Message) -> None:
        """The peer ended the match."""
        match = self.find(message.subject)
        if match is not None and match.peer == message.sender:
            self.abort(match.id, tell_peer=False)

    def after_restart(self) -> list[str]:
        """Matches whose key was lost with the last process, and those over an older table; the caller aborts them."""
        version = self._people.current()
        rows = self._desk.database.all(
            "SELECT id FROM match WHERE state IN ('opened', 'debiting', 'masked')"
            " OR (state != 'aborted' AND (own_version != ? OR contract != ?))",
            version.id if version else "",
            self._desk.contract_hash.hex(),
        )
        return [row[0] for row in rows if row[0] not in self._live]
