"""What the log may hold: every rule from both sides, and that a refused entry leaves no trace."""

from dataclasses import replace
from typing import Any

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, ConflictError, PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.wire.contract_file import contract_hash
from tests.unit.question import agreements
from tests.unit.question.agreements import BANK, BRAND, SHOP, identity

CONTRACT = agreements.contract()
HASH = contract_hash(CONTRACT)
EARLIER = "ab" * 32
PLAN = agreements.plan(contract=HASH.hex())
ASKED, DEBIT, RELEASED, VOIDED = "question.asked", "budget.debit", "answer.released", "budget.voided"


def said(actor: str, kind: str, subject: str = "x", /, *, key: SigningKey | None = None, **more: Any) -> bytes:
    """A statement of this room under the present contract."""
    body = {
        "actor": actor,
        "at": "2026-01-02T03:04:05Z",
        "contract": HASH.hex(),
        "kind": kind,
        "room": CONTRACT.room,
        "subject": subject,
        "v": 1,
        **more,
    }
    return sign_statement(kind, body, key or identity(actor))


def asked(plan: Plan = PLAN, /, actor: str = SHOP, **more: Any) -> bytes:
    return said(actor, ASKED, plan.hash(), **{"owner": plan.owner, "plan": plan.body(), **more})


def debit(plan: Plan = PLAN, /, actor: str = BRAND, **more: Any) -> bytes:
    fields = {
        "accountant": "zcdp",
        "consumer": SHOP,
        "lineage": "brand customers",
        "match": plan.match,
        "quantity": plan.quantity.kind,
        "units": str(plan.cost_units),
    }
    return said(actor, DEBIT, plan.hash(), **{**fields, **more})


def released(plan: Plan = PLAN, /, actor: str = BRAND, **more: Any) -> bytes:
    return said(actor, RELEASED, plan.hash(), **{"consumer": SHOP, "digest": "00" * 32, **more})


def voided(plan: Plan = PLAN, /, actor: str = BRAND, **more: Any) -> bytes:
    return said(actor, VOIDED, plan.hash(), **{"consumer": SHOP, **more})


def closed(actor: str = BANK, **more: Any) -> bytes:
    return said(actor, "room.closed", "cd" * 32, **{"reason": "done", **more})


def rules(*entries: bytes, contract: Contract = CONTRACT) -> RoomRules:
    """The rules after these entries, all of them taken."""
    taken = RoomRules(contract, contract_hash(contract))
    for entry in entries:
        taken.take(entry)
    return taken


def refused(after: RoomRules, entry: bytes, match: str | None, error: type[PeerError] = PeerError) -> None:
    size = after.size
    with pytest.raises(error, match=match):
        after.take(entry)
    assert after.size == size


def test_a_question_runs_from_asking_to_release() -> None:
    taken = rules()
    kinds = [taken.take(entry) for entry in (asked(), debit(), released())]
    assert [one and one.kind for one in kinds] == [ASKED, DEBIT, RELEASED]
    assert taken.size == 3


def test_a_question_may_end_in_a_void() -> None:
    assert rules(asked(), debit(), voided()).size == 3


def test_the_same_entry_twice_is_refused_and_another_of_its_kind_is_not() -> None:
    first, later = said(SHOP, "incident", sender=BRAND), said(SHOP, "incident", "y", sender=BRAND)
    refused(rules(first), first, "rule twice", ConflictError)
    assert rules(first, later).size == 2


@pytest.mark.parametrize("kind", [DEBIT, RELEASED, "match.debit"])
def test_what_is_said_once_is_not_said_twice(kind: str) -> None:
    if kind == "match.debit":
        after, second = rules(said(BRAND, kind, "m", peer=SHOP)), said(BRAND, kind, "m", peer=BANK)
        other = said(SHOP, kind, "m", peer=BRAND)
        assert rules(said(BRAND, kind, "m", peer=SHOP), other, said(BRAND, kind, "n", peer=SHOP)).size == 3
    else:
        at = "2026-01-02T03:04:06Z"
        after = rules(asked(), debit(), *([released()] if kind == RELEASED else []))
        second = debit(at=at) if kind == DEBIT else released(at=at)
    refused(after, second, "rule once", ConflictError)


