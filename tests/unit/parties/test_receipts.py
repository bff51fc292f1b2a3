"""An owner's heads at its asker, an asker's receipts at its owner: what is taken, disputed, caught and replayed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import PeerError, RefusedError, StateError
from cleanroom.querylog.consumer_chain import KINDS, MAX_UNITS, ConsumerEntry
from cleanroom.querylog.dsse import peek_statement, sign_statement, strict_base64
from cleanroom.question.plan import Plan
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from parties.desk import Desk
from parties.heads import MOST_ENTRIES, ForgottenError, Heads, note_forgotten, pack_entries
from parties.ledger_check import check_ledger
from parties.post import Message
from parties.receipts import Receipts, replayed_match
from parties.replay import Replay, Replayed
from parties.setup_rows import SetupRows
from tests.unit.parties.nodes import AGREED, desk
from tests.unit.parties.test_own_log import KeptLog, check_kept
from tests.unit.question.agreements import BANK, BRAND, RHO, SHOP, identity, plan

LINEAGE = AGREED.datasets[BRAND].lineage


@dataclass
class Pair:
    """shop asks brand; only the ledgers and what is said about them."""

    asker: Desk
    owner: Desk
    folder: Path
    asked: int = 0

    def ask(self, consumer: str = SHOP, units: int = RHO // 100) -> Plan:
        """A plan that the asker remembers and the owner reserves for."""
        self.asked += 1
        made = plan(AGREED, units=units, asker=consumer, repeat=self.asked)
        if consumer == SHOP:
            statement = self.asker.state("question.asked", made.hash(), plan=made.body(), owner=BRAND)
            self.asker.keep_statement("question.asked", made.hash(), statement, "")
        self.owner.ledger.reserve(
            at=self.owner.now(),
            lineage=LINEAGE,
            room=AGREED.room,
            consumer=consumer,
            plan_hash=made.hash(),
            quantity=made.quantity.kind,
            units=made.cost_units,
        )
        return made

    def give(self, made: Plan) -> tuple[bytes, bytes]:
        """The owner releases, and sends head and entries with its answer."""
        self.owner.ledger.share_sent(at=self.owner.now(), plan_hash=made.hash())
        head, entries = Heads(self.owner).give(made.asker, made.hash())
        return strict_base64(head), entries

    def take(self, made: Plan, head: bytes, entries: bytes) -> str:
        """What the asker says to it."""
        return Receipts(self.asker).take(made, head, entries)

    def answer(self) -> str:
        """A whole question: receipt shown, reserved, released, head taken."""
        self.show()
        made = self.ask()
        return self.take(made, *self.give(made))

    def show(self, sender: str = SHOP) -> None:
        """The asker's newest receipt, as its next plan carries it."""
        header = Receipts(self.asker).header(BRAND)
        Heads(self.owner).check_receipt(Message(AGREED.cards[SHOP].name, "question.plan", "", header, b""))

    def restore(self, backup: Path) -> None:
        """The owner's database is an older one from now on."""
        self.owner.database.close()
        self.owner = desk(backup, BRAND)

    def backup(self) -> Path:
        """A copy of the owner's database as it is now."""
        copy = self.folder / f"backup{self.asked}"
        copy.mkdir()
        self.owner.database.run("VACUUM INTO ?", str(copy / "node.db"))
        return copy


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two empty nodes."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "brand").mkdir()
    made = Pair(desk(tmp_path / "shop", SHOP), desk(tmp_path / "brand", BRAND), tmp_path)
    yield made
    made.asker.database.close()
    made.owner.database.close()


def receipt(pair: Pair) -> dict[str, Any]:
    """What the asker holds."""
    statement = Receipts(pair.asker).newest(BRAND)
    assert statement is not None
    return peek_statement(statement)


def evidence(pair: Pair) -> list[str]:
    """Why something was kept."""
    return [why for (why,) in pair.asker.database.all("SELECT why FROM evidence")]


