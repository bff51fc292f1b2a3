"""Receipts, from the owner's side: with every answer a signed head of what our ledger holds about the asker.

The asker sends its newest receipt with its next plan. A head under our own signature that our ledger does not hold
means that the ledger is older than what we said: a backup was restored. Then nothing is answered any more, all
set-ups die, and the operator must replay what was forgotten. Nobody but us can make such a head, so nobody else can
stop a node this way.

After a replay each consumer still holds a receipt over the lost chain. Where the replayed ledger has booked at least
what that receipt claims, a `replayed` entry names its head, and the chain goes on from there.
"""

import base64
import hmac
import os
from contextlib import suppress
from hashlib import sha256

from cleanroom.errors import AuthenticationError, PeerError, RefusedError, StateError
from cleanroom.querylog.consumer_chain import ConsumerEntry
from cleanroom.querylog.dsse import sign_statement, strict_base64
from cleanroom.querylog.ledger_head import KIND, LedgerHead, open_head
from cleanroom.querylog.salted_tree import Inclusion, include
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from parties.desk import Desk
from parties.ledger import Chain, Standing
from parties.post import PIECE_BYTES, Message

FORGOTTEN = "a receipt of ours that our ledger does not hold"
REPLAY = "cleanroom party ledger replay --home FOLDER"
MOST_ENTRIES = 3_000
"""That an asker may lack when it asks. An entry is at most 140 bytes, so this fills four fifths of what `pack_entries`
takes; the rest is for what is booked until the answer leaves."""


class ForgottenError(StateError):
    """A peer holds our signature over a head that our ledger lacks; `evidence` is that statement."""

    def __init__(self, peer: str, evidence: bytes) -> None:
        super().__init__(
            f"{peer} holds a receipt of ours that our ledger does not know: a backup was restored, or two nodes use one"
            f" identity. Nothing is answered any more; stop the node, then: {REPLAY}"
        )
        self.peer = peer
        self.evidence = evidence