def test_what_is_refused_leaves_no_trace() -> None:
    taken = rules(asked())
    refused(taken, debit(units="1"), "rule price")
    refused(taken, released(), "rule release")
    for entry in (debit(), released()):
        taken.take(entry)


def test_a_debit_is_of_a_question_that_was_asked() -> None:
    refused(rules(), debit(), "rule question")
    refused(rules(asked(), debit()), debit(agreements.plan(contract=HASH.hex(), repeat=1)), "rule question")


@pytest.mark.parametrize("more", [{"actor": BANK, "lineage": "bank customers"}, {"consumer": BANK}])
def test_a_debit_is_its_owners_and_of_its_consumer(more: dict[str, Any]) -> None:
    refused(rules(asked()), debit(**more), "rule question")


@pytest.mark.parametrize(
    "wrong",
    [
        asked(replace(PLAN, contract=EARLIER)),
        asked(owner=BANK),
        asked(replace(PLAN, asker=BANK, owner=BRAND), actor=SHOP),
        said(SHOP, ASKED, PLAN.hash(), owner=BRAND, plan={}),
        said(SHOP, ASKED, PLAN.hash(), owner=BRAND),
        said(SHOP, ASKED, PLAN.hash(), owner=BRAND, plan=replace(PLAN, repeat=1).body()),
    ],
)
def test_a_question_that_is_no_plan_of_its_askers_can_be_logged_and_never_charged(wrong: bytes) -> None:
    taken = rules(wrong)
    for plan in (PLAN, replace(PLAN, contract=EARLIER), replace(PLAN, asker=BANK, owner=BRAND)):
        refused(taken, debit(plan), "rule question")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("units", str(PLAN.cost_units - 1)),
        ("units", str(PLAN.cost_units + 1)),
        ("units", PLAN.cost_units),
        ("accountant", "pure"),
        ("lineage", "other customers"),
        ("match", "00" * 32),
        ("quantity", "count"),
    ],
)
def test_a_debit_books_what_contract_and_plan_say(field: str, value: Any) -> None:
    refused(rules(asked()), debit(**{field: value}), f"rule price: a debit's {field} ")


def test_the_price_is_recomputed_and_not_the_plans_word() -> None:
    lying = replace(PLAN, cost_units=1)
    refused(rules(asked(lying)), debit(lying), "rule price")
    assert rules(asked(lying), debit(lying, units=str(PLAN.cost_units))).size == 2


@pytest.mark.parametrize(
    "lying",
    [
        replace(PLAN, scales_1024=(0,)),
        replace(PLAN, scales_1024=(*PLAN.scales_1024, 4096)),
        replace(PLAN, quantity=Quantity("histogram", "no-such-column")),
        replace(PLAN, owner=PartyName("nobody")),
    ],
)
def test_a_question_without_a_price_is_not_charged(lying: Plan) -> None:
    actor = lying.owner if lying.owner in CONTRACT.cards else BRAND
    refused(rules(asked(lying)), debit(lying, actor=actor), "rule (price|question)")


def test_a_release_follows_its_own_debit() -> None:
    refused(rules(asked()), released(), "rule release")
    refused(rules(asked(), debit()), released(actor=BANK), "rule release")
    refused(rules(asked(), debit()), released(consumer=BANK), "rule release")
    refused(rules(asked(), debit(), voided()), released(), "rule release")


def test_a_void_follows_its_own_debit_once_and_before_its_release() -> None:
    refused(rules(asked()), voided(), "rule void")
    refused(rules(asked(), debit()), voided(actor=BANK), "rule void")
    refused(rules(asked(), debit()), voided(consumer=BANK), "rule void")
    refused(rules(asked(), debit(), voided()), voided(at="2026-01-02T03:04:06Z"), "rule void")
    refused(rules(asked(), debit(), released()), voided(), "rule void")


