"""Receipts, from the asker's side: what an owner signed that its ledger holds about us, and whether it still does.

Each answer comes with a head of our chain in the owner's ledger and the entries since the head that we showed with
the plan. The answer is shown only if the chain continues the one we hold, every entry is a question or match of our
own at its own price, and this question stands in it, once, as released. An owner that was restored from a backup, or
keeps two ledgers, cannot satisfy that; what it sent is kept as evidence.

The one fork that is taken is that of an owner whose operator replayed its debits: a `replayed` entry names the head
that we hold and books what was missing, so that at least as much is spent as our receipt says.
"""

import base64
from dataclasses import dataclass
from hashlib import sha256

from cleanroom.errors import CleanroomError, PeerError
from cleanroom.querylog.consumer_chain import (
    ConsumerEntry,
    consumer_heads,
    matches_debited,
    spent_after_each,
    spent_units,
)
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.ledger_head import LedgerHead, open_head
from cleanroom.question.plan import Plan
from cleanroom.wire.canonical import canonical_bytes, labelled_hash, parse_canonical
from parties.desk import Desk
from parties.ledger import Chain


class _DisputedError(CleanroomError):
    """What is wrong with an owner's head, in words for our own analyst."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A chain's entries and the head after each; `newest` is the last signed head, None before the first."""

    entries: tuple[ConsumerEntry, ...]
    heads: tuple[str, ...]
    newest: LedgerHead | None = None


def replayed_match(head: str, number: int) -> str:
    """The subject under which an owner books the n-th match that a lost head claimed and nobody can name any more."""
    return labelled_hash("cleanroom/v1/replayed-match", bytes.fromhex(head), number.to_bytes(4, "big")).hex()


class Receipts:
    """Keeps receipts and checks heads against them. Every call runs inside the caller's transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _key(self, owner: str) -> tuple[str, str, str]:
        lineages = {str(name): dataset.lineage for name, dataset in self._desk.contract.datasets.items()}
        return owner, lineages[owner], self._desk.contract.room

    def newest(self, owner: str) -> bytes | None:
        """The owner's last signed word to us."""
        row = self._desk.database.one(
            "SELECT statement FROM receipt WHERE owner = ? AND lineage = ? AND room = ?", *self._key(owner)
        )
        return None if row is None else bytes(row[0])

    def header(self, owner: str) -> dict[str, str]:
        """The receipt as a plan carries it; nothing when there is none."""
        statement = self.newest(owner)
        return {} if statement is None else {"receipt": base64.b64encode(statement).decode("ascii")}

    def take(self, plan: Plan, statement: bytes, blob: bytes) -> str:
        """Check the head that came with the answer to `plan` and keep it; returns what is wrong with it, or nothing.

        Raises PeerError or AuthenticationError for what is malformed, forged or about something else.
        """
        identity = self._desk.contract.cards[plan.owner].identity
        head = open_head(statement, identity)
        owner, lineage, room = self._key(plan.owner)
        if (head.room, head.lineage, head.consumer, head.subject) != (room, lineage, self._desk.name, plan.hash()):
            raise PeerError("a ledger head is about something else than the answer it came with")
        first, new = _parse_entries(blob)
        held = self._held(owner, identity)
        try:
            line = _continued(held, Chain(lineage, room, self._desk.name), head, first, new)
            forked = not _agree(held, line)
            self._check_entries(plan, held, line, forked=forked)
        except _DisputedError as dispute:
            self._keep_evidence(owner, str(dispute), statement, blob)
            return str(dispute)
        if forked:
            before = canonical_bytes({"entries": [entry.body() for entry in held.entries], "first": 1})
            self._keep_evidence(owner, "the owner replayed its ledger", self.newest(owner) or b"", before)
        if forked or len(line.entries) >= len(held.entries):
            self._save(owner, line, statement, known=0 if forked else len(held.entries))
        return ""

    def entries(self, owner: str) -> tuple[ConsumerEntry, ...]:
        """Every entry of our chain that the owner has shown."""
        return tuple(entry for entry, _ in self._shown(owner))

    def _shown(self, owner: str) -> list[tuple[ConsumerEntry, str]]:
        """Each entry with the head after it."""
        rows = self._desk.database.all(
            "SELECT entry, head FROM receipt_entry WHERE owner = ? AND lineage = ? AND room = ? ORDER BY place",
            *self._key(owner),
        )
        return [(ConsumerEntry.from_body(parse_canonical(row[0].encode("utf-8"))), row[1]) for row in rows]

    def _held(self, owner: str, identity: bytes) -> _Line:
        shown, newest = self._shown(owner), self.newest(owner)
        return _Line(
            tuple(entry for entry, _ in shown),
            tuple(head for _, head in shown),
            None if newest is None else open_head(newest, identity),
        )

    def _check_entries(self, plan: Plan, held: _Line, line: _Line, *, forked: bool) -> None:
        places = [(entry.kind, entry.subject) for entry in line.entries]
        if len(set(places)) != len(places):
            raise _DisputedError("books something twice")
        known = 0 if forked else min(len(held.entries), len(line.entries))
        replays = {entry.subject for entry in line.entries if entry.kind == "replayed"}
        if forked and (held.newest is None or held.newest.head not in replays):
            raise _DisputedError("does not continue the one that it showed before")
        _check_replays(held, line, known)
        replayed = _replayed_matches(held, line)
        for entry in line.entries[known:]:
            if entry.kind == "match_debit":
                self._check_match(plan.owner, entry, replayed)
            elif entry.kind != "replayed":
                self._check_question(plan.owner, entry)
        own = {entry.kind: entry for entry in line.entries if entry.subject == plan.hash()}
        if set(own) != {"reserve", "share_sent"}:
            raise _DisputedError("does not hold this question as released")

    def _check_question(self, owner: str, entry: ConsumerEntry) -> None:
        plan = self._own_plan(entry.subject)
        if plan is None or plan.owner != owner:
            raise _DisputedError("holds a question that we did not ask")
        if entry.units != (plan.cost_units if entry.kind == "reserve" else 0) or entry.quantity != plan.quantity.kind:
            raise _DisputedError("holds a question of ours at another price")

    def _own_plan(self, plan_hash: str) -> Plan | None:
        """From the question, or, after our own restore and replay, from the statement that we signed."""
        row = self._desk.database.one(
            "SELECT plan FROM question WHERE plan_hash = ?1 AND owner = 0"
            " UNION ALL SELECT bytes FROM said WHERE subject = ?1 AND kind = 'question.asked'",
            plan_hash,
        )
        plan = None if row is None else Plan.from_body(peek_statement(row[0]).get("plan"))
        return plan if plan is not None and plan.hash() == plan_hash else None

    def _check_match(self, owner: str, entry: ConsumerEntry, replayed: set[str]) -> None:
        database = self._desk.database
        known = database.one("SELECT 1 FROM match WHERE id = ? AND peer = ?", entry.subject, owner) or database.one(
            "SELECT 1 FROM said WHERE subject = ? AND kind IN ('match.opened', 'match.debit')", entry.subject
        )
        if known is None and entry.subject not in replayed:
            raise _DisputedError("holds a match that we did not take part in")

    def _keep_evidence(self, owner: str, why: str, statement: bytes, entries: bytes) -> None:
        self._desk.database.run(
            "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?, ?)",
            sha256(statement).hexdigest(), self._desk.now(), owner, why, statement, entries,
        )  # fmt: skip

    def _save(self, owner: str, line: _Line, statement: bytes, *, known: int) -> None:
        key, database = self._key(owner), self._desk.database
        database.run("INSERT OR REPLACE INTO receipt VALUES (?, ?, ?, ?)", *key, statement)
        database.run(
            "DELETE FROM receipt_entry WHERE owner = ? AND lineage = ? AND room = ? AND place > ?", *key, known
        )
        for place in range(known, len(line.entries)):
            database.run(
                "INSERT INTO receipt_entry VALUES (?, ?, ?, ?, ?, ?)",
                *key, place + 1, canonical_bytes(line.entries[place].body()).decode("utf-8"), line.heads[place],
            )  # fmt: skip


