"""What must hold in every room at every moment that everybody has come to rest, read from the stores beside the nodes.

For every plan: at most one reservation, at most one `share_sent`, at most one release, whatever crashed; nothing
released without a charge before it in the log; question numbers of a set-up never used twice.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from cleanroom.question.plan import Plan

Look = Callable[..., Sequence[tuple[Any, ...]]]


def assert_one_draw_a_plan(room: Any, asker: str, owner: str) -> None:
    """Read ledger, log, and what was sent; raise AssertionError naming what was done twice."""
    check_log(room.log(), owner)
    check_ledger(room.parties[owner].look, room.log(), owner)
    check_sent([envelope for tap in room.parties[owner].taps for envelope in tap.envelopes])
    check_asker(room.parties[asker].look, room.log())


def check_log(log: list[dict[str, Any]], owner: str) -> None:
    """asked before debit before released, each once; and nobody accused of what a crash did."""
    assert not [entry for entry in log if entry["kind"] == "incident"], "an honest party stands accused in the log"
    places = {
        kind: {entry["subject"]: at for at, entry in enumerate(log) if entry["kind"] == kind}
        for kind in ("question.asked", "budget.debit", "answer.released", "budget.voided")
    }
    for kind, found in places.items():
        twice = Counter(entry["subject"] for entry in log if entry["kind"] == kind)
        assert all(count == 1 for count in twice.values()), f"{kind} stands twice in the log for one plan"
        assert all(log[at]["actor"] == owner for at in found.values() if kind != "question.asked")
    for plan, at in places["answer.released"].items():
        assert plan in places["budget.debit"], "released without a charge in the log"
        assert places["question.asked"][plan] < places["budget.debit"][plan] < at
        assert plan not in places["budget.voided"], "released and voided"


def check_ledger(look: Look, log: list[dict[str, Any]], owner: str) -> None:
    """Spent is at least released, plan by plan, and the ledger and the log tell one story."""
    rows = look("SELECT kind, subject, units FROM ledger")
    kinds = {kind: {row[1]: row[2] for row in rows if row[0] == kind} for kind in ("reserve", "share_sent", "voided")}
    for kind, found in kinds.items():
        assert len(found) == sum(row[0] == kind for row in rows), f"two {kind} entries for one plan"
    asked = {
        entry["subject"]: Plan.from_body(entry["plan"]).cost_units for entry in log if entry["kind"] == "question.asked"
    }
    for plan in kinds["share_sent"]:
        assert kinds["reserve"][plan] == asked[plan] > 0, "a release that was not paid for"
        assert plan not in kinds["voided"]
    own = [entry for entry in log if entry["actor"] == owner]
    released = {entry["subject"] for entry in own if entry["kind"] == "answer.released"}
    assert released <= set(kinds["share_sent"]), "released in the log, not in the ledger"
    debits = {entry["subject"]: int(entry["units"]) for entry in own if entry["kind"] == "budget.debit"}
    assert all(kinds["reserve"][plan] == units for plan, units in debits.items())
    numbers = look("SELECT setup, question FROM question WHERE owner = 1 AND question > 0")
    assert len(set(numbers)) == len(numbers), "a question number was used twice in one set-up"
    sent = look("SELECT plan_hash FROM question WHERE owner = 1 AND state IN ('released', 'sent')")
    assert {plan for (plan,) in sent} == set(kinds["share_sent"])


def check_sent(envelopes: Sequence[Any]) -> None:
    """However often something was sent, it was the same bytes."""
    seen: dict[tuple[str, bytes, int], bytes] = {}
    for envelope in envelopes:
        if envelope.kind in ("question.rows", "question.release"):
            place = (envelope.kind, envelope.subject_id, envelope.index)
            assert seen.setdefault(place, envelope.sealed) == envelope.sealed, f"two different {envelope.kind}"


def check_asker(look: Look, log: list[dict[str, Any]]) -> None:
    """An opened answer is covered by a statement in the log."""
    released = {entry["subject"] for entry in log if entry["kind"] == "answer.released"}
    answered = {plan for (plan,) in look("SELECT plan_hash FROM question WHERE owner = 0 AND state = 'answered'")}
    assert answered <= released, "an answer was shown that the log does not hold"