# ---- honest ----------------------------------------------------------------------------------------------------------


def test_each_answer_renews_the_receipt(pair: Pair) -> None:
    assert pair.answer() == ""
    first = receipt(pair)
    assert pair.answer() == ""
    second = receipt(pair)
    assert (first["entries"], second["entries"]) == (2, 4)
    assert int(second["spent"]) == 2 * int(first["spent"]) > 0
    assert evidence(pair) == []


def test_only_what_the_asker_lacks_is_sent(pair: Pair) -> None:
    pair.answer()
    pair.show()
    made = pair.ask()
    head, entries = pair.give(made)
    assert parse_canonical(entries)["first"] == 3
    assert pair.take(made, head, entries) == ""


def test_an_asker_without_receipts_gets_everything(pair: Pair) -> None:
    pair.answer()
    pair.asker.database.run("DELETE FROM receipt")
    pair.asker.database.run("DELETE FROM receipt_entry")
    assert pair.answer() == ""
    assert receipt(pair)["entries"] == 4


def test_answers_that_overtake_each_other_are_both_shown(pair: Pair) -> None:
    """Messages are the coordinator's to reorder, and nobody is accused for it."""
    first, second = pair.ask(), pair.ask()
    heads = [pair.give(first), pair.give(second)]
    assert pair.take(second, *heads[1]) == ""
    assert pair.take(first, *heads[0]) == ""
    assert receipt(pair)["entries"] == 4
    assert pair.answer() == ""


