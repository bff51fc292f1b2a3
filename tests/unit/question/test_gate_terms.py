"""What an owner allows of whom, in which form and until when: each term just inside and just outside."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cleanroom.errors import RefusedError
from cleanroom.ids import ColumnName
from cleanroom.question.columns import Hidden
from cleanroom.question.contract import Contract
from cleanroom.question.gate import Accepted, LedgerView, Situation, decide
from cleanroom.question.quantity import Part, Quantity
from cleanroom.question.shape import parts_of
from cleanroom.question.standing import RoomStanding
from tests.unit.question.agreements import BANK, BRAND, RHO, SHOP, contract, dataset, dimension, measure, plan

NOTHING_SPENT = LedgerView(0, 0, 0)
DAY = Situation(today="2026-11-23", table_day="2026-11-01")


def decided(agreed: Contract, view: LedgerView = NOTHING_SPENT, situation: Situation = DAY, **asked: Any) -> Accepted:
    """The decision on shop's plan to brand."""
    return decide(agreed, plan(agreed, **asked), view, situation)


def refused(agreed: Contract, view: LedgerView = NOTHING_SPENT, situation: Situation = DAY, **asked: Any) -> str:
    """The rule that shop's plan breaks."""
    with pytest.raises(RefusedError) as caught:
        decided(agreed, view, situation, **asked)
    assert caught.value.owner == BRAND
    return caught.value.rule


def owned(**terms: Any) -> Contract:
    """Brand's dataset with other terms."""
    return contract({BRAND: dataset(BRAND, **terms)})


def test_a_contract_is_in_force_from_its_first_day_to_its_last() -> None:
    assert decided(contract(starts="2026-11-23", ends="2026-11-23"))
    assert refused(contract(starts="2026-11-24", ends="2026-12-01")) == "validity"
    assert refused(contract(starts="2026-01-01", ends="2026-11-22")) == "validity"


def test_a_kind_of_question_that_the_owner_does_not_allow_is_refused() -> None:
    assert decided(owned(questions=("histogram",)))
    assert refused(owned(questions=("count", "sum", "mean", "quantile"))) == "question"


def test_a_question_over_the_match_needs_to_be_allowed_as_one_over_the_table() -> None:
    assert decided(owned(bases=("match",)))
    assert refused(owned(bases=("table",))) == "question"


def test_a_column_is_for_those_to_whom_it_is_granted() -> None:
    for_shop, for_bank = (
        (dimension(), dimension("colour", ("red", "blue", "green"), consumers=(who,)), measure())
        for who in (SHOP, BANK)
    )
    assert decided(owned(columns=for_shop))
    assert refused(owned(columns=for_bank)) == "column-grant"
    assert decided(owned(columns=for_bank), quantity=Quantity("count"))


def test_an_answer_has_as_many_cells_as_the_owner_allows_and_no_more() -> None:
    """Tier is gold, silver and other; colour red, blue, green and other."""
    assert decided(owned(cells=12))
    assert refused(owned(cells=11)) == "cells"


def test_a_table_is_asked_about_until_it_is_too_old() -> None:
    assert decided(owned(fresh_days=22))
    assert refused(owned(fresh_days=21)) == "freshness"
    assert decided(owned(fresh_days=0))


def test_an_asker_has_as_many_questions_as_were_agreed() -> None:
    assert decided(owned(questions_each=3), replace(NOTHING_SPENT, questions=2))
    assert refused(owned(questions_each=3), replace(NOTHING_SPENT, questions=3)) == "questions"


def test_a_mean_is_charged_for_its_count_and_for_its_sum() -> None:
    agreed = owned(columns=(dimension(), measure(low=Decimal(-10), high=Decimal(100))))
    asked = plan(agreed, quantity=Quantity("mean", "spend"))
    count, total = (scale * scale for scale in asked.scales)
    accepted = decide(agreed, asked, NOTHING_SPENT, DAY)
    # -10 to 100 in half euros are 220 steps: a person moves the centred sum by 110, the count by 1.
    exact = 2**40 * (1 / (2 * count) + 110**2 / (2 * total))
    assert exact <= accepted.cost_units == asked.cost_units < exact + 2
    for part in (2**39 / count, 2**39 * 110**2 / total):
        cheaper = replace(asked, cost_units=int(part) + 1)
        with pytest.raises(RefusedError, match="not what this noise costs"):
            decide(agreed, cheaper, NOTHING_SPENT, DAY)


SPEND = measure(edges=(Decimal(0), Decimal(50)))
COLOUR = dimension("colour", ("red", "blue", "green"))
EDGED = owned(columns=(dimension(), COLOUR, SPEND))


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_in_a_stopped_room_nothing_is_answered_and_the_party_that_stopped_it_is_named(state: Any) -> None:
    stopped = replace(DAY, standing=RoomStanding(state, BANK, "an inspection"))
    with pytest.raises(RefusedError, match=f"the room is {state} by bank: an inspection") as caught:
        decided(contract(), situation=stopped)
    assert (caught.value.rule, caught.value.owner) == ("room", BANK)


@pytest.mark.parametrize(("starts", "ends"), [("2026-11-23", ""), ("", "2026-11-23"), ("", "")])
def test_a_contract_without_a_first_or_last_day_has_no_such_end(starts: str, ends: str) -> None:
    assert decided(contract(starts=starts, ends=ends))


def test_over_the_table_both_columns_are_the_owner_s_and_each_must_be_granted() -> None:
    closed = dimension(consumers=(BANK,))
    agreed = owned(columns=(closed, COLOUR, SPEND))
    assert decided(agreed, by="tier"), "over the match `tier` is the asker's"
    assert refused(agreed, by="tier", base="table") == "column-grant"
    assert decided(agreed, by="colour", base="table", quantity=Quantity("sum", "spend"))
    assert refused(agreed, by="", base="table", quantity=Quantity("histogram", "tier")) == "column-grant"


