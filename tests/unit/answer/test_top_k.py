"""Nothing is ranked inside the noise."""

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.answer.top_k import TopK, top_k
from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.interval import noise_interval
from cleanroom.privacy.law import Law

LAWS: tuple[Law, ...] = ("gaussian", "laplace")
SCALE = Fraction(2)


def ranked(values: list[int], k: int, law: Law = "gaussian", *, rank_other: bool = False) -> TopK:
    """The top k of cells a, b, … and `other` last."""
    names = [*"abcdefgh"[: len(values) - 1], "other"]
    return top_k(names, values, k=k, scale=SCALE, law=law, rank_other=rank_other)


def half_width(cells: int, law: Law = "gaussian") -> int:
    return noise_interval(SCALE, cells=cells, law=law).half_width


def test_cells_far_apart_are_told_apart() -> None:
    found = ranked([500, 900, 100, 7000], 2)
    assert [(cell.name, cell.best, cell.worst) for cell in found.cells[:3]] == [("b", 1, 1), ("a", 2, 2), ("c", 3, 3)]
    assert (found.named("certainly"), found.named("possibly"), found.named("certainly not")) == (("b", "a"), (), ("c",))
    assert "can be told from the rest" in found.note


@pytest.mark.parametrize("law", LAWS)
def test_one_cell_is_above_another_only_if_their_intervals_do_not_touch(law: Law) -> None:
    reach = 2 * half_width(3, law)
    touching, apart = ranked([100 + reach, 100, 0], 1, law), ranked([101 + reach, 100, 0], 1, law)
    assert touching.named("certainly") == ()
    assert touching.named("possibly") == ("a", "b")
    assert apart.named("certainly") == ("a",)
    assert apart.named("certainly not") == ("b",)


def test_ties_at_the_edge_of_the_top_are_all_possible() -> None:
    found = ranked([1000, 500, 501, 499, 10, 0], 2)
    assert found.named("certainly") == ("a",)
    assert found.named("possibly") == ("c", "b", "d")
    assert found.named("certainly not") == ("e",)
    assert {(cell.best, cell.worst) for cell in found.cells if cell.name in "bcd"} == {(2, 4)}
    assert "1 of the top 2 can be told; for the rest, 3 values cannot be told apart" in found.note


def test_everything_else_is_shown_and_ranked_only_if_asked() -> None:
    found = ranked([500, 100, 9000], 1)
    other = found.cells[-1]
    assert (other.name, other.value, other.best, other.worst, other.in_top) == ("other", 9000, None, None, None)
    assert found.named("certainly") == ("a",)
    assert ranked([500, 100, 9000], 1, rank_other=True).named("certainly") == ("other",)


def test_everything_else_counts_among_the_cells_that_hold_at_once() -> None:
    cell = ranked([500, 100, 9000], 1).cells[0]
    assert (cell.low, cell.high) == (500 - half_width(3), 500 + half_width(3))


@given(
    truth=st.lists(st.integers(0, 30), min_size=2, max_size=5),
    noise=st.lists(st.integers(-30, 30), min_size=5, max_size=5),
    k=st.integers(1, 5),
    law=st.sampled_from(LAWS),
)
@settings(deadline=None)
def test_ranks_are_those_of_some_truth_inside_the_intervals_and_of_no_other(
    truth: list[int], noise: list[int], k: int, law: Law
) -> None:
    """Whenever all intervals hold, every order of the exact numbers, ties in either order, keeps to the ranks given."""
    values = [exact + drawn for exact, drawn in zip(truth, noise, strict=False)]
    k = min(k, len(values))
    reach = half_width(len(values), law)
    found = ranked(values, k, law, rank_other=True)
    named = dict(zip([*"abcdefgh"[: len(values) - 1], "other"], truth, strict=True))
    if all(abs(drawn) <= reach for drawn in noise[: len(truth)]):
        orders = [order for order in permutations(named) if sorted(order, key=lambda name: -named[name]) == list(order)]
        assert orders
        for order in orders:
            for cell in found.cells:
                assert cell.best is not None
                assert cell.worst is not None
                assert cell.best <= order.index(cell.name) + 1 <= cell.worst
            assert set(found.named("certainly")) <= set(order[:k])
            assert not set(found.named("certainly not")) & set(order[:k])
    for (
        cell
    ) in found.cells:  # both ends are reached: this cell as low, or as high, as it may be and the rest against it
        others = [another for another in found.cells if another.name != cell.name]
        assert cell.best == 1 + sum(another.low > cell.high for another in others)
        assert cell.worst == len(found.cells) - sum(another.high < cell.low for another in others)


@given(values=st.lists(st.integers(-50, 50), min_size=3, max_size=8), shift=st.integers(-1000, 1000))
def test_only_differences_matter(values: list[int], shift: int) -> None:
    here, there = ranked(values, 1), ranked([value + shift for value in values], 1)
    assert [(cell.name, cell.best, cell.worst) for cell in here.cells] == [
        (cell.name, cell.best, cell.worst) for cell in there.cells
    ]


@given(values=st.lists(st.integers(-50, 50), min_size=3, max_size=8), more=st.integers(0, 100))
def test_a_larger_noisy_value_never_ranks_a_cell_lower(values: list[int], more: int) -> None:
    first = {cell.name: cell for cell in ranked(values, 1).cells}["a"]
    second = {cell.name: cell for cell in ranked([values[0] + more, *values[1:]], 1).cells}["a"]
    assert (second.best or 0) <= (first.best or 0)
    assert (second.worst or 0) <= (first.worst or 0)


def test_the_top_of_everybody_is_certain() -> None:
    assert len(ranked([5, 5, 5, 5], 3).named("certainly")) == 3


@pytest.mark.parametrize("k", [0, 3, -1, True])
def test_a_top_that_is_empty_or_longer_than_the_list_is_refused(k: int) -> None:
    assert ranked([5, 4, 3], 1).k == 1
    assert ranked([5, 4, 3], 2).k == 2
    with pytest.raises(UsageError, match="from 1 to 2"):
        ranked([5, 4, 3], k)


def test_a_missing_value_and_a_forged_scale_are_refused() -> None:
    with pytest.raises(UsageError):
        top_k(["a", "b"], [1], k=1, scale=SCALE, law="gaussian")
    with pytest.raises(RefusedError):
        top_k(["a", "b"], [1, 2], k=1, scale=Fraction(1, 2), law="gaussian")


def test_the_json_value_is_small_and_keeps_its_keys() -> None:
    body = ranked([500, 100, 9000], 1).body(by="DE")
    assert list(body) == ["kind", "by", "k", "cells", "coverage", "note"]
    assert (body["kind"], body["by"], body["k"], body["coverage"]) == ("top_k", "DE", 1, 0.95)
    reach = half_width(3)
    assert body["cells"][0] == {
        "of": "a",
        "value": 500,
        "low": 500 - reach,
        "high": 500 + reach,
        "best": 1,
        "worst": 1,
        "in_top": "certainly",
    }
    assert body["cells"][2]["best"] is None
