import math
from fractions import Fraction
from itertools import pairwise

import pytest

from cleanroom.errors import UsageError
from cleanroom.privacy.overlap import MAX_SHARED_DUMMIES, overlap_delta, shared_dummies
from tests.reference.overlap_loss import delta_of_six_matches, exact_delta


@pytest.mark.parametrize(("epsilon", "tau"), [(1, 1052), (2, 289), (4, 82)])
def test_the_published_numbers_of_dummies_come_out(epsilon: int, tau: int) -> None:
    assert shared_dummies(Fraction(epsilon), Fraction(1, 10**7), matches=6) == tau


@pytest.mark.parametrize(("matches", "tau"), [(6, 390), (12, 777), (30, 1942)])
def test_at_the_contracts_own_delta_the_number_of_dummies_grows_with_the_matches(matches: int, tau: int) -> None:
    """390 is checked without a grid below; 777 and 1942 by dp-accounting in tests/statistical."""
    assert shared_dummies(Fraction(2), Fraction(1, 10**9), matches=matches) == tau


@pytest.mark.parametrize(("epsilon", "delta", "tau"), [(1, 1e-7, 1052), (2, 1e-7, 289), (4, 1e-7, 82), (2, 1e-9, 390)])
def test_the_number_of_dummies_is_the_smallest_by_a_count_of_every_outcome(
    epsilon: int, delta: float, tau: int
) -> None:
    for dummies, suffices in ((tau, True), (tau - 1, False)):
        counted = delta_of_six_matches(dummies, float(epsilon))
        bound = float(overlap_delta(dummies, Fraction(epsilon), matches=6))
        assert (counted <= delta) is suffices
        assert counted * (1 - 1e-6) <= bound <= counted * (1 + 1e-4)


@pytest.mark.parametrize("matches", [1, 2, 3])
@pytest.mark.parametrize("tau", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("epsilon", [Fraction(1, 10), Fraction(1), Fraction(3)])
def test_the_delta_is_never_below_the_exact_one_and_hardly_above(tau: int, matches: int, epsilon: Fraction) -> None:
    exact = exact_delta(tau, epsilon, matches, one_more=True)
    found = overlap_delta(tau, epsilon, matches=matches)
    assert exact <= found <= exact * (1 + Fraction(1, 10**4))


def test_adding_a_person_shows_as_much_as_removing_one() -> None:
    for tau, matches in ((3, 2), (6, 3)):
        assert exact_delta(tau, Fraction(1), matches, one_more=True) == exact_delta(
            tau, Fraction(1), matches, one_more=False
        )


def test_a_linear_search_over_exact_deltas_finds_the_same_number() -> None:
    epsilon, delta, matches = Fraction(3), Fraction(1, 20), 2
    smallest = next(tau for tau in range(1, 60) if exact_delta(tau, epsilon, matches, one_more=True) <= delta)
    assert shared_dummies(epsilon, delta, matches=matches) == smallest
    assert smallest > 2


def test_the_mass_that_no_neighbour_shows_counts_in_full() -> None:
    """At a huge epsilon only the count without any common dummy is left: 1 - (1 - 1 / C(2 tau, tau))^R."""
    exact = 1 - (1 - Fraction(1, math.comb(10, 5))) ** 3
    found = overlap_delta(5, Fraction(100), matches=3)
    assert exact <= found <= exact * (1 + Fraction(1, 10**8))


def test_more_dummies_never_show_more() -> None:
    deltas = [overlap_delta(tau, Fraction(2), matches=6) for tau in [*range(1, 120), *range(280, 300), 1000, 4000]]
    assert all(later < earlier for earlier, later in pairwise(deltas))


def test_far_into_the_tail_the_delta_keeps_its_precision() -> None:
    """A tilt by the normal approximation was once ruled by the largest loss and lost all digits here."""
    for tau in (31, 33, 57, 58):
        exact = exact_delta(tau, Fraction(4), 2, one_more=True)
        assert exact <= overlap_delta(tau, Fraction(4), matches=2) <= exact * (1 + Fraction(1, 10**3))


def test_even_mass_too_small_to_keep_is_counted_and_not_dropped() -> None:
    for tau in (100, 120, 200):
        assert exact_delta(tau, Fraction(4), 1, one_more=True) <= overlap_delta(tau, Fraction(4), matches=1) < 1e-29


def test_a_partners_larger_number_of_dummies_is_never_worse() -> None:
    """One match at epsilon 4: 24 dummies would do for this delta, 25 and 26 would not."""
    epsilon, delta = Fraction(4), overlap_delta(24, Fraction(4), matches=1)
    assert overlap_delta(25, epsilon, matches=1) > delta
    tau = shared_dummies(epsilon, delta, matches=1)
    assert tau == 27
    assert all(overlap_delta(larger, epsilon, matches=1) <= delta for larger in range(tau, tau + 200))


def test_more_matches_need_more_dummies_and_a_larger_epsilon_fewer() -> None:
    delta = Fraction(1, 10**9)
    assert shared_dummies(Fraction(4), delta, matches=1) < shared_dummies(Fraction(4), delta, matches=2)
    assert shared_dummies(Fraction(5), delta, matches=2) < shared_dummies(Fraction(4), delta, matches=2)
    assert shared_dummies(Fraction(4), delta, matches=2) < shared_dummies(Fraction(4), delta / 10, matches=2)


def test_a_wish_that_takes_more_than_a_million_dummies_is_refused() -> None:
    with pytest.raises(UsageError, match="shared dummies"):
        shared_dummies(Fraction(1, 100), Fraction(1, 10**9), matches=2)


@pytest.mark.parametrize(
    ("epsilon", "delta", "matches"),
    [
        (Fraction(0), Fraction(1, 10**9), 6),
        (Fraction(-1), Fraction(1, 10**9), 6),
        (Fraction(101), Fraction(1, 10**9), 6),
        (Fraction(2), Fraction(0), 6),
        (Fraction(2), Fraction(1), 6),
        (Fraction(2), Fraction(1, 10**15 + 1), 6),
        (Fraction(2), Fraction(1, 10**9), 0),
        (Fraction(2), Fraction(1, 10**9), 1001),
        (Fraction(2), Fraction(1, 10**9), True),
    ],
)
def test_arguments_out_of_range_are_refused(epsilon: Fraction, delta: Fraction, matches: int) -> None:
    with pytest.raises(UsageError):
        shared_dummies(epsilon, delta, matches=matches)


def test_the_smallest_delta_and_the_largest_epsilon_are_served() -> None:
    assert shared_dummies(Fraction(100), Fraction(1, 10**15), matches=1) == 27
    assert math.comb(2 * 27, 27) >= 10**15 > math.comb(2 * 26, 26)


@pytest.mark.parametrize("tau", [0, -1, MAX_SHARED_DUMMIES + 1, True])
def test_a_number_of_dummies_out_of_range_is_refused(tau: int) -> None:
    with pytest.raises(UsageError):
        overlap_delta(tau, Fraction(1), matches=1)
