from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.answer.isotonic import isotonic


def by_all_averages(values: list[int]) -> tuple[Fraction, ...]:
    """The minimax formula (Barlow, Bartholomew, Bremner, Brunk, 1972): no blocks, no order of pooling."""
    sums = [0, *accumulate(values)]
    last = len(values)
    return tuple(
        max(min(Fraction(sums[t] - sums[s], t - s) for t in range(place + 1, last + 1)) for s in range(place + 1))
        for place in range(last)
    )


@pytest.mark.parametrize(
    ("values", "fitted"),
    [
        ([], []),
        ([7], [7]),
        ([1, 2, 2, 9], [1, 2, 2, 9]),
        ([3, 1], [2, 2]),
        ([1, 4, 2, 3, 9], [1, 3, 3, 3, 9]),
        ([5, 4, 3], [4, 4, 4]),
        ([-1, 0, -3], [Fraction(-4, 3)] * 3),
    ],
)
def test_worked_examples(values: list[int], fitted: list[int | Fraction]) -> None:
    assert isotonic(values) == tuple(fitted)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9))
def test_the_fit_is_the_one_of_the_minimax_formula(values: list[int]) -> None:
    assert isotonic(values) == by_all_averages(values)


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=30))
def test_the_fit_never_falls_and_keeps_the_sum(values: list[int]) -> None:
    fitted = isotonic(values)
    assert all(one <= next_one for one, next_one in pairwise(fitted))
    assert sum(fitted) == sum(values)
    assert isotonic(sorted(values)) == tuple(sorted(values))
