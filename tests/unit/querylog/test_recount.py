"""Budgets added up again: a right log adds up, and every way in which one does not is named at its entry."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cleanroom.ids import PartyName
from cleanroom.match.handshake import dummies_of_lineage
from cleanroom.querylog.history import read_history
from cleanroom.querylog.ledger_head import LedgerHead
from cleanroom.querylog.recount import Recount, SignedHead, recount
from cleanroom.question.approval import Approval
from cleanroom.question.contract import Contract
from tests.audited_room import START, Story, ordinary
from tests.unit.question import agreements

BRAND = PartyName("brand")


def recounted(story: Story, *heads: SignedHead) -> Recount:
    terms = {story.hash: story.contract}
    return recount(read_history(story.entries, terms), terms, heads)


def lines(story: Story, *heads: SignedHead) -> list[str]:
    return [deviation.line() for deviation in recounted(story, *heads).deviations]


def with_brand(**terms: object) -> Contract:
    return agreements.contract({BRAND: agreements.dataset(BRAND, **terms)})


def test_an_ordinary_day_adds_up() -> None:
    done = recounted(ordinary())
    assert done.deviations == ()
    price = agreements.plan().cost_units
    assert {
        (one.consumer, one.lineage): (one.spent, one.questions, one.voided, one.matches) for one in done.accounts
    } == {
        ("shop", "brand customers"): (price, 1, 0, 1),
        ("brand", "shop customers"): (price, 1, 0, 1),
        ("bank", "brand customers"): (0, 1, 1, 0),
    }


def test_a_log_whose_debits_reach_the_cap_adds_up_and_one_unit_more_does_not() -> None:
    price = agreements.plan().cost_units
    for cap, wrong in ((2 * price, 0), (2 * price - 1, 1)):
        story = Story(with_brand(consumer_caps={PartyName("shop"): cap}))
        story.answer()
        story.answer()
        assert len(found := lines(story)) == wrong
        assert all("entry 4: shop has spent" in line for line in found)


def test_what_all_have_spent_is_held_against_the_lineage_s_cap() -> None:
    price = agreements.plan().cost_units
    caps = {PartyName("shop"): price, PartyName("bank"): price}
    for cap, wrong in ((2 * price, 0),):
        story = Story(with_brand(consumer_caps=caps, cap_units=cap))
        story.answer("shop")
        story.answer("bank")
        assert len(lines(story)) == wrong


def test_a_void_gives_back_what_was_reserved() -> None:
    story = Story(with_brand(consumer_caps={PartyName("shop"): agreements.plan().cost_units}))
    plan = story.ask()
    story.debit(plan)
    story.void(plan)
    story.answer()
    assert lines(story) == []


def test_as_many_questions_as_agreed_and_one_more() -> None:
    story = Story(with_brand(questions_each=2))
    story.answer()
    story.answer()
    assert lines(story) == []
    story.answer()
    assert lines(story) == ["entry 7: shop had its 2 questions already"]


def test_as_many_matches_as_agreed_and_one_more() -> None:
    story = Story()
    most = story.contract.datasets[BRAND].overlap.matches
    for number in range(most):
        story.match(number=number)
    assert lines(story) == []
    story.match(number=most)
    assert any(f"`brand customers` was shown more often than the agreed {most} times" in line for line in lines(story))


def test_a_match_hidden_by_one_dummy_less_than_promised_is_named() -> None:
    story = Story()
    least = dummies_of_lineage(story.contract, BRAND)
    story.match(dummies=least)
    assert lines(story) == []
    story.match(number=1, dummies=least - 1)
    assert any(f"fewer than the promised {least} dummies" in line for line in lines(story))


def asked_before(story: Story) -> None:
    plan = story.ask()
    asked = story.entries.pop()
    story.debit(plan)
    story.entries.append(asked)


def nobody_asked(story: Story) -> None:
    plan = story.ask()
    story.entries.clear()
    story.debit(plan)


def debited_by_a_stranger(story: Story) -> None:
    plan = story.ask("shop", "brand")
    story.say(
        "bank", "budget.debit", plan.hash(), accountant="zcdp", consumer="shop", lineage="bank customers",
        match=plan.match, quantity="histogram", units=str(plan.cost_units),
    )  # fmt: skip


def twice(story: Story) -> None:
    plan = story.ask()
    story.debit(plan)
    story.debit(plan)


def cheaper(story: Story) -> None:
    plan = story.ask()
    story.debit(plan, units=str(plan.cost_units - 1))


def dearer(story: Story) -> None:
    plan = story.ask()
    story.debit(plan, units=str(plan.cost_units + 1))


def plan_states_less(story: Story) -> None:
    """The asker understates its plan's cost and the owner books what is stated."""
    plan = story.ask(cost_units=7)
    story.debit(plan)


def no_units(story: Story) -> None:
    story.debit(story.ask(), units="1e3")


def other_lineage(story: Story) -> None:
    story.debit(story.ask(), lineage="somebody else")


def other_currency(story: Story) -> None:
    story.debit(story.ask(), accountant="pure")


def unpaid(story: Story) -> None:
    story.release(story.ask())


def released_after_void(story: Story) -> None:
    plan = story.ask()
    story.debit(plan)
    story.void(plan)
    story.release(plan)


def voided_after_release(story: Story) -> None:
    story.void(story.answer())


def released_twice(story: Story) -> None:
    story.release(story.answer())


def asked_after_closing(story: Story) -> None:
    story.say("brand", "room.closed", "a" * 64, reason="over")
    story.ask()


