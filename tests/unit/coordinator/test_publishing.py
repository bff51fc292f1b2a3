"""When a new head is published: cosigners sign the same sizes, and nobody waits long for one that has gone."""

import pytest

from cleanroom.coordinator.publishing import LONGEST_WAIT_S, PublishingRule


@pytest.fixture
def rule() -> PublishingRule:
    """A head was published at second 100."""
    made = PublishingRule()
    made.published(100.0)
    return made


def test_a_head_that_nobody_has_taken_gives_way_at_once(rule: PublishingRule) -> None:
    assert rule.wait_s(100.0) == 0


def test_a_head_that_was_taken_waits_for_everybody_who_took_it(rule: PublishingRule) -> None:
    rule.took("shop")
    rule.took("brand")
    assert rule.wait_s(100.5) == LONGEST_WAIT_S - 0.5
    rule.answered("shop")
    assert rule.wait_s(100.5) > 0
    rule.answered("brand")
    assert rule.wait_s(100.5) == 0


def test_nobody_waits_longer_than_two_seconds_for_one_who_took_it_and_has_gone(rule: PublishingRule) -> None:
    rule.took("shop")
    assert rule.wait_s(101.999) > 0
    assert rule.wait_s(102.0) == 0
    assert rule.wait_s(1e9) == 0


def test_who_answers_without_having_taken_holds_nothing_up_and_speeds_nothing_up(rule: PublishingRule) -> None:
    rule.answered("shop")
    assert rule.wait_s(100.0) == 0
    rule.took("brand")
    assert rule.wait_s(100.0) > 0


def test_a_new_head_is_nobody_s_yet(rule: PublishingRule) -> None:
    rule.took("shop")
    rule.published(103.0)
    assert rule.wait_s(103.0) == 0
    rule.answered("shop")
    rule.published(104.0)
    rule.took("shop")
    assert rule.wait_s(104.0) == LONGEST_WAIT_S