def test_nothing_is_asked_after_the_room_was_closed_by_anybody() -> None:
    assert rules(said(BANK, "room.paused", "cd" * 32, reason="wait"), asked()).size == 2
    taken = rules(asked(), closed())
    refused(taken, asked(replace(PLAN, repeat=1)), "rule closed")
    for entry in (debit(), released()):
        taken.take(entry)


def test_a_closing_that_no_node_honours_closes_nothing() -> None:
    assert rules(closed(reason="two\nlines"), asked()).size == 2
    refused(rules(), said("coordinator", "room.closed", "cd" * 32, key=agreements.LOG_KEY, reason="done"), "actor")


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        (b"", "1 to 65,535"),
        (b"x" * 65_536, "1 to 65,535"),
        (b"{}", "DSSE"),
        (said(SHOP, "budget.gift"), "kind"),
        (said(SHOP, "incident", units="1"), "field"),
        (said(SHOP, "incident", room="autumn"), "room"),
        (said(SHOP, "incident", v=2), "version"),
        (said(SHOP, "incident", contract="no hash"), "contract"),
        (said(SHOP, "incident", at="yesterday"), "time"),
        (said(SHOP, "incident", ""), "subject"),
    ],
)
def test_what_is_no_statement_of_this_room_is_refused(entry: bytes, match: str) -> None:
    refused(rules(), entry, match)


@pytest.mark.parametrize(
    "entry",
    [
        said(SHOP, "incident", key=identity(BRAND)),
        said(SHOP, "match.placed"),
        said("stranger", "incident"),
        said("coordinator", "incident", key=agreements.LOG_KEY),
    ],
)
def test_what_its_actor_did_not_sign_is_refused(entry: bytes) -> None:
    refused(rules(), entry, None, AuthenticationError)


def test_what_stands_under_earlier_terms_is_verified_and_its_price_is_not_asked() -> None:
    earlier: dict[str, Any] = {"contract": EARLIER}
    taken = rules()
    for entry in (debit(**earlier), said(BANK, "incident", **earlier)):
        assert taken.take(entry) is not None
    refused(taken, debit(), "rule once", ConflictError)
    assert taken.take(voided()) is not None


def test_a_room_closed_under_earlier_terms_stays_closed() -> None:
    refused(rules(closed(contract=EARLIER)), asked(), "rule closed")


def test_who_has_left_or_has_a_new_key_is_passed_over_and_has_no_effect() -> None:
    taken = rules()
    for entry in (
        said("stranger", "incident", contract=EARLIER),
        debit(contract=EARLIER, key=identity("the key before")),
        closed(contract=EARLIER, key=identity("the key before")),
    ):
        assert taken.take(entry) is None
    for entry in (asked(), debit(), released()):
        assert taken.take(entry) is not None


def test_under_earlier_terms_too_an_entry_has_the_form_of_a_statement() -> None:
    for entry in (
        said("stranger", "incident", contract=EARLIER, room="autumn"),
        said("stranger", "incident", contract=EARLIER, units="1"),
        said("stranger", "budget.gift", contract=EARLIER),
        said("stranger", "incident", contract="AB" * 32),
    ):
        refused(rules(), entry, None)


def test_once_the_present_terms_have_begun_nobody_with_a_card_is_forged_under_earlier_ones() -> None:
    forged = closed(contract=EARLIER, key=identity("the coordinator's idea"))
    refused(rules(asked()), forged, None, AuthenticationError)
    assert rules(asked()).take(said("stranger", "incident", contract=EARLIER)) is None


def test_the_price_of_the_other_accountant_is_asked_too() -> None:
    pure = agreements.contract(accountant="pure")
    named = contract_hash(pure).hex()
    plan = agreements.plan(pure, contract=named)
    more: dict[str, Any] = {"contract": named}
    good = debit(plan, accountant="pure", **more)
    taken = rules(asked(plan, **more), contract=pure)
    refused(taken, debit(plan, **more), "accountant")
    assert taken.take(good) is not None