def test_over_the_table_the_owner_s_column_splits_even_where_the_asker_has_none() -> None:
    agreed = contract({SHOP: dataset(SHOP, columns=())})
    assert decided(agreed, by="tier", base="table", quantity=Quantity("count"))
    over_the_match = replace(plan(agreed, by="", quantity=Quantity("count")), by="tier")
    with pytest.raises(RefusedError, match="shop has no dimension `tier`"):
        decide(agreed, over_the_match, NOTHING_SPENT, DAY)


def test_a_table_s_plan_and_a_match_s_are_charged_alike() -> None:
    for quantity in (Quantity("count"), Quantity("mean", "spend"), Quantity("quantile", "spend")):
        over = {base: decided(EDGED, quantity=quantity, base=base) for base in ("match", "table")}
        assert over["match"].cost_units == over["table"].cost_units


@pytest.mark.parametrize("place", [0, 1])
def test_each_of_a_mean_s_two_scales_is_held_against_the_cost(place: int) -> None:
    asked = plan(EDGED, quantity=Quantity("mean", "spend"))
    scales = list(asked.scales_1024)
    scales[place] -= 1
    with pytest.raises(RefusedError) as caught:
        decide(EDGED, replace(asked, scales_1024=tuple(scales)), NOTHING_SPENT, DAY)
    assert caught.value.rule == "cost"
    scales[place] = 1023
    with pytest.raises(RefusedError) as caught:
        decide(EDGED, replace(asked, scales_1024=tuple(scales)), NOTHING_SPENT, DAY)
    assert caught.value.rule == "noise"


@pytest.mark.parametrize(("kind", "parts"), [("mean", 2), ("quantile", 1), ("sum", 1)])
def test_a_question_has_one_scale_for_each_of_its_parts(kind: str, parts: int) -> None:
    asked = plan(EDGED, quantity=Quantity(kind, "spend"))
    assert len(asked.scales_1024) == parts
    other = asked.scales_1024[:1] if parts == 2 else asked.scales_1024 * 2
    with pytest.raises(RefusedError, match="out of range, or missing") as caught:
        decide(EDGED, replace(asked, scales_1024=other), NOTHING_SPENT, DAY)
    assert caught.value.rule == "noise"


def test_a_quantile_counts_people_in_the_declared_bins_and_needs_some() -> None:
    asked = plan(EDGED, quantity=Quantity("quantile", "spend"))
    assert decide(EDGED, asked, NOTHING_SPENT, DAY)
    assert parts_of(EDGED, asked) == (Part(words=3, sensitivity=1),)
    bare = owned(columns=(dimension(), COLOUR, measure()))
    with pytest.raises(RefusedError, match="has no edges") as caught:
        decide(bare, replace(asked, contract=plan(bare, by="").contract), NOTHING_SPENT, DAY)
    assert caught.value.rule == "column"


@pytest.mark.parametrize("kind", ["histogram", "sum", "mean", "quantile"])
def test_a_hidden_column_is_refused_in_every_form(kind: str) -> None:
    agreed = owned(columns=(dimension(), COLOUR, Hidden(ColumnName("salary"))))
    asked = replace(plan(agreed, quantity=Quantity("count")), quantity=Quantity(kind, "salary"))
    with pytest.raises(RefusedError, match="brand's column `salary` is hidden") as caught:
        decide(agreed, asked, NOTHING_SPENT, DAY)
    assert caught.value.rule == "column"


def test_a_hidden_column_cannot_split_the_owner_s_table() -> None:
    agreed = owned(columns=(dimension(), COLOUR, Hidden(ColumnName("salary"))))
    asked = replace(plan(agreed, by="tier", quantity=Quantity("count"), base="table"), by="salary")
    with pytest.raises(RefusedError, match="brand's column `salary` is hidden"):
        decide(agreed, asked, NOTHING_SPENT, DAY)


def test_one_name_in_two_roles_is_asked_for_in_either_and_granted_in_each_by_itself() -> None:
    both = owned(columns=(dimension("age", ("young", "old")), measure("age", consumers=(BANK,))))
    assert decided(both, quantity=Quantity("histogram", "age"))
    assert parts_of(both, plan(both, quantity=Quantity("histogram", "age"))) == (Part(words=3, sensitivity=1),)
    assert refused(both, quantity=Quantity("sum", "age")) == "column-grant"


def test_freshness_counts_from_the_day_of_the_table() -> None:
    same_day = replace(DAY, table_day=DAY.today)
    assert decided(owned(fresh_days=1), situation=same_day)
    assert decided(owned(fresh_days=1), situation=replace(DAY, table_day="2026-11-22"))
    assert refused(owned(fresh_days=1), situation=replace(DAY, table_day="2026-11-21")) == "freshness"


def test_no_refusal_shows_a_number_that_is_not_the_contract_s_or_the_asker_s_own() -> None:
    """What others spent and how many questions they have open changes which rule speaks, never what it says."""
    for views in (
        [LedgerView(lineage, 0, 0) for lineage in (8 * RHO, 9 * RHO)],
        [LedgerView(lineage, 0, 8) for lineage in (0, RHO)],
        [LedgerView(lineage, 0, 0, questions=10_000) for lineage in (0, 8 * RHO)],
    ):
        texts = set()
        for view in views:
            with pytest.raises(RefusedError) as caught:
                decided(contract(), view)
            texts.add(str(caught.value))
        assert len(texts) == 1