class Heads:
    """Gives out heads and recognises them. Every call runs inside the caller's transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._secret = hmac.digest(desk.keys.state, b"cleanroom/v1/head-secret", sha256)

    def give(self, consumer: str, plan_hash: str) -> tuple[str, bytes]:
        """The signed head for this consumer (base64), and the entries since the last one that it showed us.

        Given with one plan once: who asks again gets the same bytes, unless it has lost receipts in between.
        """
        ledger, chain = self._desk.ledger, self._chain(consumer)
        first = self._told(chain) + 1
        given = self._given(plan_hash)
        if given is not None and given[0] <= first:
            return given[1:]
        sequence, nonce = ledger.sequence(), os.urandom(32)
        statement = self._signed(chain, plan_hash, sequence, nonce)
        head, entries = base64.b64encode(statement).decode("ascii"), pack_entries(first, ledger.entries(chain, first))
        given_now = {"entries": base64.b64encode(entries).decode("ascii"), "first": first, "head": head}
        self._desk.database.keep("head", plan_hash, canonical_bytes(given_now))
        return head, entries

    def export(self, consumer: str, subject: str) -> bytes:
        """The present head for an auditor: signed and remembered as any other, and no consumer is told of it."""
        sequence, nonce = self._desk.ledger.sequence(), os.urandom(32)
        return self._signed(self._chain(consumer), subject, sequence, nonce)

    def _signed(self, chain: Chain, subject: str, sequence: int, nonce: bytes) -> bytes:
        body = {
            **self._fields(chain, subject, sequence, nonce),
            "actor": self._desk.name,
            "at": self._desk.now(),
            "contract": self._desk.contract_hash.hex(),
            "kind": KIND,
            "room": chain.room,
            "subject": subject,
            "v": 1,
        }
        statement = sign_statement(KIND, body, self._desk.keys.identity)
        self._desk.database.run(
            "INSERT INTO head_given VALUES (?, ?, ?, ?)", sha256(statement).hexdigest(), sequence, nonce, statement
        )
        return statement

    def _given(self, plan_hash: str) -> tuple[int, str, bytes] | None:
        """What went with this plan before: the place of its first entry, the head, the entries."""
        database = self._desk.database
        if database.one("SELECT 1 FROM bulk WHERE kind = 'head' AND id = ?", plan_hash) is None:
            return None
        kept = parse_canonical(database.kept("head", plan_hash))
        return int(kept["first"]), str(kept["head"]), base64.b64decode(kept["entries"])

    def _chain(self, consumer: str) -> Chain:
        return Chain(self._desk.dataset.lineage, self._desk.contract.room, consumer)

    def _fields(self, chain: Chain, plan_hash: str, sequence: int, nonce: bytes) -> dict[str, object]:
        standings = self._desk.ledger.standings(sequence)
        root, proof = self.root(standings, chain, plan_hash, nonce)
        return _head(chain, standings.get(chain), plan_hash).fields(root, proof)

    def root(
        self, standings: dict[Chain, Standing], chain: Chain, plan_hash: str, nonce: bytes
    ) -> tuple[bytes, Inclusion]:
        """The root over all chains and one chain's place under it, computed again from the ledger."""
        contents = {_name(one): _head(one, standing, plan_hash).content() for one, standing in standings.items()}
        contents.setdefault(_name(chain), _head(chain, None, plan_hash).content())
        return include(contents, _name(chain), secret=self._secret, nonce=nonce)

    def _told(self, chain: Chain) -> int:
        row = self._desk.database.one(
            "SELECT entries FROM head_told WHERE lineage = ? AND room = ? AND consumer = ?",
            chain.lineage, chain.room, chain.consumer,
        )  # fmt: skip
        return int(row[0]) if row else 0

    def check_receipt(self, message: Message) -> None:
        """The asker's newest receipt, if it has one; raises PeerError, or ForgottenError when we have forgotten it.

        Raises RefusedError when more entries came since than travel with an answer; then what it showed before counts
        on, for answers that are under way.
        """
        chain, told = self._chain(message.sender), 0
        if "receipt" in message.header:
            statement = strict_base64(message.header["receipt"])
            head = open_head(statement, self._desk.contract.cards[self._desk.name].identity)
            if head.consumer != message.sender:
                raise PeerError("a receipt is another party's")
            held = Chain(head.lineage, head.room, head.consumer)
            if self._desk.ledger.head_at(held, head.entries) == head.head:
                told = head.entries if held == chain else 0
            elif not self._is_replayed(held, head):
                raise ForgottenError(message.sender, statement)
        if self._desk.ledger.standing(chain).entries - told > MOST_ENTRIES:
            raise self._lost_receipts(message.sender)
        self._desk.database.run(
            "INSERT OR REPLACE INTO head_told VALUES (?, ?, ?, ?)", chain.lineage, chain.room, chain.consumer, told
        )

    def _lost_receipts(self, asker: str) -> RefusedError:
        return RefusedError(
            "receipt",
            self._desk.name,
            f"{asker} shows no receipt that is new enough: since then its part of the ledger grew by more than"
            f" {MOST_ENTRIES} entries",
            f"restore {asker}'s node from a newer backup, or agree on a room under another name, where receipts begin"
            " anew and what is spent stays spent",
        )

    def _is_replayed(self, chain: Chain, head: LedgerHead) -> bool:
        """Whether the last replay has booked at least what a lost head claims; then the chain goes on from it."""
        ledger = self._desk.ledger
        if ledger.has("replayed", head.head):
            return True
        row = self._desk.database.one("SELECT value FROM meta WHERE name = 'replayed'")
        if row is None:
            return False
        standing = ledger.standing(chain, int(row[0]))
        if standing.spent < head.spent or standing.matches < head.matches:
            return False
        ledger.replayed(at=self._desk.now(), chain=chain, head=head.head, units=0)
        return True


def note_forgotten(desk: Desk, error: ForgottenError) -> None:
    """For good: the next start refuses to serve, and the replay finds the receipt."""
    desk.database.run("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", str(error))
    desk.database.run(
        "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?, ?)",
        sha256(error.evidence).hexdigest(), desk.now(), error.peer, FORGOTTEN, error.evidence, b"",
    )  # fmt: skip


def open_own_head(desk: Desk, statement: bytes) -> LedgerHead:
    """A head that this node signed, in this room or in another one before our identity key was changed.

    Raises PeerError or AuthenticationError.
    """
    for identity in desk.keys.identities:
        with suppress(AuthenticationError):
            return open_head(statement, identity)
    return open_head(statement, desk.contract.cards[desk.name].identity)


def pack_entries(first: int, entries: list[ConsumerEntry]) -> bytes:
    """Entries as they travel beside their head; raises StateError when they are too many for one message.

    `check_receipt` refuses an asker that lacks so many before anything is charged.
    """
    packed = canonical_bytes({"entries": [entry.body() for entry in entries], "first": first})
    if len(packed) > PIECE_BYTES // 2:
        raise StateError("while an answer was under way more ledger entries came than travel with it")
    return packed


def _name(chain: Chain) -> bytes:
    return canonical_bytes([chain.lineage, chain.room, chain.consumer])


def _head(chain: Chain, standing: Standing | None, plan_hash: str) -> LedgerHead:
    one = standing or Standing(chain.genesis(), 0, 0, 0)
    return LedgerHead(
        room=chain.room,
        lineage=chain.lineage,
        consumer=chain.consumer,
        subject=plan_hash,
        entries=one.entries,
        head=one.head,
        spent=one.spent,
        matches=one.matches,
    )