WRONG: dict[str, tuple[Callable[[Story], None], str]] = {
    "debited before it was asked": (asked_before, "entry 0: question .* was debited before it was asked"),
    "a question nobody asked": (nobody_asked, "entry 0: brand debited a question .* that nobody asked it"),
    "a stranger debits": (debited_by_a_stranger, "entry 1: bank debited a question .* that nobody asked it"),
    "debited twice": (twice, "entry 2: question .* is debited a second time; the first is entry 1"),
    "a unit too cheap": (cheaper, "entry 1: .* units were debited; by plan and contract it costs"),
    "a unit too dear": (dearer, "entry 1: .* units were debited; by plan and contract it costs"),
    "a plan that understates its cost": (plan_states_less, "entry 1: 7 units were debited; by plan and contract"),
    "units that are no number": (no_units, "entry 1: a debit's units are not a whole number"),
    "another lineage": (other_lineage, "entry 1: brand booked on `somebody else`; its people are `brand customers`"),
    "another currency": (other_currency, "entry 1: consumer, quantity, match or accountant of the debit are not"),
    "an answer nobody paid": (unpaid, "entry 1: brand released an answer to question .*, which it never debited"),
    "an answer after its void": (released_after_void, "entry 3: .*, which was voided before"),
    "a void after its answer": (voided_after_release, "entry 3: .*, which was released before"),
    "two answers": (released_twice, "entry 3: .*, which was released before"),
    "asked in a closed room": (asked_after_closing, "entry 1: shop asked after the room was closed"),
}


@pytest.mark.parametrize(("happens", "named"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_at_its_entry(happens: Callable[[Story], None], named: str) -> None:
    story = Story()
    happens(story)
    done = recounted(story)
    assert done.deviations
    with pytest.raises(AssertionError, match=named):
        raise AssertionError(done.deviations[0].line())


def test_one_deviation_does_not_hide_the_next() -> None:
    story = Story()
    cheaper(story)
    unpaid(story)
    assert [line.split(":")[0] for line in lines(story)] == ["entry 1", "entry 3"]


@pytest.mark.parametrize(
    "limits",
    [
        Approval(mode="required"),
        Approval(cells=1),
        Approval(columns=()),
        Approval(units_per_question=1),
        Approval(units_per_day=1),
    ],
)
def test_a_question_beyond_the_owner_s_limits_needs_its_approver_before_it_is_debited(limits: Approval) -> None:
    for order, wrong in (("approve debit", 0), ("debit approve", 1), ("debit", 1)):
        story = Story(with_brand(approval=limits))
        plan = story.ask()
        for step in order.split():
            getattr(story, step)(plan)
        assert len(found := lines(story)) == wrong, order
        assert all("no approver of brand had agreed, though" in line for line in found)


def test_the_units_of_a_day_are_of_that_day_and_without_what_was_voided() -> None:
    price = agreements.plan().cost_units
    story = Story(with_brand(approval=Approval(units_per_day=2 * price)))
    plan = story.ask()
    story.debit(plan)
    story.void(plan)
    story.answer()
    story.answer()
    assert lines(story) == []
    story.minutes += 24 * 60
    story.answer()
    story.answer()
    assert lines(story) == []
    story.answer()
    assert len(lines(story)) == 1


def test_a_debit_under_terms_that_were_not_given_is_said_not_to_be_checked() -> None:
    story = ordinary()
    other = replace(story.contract, purpose="other words")
    terms = {Story(other).hash: other}
    found = [deviation.line() for deviation in recount(read_history(story.entries, terms), terms).deviations]
    assert any("its price was not checked: give the agreement" in line for line in found)


def head(**more: object) -> SignedHead:
    plan = agreements.plan()
    terms = {
        "room": "spring", "lineage": "brand customers", "consumer": "shop", "subject": "0" * 64, "entries": 3,
        "head": "1" * 64, "spent": plan.cost_units, "matches": 1,
    }  # fmt: skip
    at = more.pop("at", "2026-03-02T10:00:00Z")
    return SignedHead("brand", str(at), LedgerHead(**{**terms, **more}), "head file")  # type: ignore[arg-type] # a test's own keywords


def test_a_ledger_head_that_says_what_the_log_says_is_right() -> None:
    assert lines(ordinary(), head()) == []


def test_a_ledger_head_is_compared_with_its_own_moment() -> None:
    """Before the debit (09:05) nothing was spent; a head that says so later is of a restored ledger."""
    assert START.minute == 0
    nothing = {"spent": 0, "matches": 1}
    assert lines(ordinary(), head(at="2026-03-02T09:04:59Z", **nothing)) == []
    assert lines(ordinary(), head(at="2026-03-02T09:05:00Z", **nothing)) == []
    (line,) = lines(ordinary(), head(at="2026-03-02T09:05:01Z", **nothing))
    assert "at 2026-03-02T09:05:01Z the ledger of brand said that shop had spent 0 units" in line
    assert "the ledger was restored from a backup, or this copy of the log is too old" in line


@pytest.mark.parametrize("more", [{"spent": 1}, {"matches": 2}, {"consumer": "nobody"}, {"lineage": "others"}])
def test_a_ledger_head_that_says_something_else_is_named(more: dict[str, object]) -> None:
    (line,) = lines(ordinary(), head(**more))
    assert line.startswith("head file: at 2026-03-02T10:00:00Z the ledger of brand said")


def test_a_ledger_head_of_another_room_is_not_compared() -> None:
    assert lines(ordinary(), head(room="autumn")) == ["head file: a ledger head of room autumn, which is another one"]
