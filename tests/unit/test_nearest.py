"""What somebody probably meant, in a list that stays short."""

import pytest

from cleanroom.nearest import listed, meant, quoted


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("color", "did you mean `colour`? "),
        ("COLOUR", "did you mean `colour`? "),
        ("teir", "did you mean `tier`? "),
        ("salary", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_offered_and_a_far_one_is_not(typed: str, words: str) -> None:
    assert meant(typed, ("tier", "colour", "spend")) == words


def test_a_long_list_is_cut_after_twelve_and_an_empty_one_says_none() -> None:
    names = [f"c{number}" for number in range(13)]
    assert listed(names[:12]) == ", ".join(names[:12])
    assert listed(names) == ", ".join(names[:12]) + " and 1 more"
    assert listed([]) == "none"


def test_a_list_of_long_names_is_cut_by_its_characters_and_names_at_least_one() -> None:
    """Twelve names of 63 characters once made a refusal that its reader took for an offence."""
    names = [f"c{number}" + "x" * 61 for number in range(12)]
    assert listed(names) == ", ".join(names[:3]) + " and 9 more"
    assert listed(["x" * 98, "y" * 98]) == "x" * 98 + ", " + "y" * 98
    assert listed(["x" * 98, "y" * 99]) == "x" * 98 + " and 1 more"
    assert listed(["x" * 300]) == "x" * 300


def test_what_was_typed_stays_on_one_short_line() -> None:
    assert quoted("a\nb\x1b[31m") == "`a\ufffdb\ufffd[31m`"
    assert quoted("x" * 40) == f"`{'x' * 40}`"
    assert quoted("x" * 41) == f"`{'x' * 40}…`"