def test_a_voided_question_is_nobodys_fault(pair: Pair) -> None:
    made = pair.ask()
    pair.owner.ledger.void(at=pair.owner.now(), plan_hash=made.hash())
    assert pair.answer() == ""
    assert int(receipt(pair)["spent"]) == plan(AGREED, units=RHO // 100).cost_units


@pytest.mark.parametrize(("most", "refused"), [(4, False), (3, True)])
def test_who_lacks_more_entries_than_travel_with_an_answer_is_told_so_before_anything_is_charged(
    most: int, refused: bool, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It once was found at sending, when the question was paid for and its noise drawn."""
    pair.answer()
    pair.answer()
    monkeypatch.setattr("parties.heads.MOST_ENTRIES", most)
    told = pair.owner.database.all("SELECT * FROM head_told")
    pair.show()
    assert (newest := pair.owner.database.all("SELECT * FROM head_told")) != told
    pair.asker.database.run("DELETE FROM receipt")
    pair.asker.database.run("DELETE FROM receipt_entry")
    if not refused:
        assert pair.answer() == ""
        return
    with pytest.raises(RefusedError, match=r"shop shows no receipt .* restore shop's node .* room under another name"):
        pair.show()
    assert pair.owner.database.all("SELECT * FROM head_told") == newest, "answers under way are not made longer"


def test_as_many_entries_as_an_asker_may_lack_fit_and_those_that_come_meanwhile() -> None:
    longest = ConsumerEntry("2026-01-02T03:04:05Z", "match_debit", "histogram", "f" * 64, MAX_UNITS)
    assert max(len(kind) for kind in KINDS) == len(longest.kind)
    assert pack_entries(1, [longest] * (MOST_ENTRIES + 500))
    with pytest.raises(StateError, match="more ledger entries came"):
        pack_entries(1, [longest] * 2 * MOST_ENTRIES)


def test_the_same_plan_again_gets_the_same_head_and_one_who_lost_receipts_gets_the_entries_it_lacks(
    pair: Pair,
) -> None:
    pair.give(pair.ask())
    made = pair.ask()
    heads = Heads(pair.owner)
    pair.owner.database.run("INSERT OR REPLACE INTO head_told SELECT lineage, room, consumer, 2 FROM ledger")
    first = heads.give(SHOP, made.hash())
    assert heads.give(SHOP, made.hash()) == first
    pair.owner.database.run("UPDATE head_told SET entries = 0")
    lost = heads.give(SHOP, made.hash())
    assert lost != first
    assert len(lost[1]) > len(first[1])
    assert heads.give(SHOP, made.hash()) == lost


def test_nothing_of_a_receipt_says_that_another_consumer_asked(pair: Pair) -> None:
    """Same entries, head and sums; only salts, proof and root differ, and those are fresh each time."""
    made = pair.ask()
    before, entries = pair.give(made)
    pair.give(pair.ask(BANK))
    pair.owner.database.erase("head", made.hash())
    after, entries_after = strict_base64(Heads(pair.owner).give(SHOP, made.hash())[0]), entries
    fresh = {"place", "proof", "root", "salt"}
    first, second = peek_statement(before), peek_statement(after)
    assert {name: first[name] for name in first.keys() - fresh} == {
        name: second[name] for name in second.keys() - fresh
    }
    assert not {first["salt"], first["root"], *first["proof"]} & {second["salt"], second["root"], *second["proof"]}
    assert (len(before), entries) == (len(after), entries_after)


# ---- an owner that does not tell one story ---------------------------------------------------------------------------


def forged(pair: Pair, made: Plan, **claims: Any) -> bytes:
    """A head that brand itself signs, over a tree of its own, with other claims."""
    pair.owner.ledger.share_sent(at=pair.owner.now(), plan_hash=made.hash())
    heads = Heads(pair.owner)
    chain = heads._chain(SHOP)
    standing = pair.owner.ledger.standing(chain)
    lied = replace(standing, **claims)
    root, proof = heads.root({chain: lied}, chain, made.hash(), bytes(32))
    own = peek_statement(strict_base64(heads.give(SHOP, made.hash())[0]))
    body = {
        **own,
        "entries": lied.entries,
        "head": lied.head,
        "matches": lied.matches,
        "place": f"{proof.place:04x}",
        "proof": [one.hex() for one in proof.siblings],
        "root": root.hex(),
        "salt": proof.salt.hex(),
        "spent": str(lied.spent),
    }
    return sign_statement("ledger.head", body, identity(BRAND))


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "more spent": ({"spent": 10**9}, "adds up"),
    "less spent": ({"spent": 0}, "adds up"),
    "more matches": ({"matches": 1}, "adds up"),
    "another head": ({"head": "11" * 32}, "does not continue"),
    "another number of entries": ({"entries": 1}, "does not continue"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_head_that_its_entries_do_not_bear_out_is_kept_as_evidence(pair: Pair, lie: str) -> None:
    claims, reason = LIES[lie]
    made = pair.ask()
    head = forged(pair, made, **claims)
    entries = Heads(pair.owner).give(SHOP, made.hash())[1]
    assert reason in pair.take(made, head, entries)
    assert len(evidence(pair)) == 1
    assert Receipts(pair.asker).newest(BRAND) is None


def test_a_question_that_was_never_asked_is_disputed(pair: Pair) -> None:
    """An owner cannot charge an asker for more than it asked."""
    made = pair.ask()
    stranger = pair.ask()
    pair.asker.database.run("DROP TRIGGER statement_grows")
    pair.asker.database.run("DELETE FROM statement WHERE subject = ?", stranger.hash())
    pair.asker.database.run("DELETE FROM outbox WHERE subject = ?", stranger.hash())
    assert "did not ask" in pair.take(made, *pair.give(made))


def test_a_question_at_another_price_is_disputed(pair: Pair) -> None:
    made = pair.ask()
    dearer = replace(made, repeat=99)
    pair.asker.state("question.asked", dearer.hash(), plan=dearer.body(), owner=BRAND)
    pair.owner.ledger.reserve(
        at=pair.owner.now(), lineage=LINEAGE, room=AGREED.room, consumer=SHOP, plan_hash=dearer.hash(),
        quantity="histogram", units=dearer.cost_units + 1,
    )  # fmt: skip
    statement = sign_statement("question.asked", {"kind": "question.asked", "plan": dearer.body()}, identity(SHOP))
    pair.asker.keep_statement("question.asked", dearer.hash(), statement, "")
    assert "another price" in pair.take(made, *pair.give(made))


def test_an_answer_that_the_ledger_does_not_hold_as_released_is_disputed(pair: Pair) -> None:
    """The head is of another question's time: this one is reserved there, and not released."""
    made = pair.ask()
    head, entries = Heads(pair.owner).give(SHOP, made.hash())
    assert "does not hold this question" in pair.take(made, strict_base64(head), entries)


def test_a_match_that_never_was_is_disputed(pair: Pair) -> None:
    pair.owner.ledger.match_debit(
        at=pair.owner.now(), lineage=LINEAGE, room=AGREED.room, peer=SHOP, match_id="aa" * 32, dummies=390
    )
    assert "did not take part" in pair.answer()


def test_entries_left_out_are_disputed(pair: Pair) -> None:
    made = pair.ask()
    head, entries = pair.give(made)
    body = parse_canonical(entries)
    cut = canonical_bytes({"entries": body["entries"][1:], "first": 2})
    assert "leaves out" in pair.take(made, head, cut)


def test_a_head_about_another_plan_or_for_another_party_is_refused(pair: Pair) -> None:
    made, other, foreign = pair.ask(), pair.ask(), pair.ask(BANK)
    head, entries = pair.give(other)
    with pytest.raises(PeerError, match="something else"):
        pair.take(made, head, entries)
    with pytest.raises(PeerError, match="something else"):
        pair.take(made, *pair.give(foreign))


@pytest.mark.parametrize("blob", [b"", b"{}", b"[]", b'{"entries":[],"first":0}', b'{"entries":[1],"first":1}'])
def test_malformed_entries_are_refused(pair: Pair, blob: bytes) -> None:
    made = pair.ask()
    with pytest.raises(PeerError):
        pair.take(made, pair.give(made)[0], blob)


# ---- an owner that was restored -------------------------------------------------------------------------------------


def restored(pair: Pair) -> Path:
    """The owner answers one question, is copied, answers another, and is put back."""
    assert pair.answer() == ""
    backup = pair.backup()
    assert pair.answer() == ""
    pair.restore(backup)
    return backup


def test_a_restored_owner_knows_its_own_signature(pair: Pair) -> None:
    restored(pair)
    with pytest.raises(ForgottenError, match=r"^shop holds a receipt of ours .* cleanroom party ledger replay"):
        pair.show()


def test_an_asker_does_not_show_what_a_restored_owner_answers(pair: Pair) -> None:
    """An owner that does not look at receipts, or was not shown one."""
    restored(pair)
    made = pair.ask()
    assert "does not continue" in pair.take(made, *pair.give(made))
    assert len(evidence(pair)) == 1
    assert receipt(pair)["entries"] == 4


def test_a_receipt_that_somebody_else_made_up_stops_nobody(pair: Pair) -> None:
    pair.answer()
    statement = Receipts(pair.asker).newest(BRAND)
    assert statement is not None
    body = {**peek_statement(statement), "spent": "0"}
    for signer in (SHOP, BRAND):  # not signed by the owner; signed by it and not under its root
        pair.asker.database.run(
            "UPDATE receipt SET statement = ?", sign_statement("ledger.head", body, identity(signer))
        )
        with pytest.raises(PeerError):
            pair.show()


def test_a_receipt_of_another_party_is_an_offence(pair: Pair) -> None:
    pair.answer()
    header = Receipts(pair.asker).header(BRAND)
    with pytest.raises(PeerError, match="another party"):
        Heads(pair.owner).check_receipt(Message(AGREED.cards[BANK].name, "question.plan", "", header, b""))


def replay(pair: Pair, *statements: bytes) -> Replayed:
    """As the operator does, over a log of these statements."""
    return Replay(pair.owner, SetupRows(pair.owner)).run(KeptLog(statements))


def test_what_only_a_receipt_tells_is_booked_in_one_sum_and_the_asker_takes_the_fork(pair: Pair) -> None:
    """The coordinator hides everything; one question and one match are known by their sum and number."""
    pair.answer()
    backup = pair.backup()
    pair.asker.database.run(
        "INSERT INTO match (id, peer, initiator, state, contract, own_version, dummies, since)"
        " VALUES (?, 'brand', 1, 'ready', '', '', 1, 0)",
        "aa" * 32,
    )
    pair.owner.ledger.match_debit(
        at=pair.owner.now(), lineage=LINEAGE, room=AGREED.room, peer=SHOP, match_id="aa" * 32, dummies=390
    )
    assert pair.answer() == ""
    claimed = int(receipt(pair)["spent"])
    pair.restore(backup)
    with pytest.raises(ForgottenError) as caught:
        pair.show()
    note_forgotten(pair.owner, caught.value)
    with pytest.raises(StateError, match="replay"):
        check_kept(pair.owner, KeptLog([]))
    with pytest.raises(StateError, match="shop holds a receipt"):
        check_ledger(pair.owner)
    done = replay(pair)
    assert (done.matches, done.units) == (1, claimed // 2)
    assert pair.owner.ledger.spent(LINEAGE) == claimed
    assert pair.owner.ledger.matches(LINEAGE) == 1
    check_kept(pair.owner, KeptLog([]))
    assert replay(pair) == Replayed(0, 0, 0, 0, 0)
    check_ledger(pair.owner)
    assert pair.answer() == ""
    assert evidence(pair) == ["the owner replayed its ledger"]
    assert pair.answer() == ""
    assert int(receipt(pair)["spent"]) == claimed // 2 * 4


def debit(pair: Pair, match: str) -> None:
    """One match in the owner's ledger."""
    pair.owner.ledger.match_debit(
        at=pair.owner.now(), lineage=LINEAGE, room=AGREED.room, peer=SHOP, match_id=match, dummies=390
    )


def test_an_owner_that_only_says_it_replayed_is_not_believed(pair: Pair) -> None:
    """The entry must book what was missing: here it books one unit less."""
    restored(pair)
    chain = Heads(pair.owner)._chain(SHOP)
    missing = plan(AGREED, units=RHO // 100).cost_units
    pair.owner.ledger.replayed(at=pair.owner.now(), chain=chain, head=receipt(pair)["head"], units=missing - 1)
    made = pair.ask()
    assert "another amount" in pair.take(made, *pair.give(made))


def test_many_replayed_heads_cost_the_asker_no_more_than_their_entries(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every match was once tried under every replayed head and number: minutes of work by one message."""
    hashed: list[int] = []

    def counting(head: str, number: int) -> str:
        hashed.append(number)
        return replayed_match(head, number)

    monkeypatch.setattr("parties.receipts.replayed_match", counting)
    for number in range(60):
        pair.asker.database.run(
            "INSERT INTO match (id, peer, initiator, state, contract, own_version, dummies, since)"
            " VALUES (?, 'brand', 1, 'ready', '', '', 1, 0)",
            f"{number:064x}",
        )
    heads = []
    for number in range(30):
        debit(pair, f"{number:064x}")
        assert pair.answer() == ""
        heads.append(receipt(pair)["head"])
    claimed = int(receipt(pair)["spent"])
    (pair.folder / "empty").mkdir()
    pair.restore(pair.folder / "empty")
    chain = Heads(pair.owner)._chain(SHOP)
    for number in range(30):
        debit(pair, f"{number:064x}")
    for head in reversed(heads):
        pair.owner.ledger.replayed(at=pair.owner.now(), chain=chain, head=head, units=claimed)
        claimed = 0
    made = pair.ask()
    assert pair.take(made, *pair.give(made)) == ""
    assert 0 < len(hashed) <= 90


def test_a_reservation_that_a_backup_held_open_is_closed_as_spent(pair: Pair) -> None:
    """Its answer may have left after the copy was made."""
    made = pair.ask()
    backup = pair.backup()
    assert pair.take(made, *pair.give(made)) == ""
    pair.restore(backup)
    with pytest.raises(ForgottenError) as caught:
        pair.show()
    note_forgotten(pair.owner, caught.value)
    assert replay(pair).closed == 1
    with pytest.raises(StateError, match="cannot be voided"):
        pair.owner.ledger.void(at=pair.owner.now(), plan_hash=made.hash())


def debited(pair: Pair, made: Plan, kind: str = "budget.debit", accountant: str = "zcdp") -> bytes:
    """The owner's statement, as it stands in the log."""
    more: dict[str, Any] = {"consumer": made.asker}
    if kind == "budget.debit":
        more |= {
            "accountant": accountant,
            "lineage": LINEAGE,
            "match": made.match,
            "quantity": made.quantity.kind,
            "units": str(made.cost_units),
        }
    return pair.owner.state(kind, made.hash(), **more)


def test_a_replay_from_the_log_books_each_debit_once_and_honours_our_own_voids(pair: Pair) -> None:
    backup = pair.backup()
    first, second = pair.ask(), pair.ask(BANK)
    log = [debited(pair, first), debited(pair, second), debited(pair, second, "budget.voided")]
    pair.restore(backup)
    with pytest.raises(StateError, match="backup was restored"):
        check_kept(pair.owner, KeptLog(log))
    done = replay(pair, *log)
    assert (done.statements, done.questions, done.closed) == (3, 2, 1)
    assert pair.owner.ledger.spent(LINEAGE) == first.cost_units
    assert replay(pair, *log) == Replayed(0, 0, 0, 0, 0)
    check_kept(pair.owner, KeptLog(log))
    check_ledger(pair.owner)


def test_a_replay_fixes_the_currency_of_a_ledger_that_was_lost(pair: Pair) -> None:
    """Units of rho were once read as pure epsilon under later terms."""
    backup = pair.backup()
    log = [debited(pair, pair.ask())]
    pair.restore(backup)
    assert replay(pair, *log).questions == 1
    with pytest.raises(StateError, match="agree on zcdp"):
        pair.owner.ledger.fix_accountant(LINEAGE, "pure")


def test_a_debit_in_another_currency_than_the_ledgers_is_not_booked(pair: Pair) -> None:
    pair.owner.ledger.fix_accountant(LINEAGE, "pure")
    backup = pair.backup()
    log = [debited(pair, pair.ask(), accountant="pure"), debited(pair, pair.ask(), accountant="zcdp")]
    pair.restore(backup)
    with pytest.raises(StateError, match="the two do not add up"):
        replay(pair, *log)
    assert pair.owner.ledger.sequence() == 0
    assert replay(pair, *log[:1]).questions == 1


def test_a_replay_over_a_log_that_ends_before_what_stopped_the_node_books_and_frees_nothing(pair: Pair) -> None:
    """It once booked nothing and let the node serve again."""
    backup = pair.backup()
    first, second = pair.ask(), pair.ask(BANK)
    log = [debited(pair, first), debited(pair, second)]
    pair.restore(backup)
    with pytest.raises(StateError, match="backup was restored"):
        check_kept(pair.owner, KeptLog(log))
    for shown in ([], log[:1], [log[1], log[0]]):
        with pytest.raises(StateError, match=r"^nothing was booked: .* up to entry 2; .* then replay again$"):
            replay(pair, *shown)
        with pytest.raises(StateError, match="backup was restored"):
            check_kept(pair.owner, KeptLog(shown))
    assert pair.owner.ledger.sequence() == 0
    assert replay(pair, *log).questions == 2
    check_kept(pair.owner, KeptLog(log))


def test_a_replay_goes_on_from_the_log_that_was_checked_before(pair: Pair) -> None:
    log = [debited(pair, pair.ask()), debited(pair, pair.ask(BANK))]
    check_kept(pair.owner, KeptLog(log))
    for shown in ([], log[:1], [log[1], log[0]]):
        with pytest.raises(StateError, match=r"^nothing was booked: .* up to entry 2;"):
            replay(pair, *shown)
    assert replay(pair, *log) == Replayed(0, 0, 0, 0, 0)


def test_what_was_forgotten_in_one_room_is_not_freed_by_the_log_of_another(pair: Pair) -> None:
    pair.owner.database.run("INSERT INTO meta VALUES ('restored-log', ?)", f"winter 2 {'ab' * 32}")
    with pytest.raises(StateError, match="log of room winter"):
        replay(pair)


def test_a_healthy_node_loses_nothing_by_a_replay(pair: Pair) -> None:
    """A reservation that waits for its proof stays open."""
    made = pair.ask()
    log = [debited(pair, made)]
    assert replay(pair, *log) == Replayed(0, 0, 0, 0, 0)
    assert pair.owner.ledger.open_plans() == [made.hash()]


# ---- verify ----------------------------------------------------------------------------------------------------------


def test_a_ledger_that_tells_what_was_said_is_walked_without_complaint(pair: Pair) -> None:
    pair.answer()
    pair.give(pair.ask(BANK))
    checked = check_ledger(pair.owner)
    assert (checked.entries, checked.chains, checked.heads) == (4, 2, 2)


def test_a_debit_of_ours_that_the_ledger_lacks_is_named(pair: Pair) -> None:
    made = plan(AGREED)
    debited(pair, made)
    with pytest.raises(StateError, match=f"lacks the reserve entry of {made.hash()}"):
        check_ledger(pair.owner)


def test_a_debit_of_ours_that_says_something_else_is_named(pair: Pair) -> None:
    made = pair.ask()
    debited(pair, replace(made, cost_units=made.cost_units + 1))
    pair.owner.database.run("UPDATE outbox SET subject = subject")
    with pytest.raises(StateError, match="lacks the reserve"):
        check_ledger(pair.owner)
    pair.owner.database.run("DELETE FROM outbox")
    pair.owner.state(
        "budget.debit", made.hash(), consumer=SHOP, lineage=LINEAGE, match=made.match, quantity="histogram", units="1"
    )
    with pytest.raises(StateError, match="entry 1 is not what this node signed"):
        check_ledger(pair.owner)


def test_a_ledger_rewritten_with_all_its_hashes_is_caught_by_every_head_that_was_given(pair: Pair) -> None:
    """Whoever has the file can compute chains anew; shop's receipt then shows what was done to bank's entries."""
    bank = pair.ask(BANK)
    pair.answer()
    rows = pair.owner.database.all("SELECT subject, units FROM ledger WHERE kind = 'reserve' ORDER BY sequence")
    pair.owner.database.run("DROP TRIGGER ledger_grows")
    pair.owner.database.run("DELETE FROM ledger")
    for subject, units in rows:
        consumer, less = (BANK, units - 1) if subject == bank.hash() else (SHOP, units)
        pair.owner.ledger.reserve(
            at=pair.owner.now(), lineage=LINEAGE, room=AGREED.room, consumer=consumer, plan_hash=subject,
            quantity="histogram", units=less,
        )  # fmt: skip
        if consumer == SHOP:
            pair.owner.ledger.share_sent(at=pair.owner.now(), plan_hash=subject)
    pair.owner.ledger.verify()
    with pytest.raises(StateError, match="given out over entry 3, to shop, stands under another root"):
        check_ledger(pair.owner)
