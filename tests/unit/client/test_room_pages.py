"""What stands in a terminal of 80 columns: words that are not broken, and why numbers that look wrong are right."""

from typing import Any

from cleanroom.client.room_pages import budget_page, settings_page
from cleanroom.client.sheet import printed


def line(owner: str, **more: Any) -> dict[str, Any]:
    """What the own node says of one owner's budget."""
    amounts = {name: {"epsilon": value, "rho": "0.1"} for name, value in (("cap", 5.461), ("spent", 3.88))}
    left = {"left": {"epsilon": 3.62, "rho": "0.172342341234"}}
    return {
        "owner": owner,
        **amounts,
        **left,
        "questions": 3,
        "open_questions": 0,
        "as_of": "2026-11-23T16:02:11Z",
    } | more


def shown(page: Any) -> str:
    return printed(*page, width=80)


def test_a_budget_says_in_words_that_spent_and_left_do_not_add_up_and_why() -> None:
    lines = [line("casualwear"), line("bags", as_of=None, questions=0)]
    text = shown(budget_page({"party": "sportswear", "delta": 1e-9, "owners": lines}))
    for words in ("casualwear │", "┃ budget ┃ spent ┃ left ┃", "2026-11-23 16:02 ", "│ nothing was asked"):
        assert words in text
    assert "Spent and left do not add up to the budget, and need not: what adds up is rho" in text
    assert "0.1723" not in text
    pure = shown(budget_page({"party": "sportswear", "delta": 0, "owners": lines}))
    assert "add up" not in pure


def test_rules_are_lines_and_no_heading_is_broken_however_many_owners_there_are() -> None:
    approval = {"mode": "required", "cells": None, "columns": None, "per_question": None, "per_day": None}
    rule = {
        "may_ask": True, "budget": {"epsilon": 5.461}, "questions": ["count"], "over": ["match", "table"],
        "cells": 65536, "questions_each": 10000, "display_threshold": 20, "fresh_days": 0, "approval": approval,
        "columns": [{"column": "display_colour", "role": "dimension", "may_ask": False, "values": ["red", "other"]}],
    }  # fmt: skip
    owners = [{"owner": f"owner-{number}", **rule} for number in range(4)]
    text = shown(settings_page({"room": "demo", "party": "shop", "delta": 1e-9, "own": [], "owners": owners}))
    for number in range(4):
        assert f" owner-{number} " in text
    for words in ("numbers in one answer │ at most 65,536", "under 20", "a person must agree   │ always", "age of its"):
        assert words in text
    assert "display_threshold" not in text
    assert "display_colour" in text