def _parse_entries(blob: bytes) -> tuple[int, list[ConsumerEntry]]:
    body = parse_canonical(blob)
    if not isinstance(body, dict) or set(body) != {"entries", "first"} or not isinstance(body["entries"], list):
        raise PeerError("ledger entries lack a field, or have one too many")
    if type(body["first"]) is not int or body["first"] < 1:
        raise PeerError("ledger entries are numbered from 1")
    return body["first"], [ConsumerEntry.from_body(entry) for entry in body["entries"]]


def _continued(held: _Line, chain: Chain, head: LedgerHead, first: int, new: list[ConsumerEntry]) -> _Line:
    """The whole chain up to `head`; raises _DisputedError when entries, head and totals are not one story."""
    if first > len(held.entries) + 1:
        raise _DisputedError("leaves out entries")
    before = held.heads[first - 2] if first > 1 else chain.genesis()
    entries = (*held.entries[: first - 1], *new)
    heads = (*held.heads[: first - 1], *consumer_heads(before, first, new))
    if len(entries) != head.entries or not heads or heads[-1] != head.head:
        raise _DisputedError("does not continue the one that it showed before")
    if (head.spent, head.matches) != (spent_units(entries), matches_debited(entries)):
        raise _DisputedError("adds up to something else than it says")
    return _Line(entries, heads)


def _agree(held: _Line, line: _Line) -> bool:
    """Whether one chain is the beginning of the other: an answer can be overtaken by a later one on its way."""
    common = min(len(held.heads), len(line.heads))
    return common == 0 or held.heads[common - 1] == line.heads[common - 1]


def _check_replays(held: _Line, line: _Line, known: int) -> None:
    """A `replayed` entry names a head that we held, and books exactly what was missing of what that head had spent."""
    places, taken = {head: place for place, head in enumerate(held.heads)}, set(held.entries)
    before, claimed = [0, *spent_after_each(line.entries)], spent_after_each(held.entries)
    for place, entry in enumerate(line.entries[known:], start=known):
        if entry.kind != "replayed" or entry in taken:
            continue
        if entry.subject not in places:
            raise _DisputedError("replays a head that we never held")
        if entry.units != max(0, claimed[places[entry.subject]] - before[place]):
            raise _DisputedError("replays another amount than was missing")


def _replayed_matches(held: _Line, line: _Line) -> set[str]:
    """Under which subjects the checked `replayed` entries of a chain book matches that nobody can name any more.

    They stand right before their `replayed` entry, so that there are never more to compute than the chain is long.
    """
    lost = held.newest.matches if held.newest is not None else 0
    found: set[str] = set()
    run = 0
    for entry in line.entries:
        if entry.kind == "replayed":
            found |= {replayed_match(entry.subject, number) for number in range(min(run, lost))}
        run = run + 1 if entry.kind == "match_debit" else 0
    return found
