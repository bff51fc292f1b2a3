"""A quantile from a noisy histogram: exact coverage by adding up every draw, and what is said inside the noise."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.answer.quantile import Quantile, quantile
from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.law import Law
from tests.reference.combined_law import one_noise, summed_noise
from tests.unit.answer.measures import measure

LAWS: tuple[Law, ...] = ("gaussian", "laplace")
SPEND = measure()
HALF = Fraction(1, 2)
LEAST_LIKELY = 1e-5  # rarer draws, together less than 1 in 200, are not looked at and count as misses
ORDERS = (Fraction(1, 10), Fraction(1, 4), HALF, Fraction(9, 10))


def found(cells: Sequence[int], *, order: Fraction = HALF, edges: Sequence[int] = (), **changes: Any) -> Quantile:
    """The quantile of a measure of 0 to 100 in as many equal bins, with noise of scale 1."""
    width = 100 / len(cells)
    given_edges = [Decimal(edge) for edge in edges or [round(width * (i + 1)) for i in range(len(cells) - 1)]]
    asked = {"column": SPEND, "scale": Fraction(1), "law": "gaussian", **changes}
    return quantile(cells, order=order, edges=given_edges, **asked)


def true_bin(counts: Sequence[int], order: Fraction) -> int:
    """The bin of the person at place ceil(order x people) from below, counted out one by one."""
    people = [place for place, count in enumerate(counts) for _ in range(count)]
    return people[math.ceil(order * len(people)) - 1]


def ends(shown: Quantile, bins: int) -> tuple[int, int]:
    """The lowest and the highest bin of the interval."""
    width = 100 / bins
    return round(float(shown.low) / width), round(float(shown.high) / width) - 1


@pytest.mark.parametrize(
    ("cells", "order", "value", "place"),
    [
        ([0, 1000, 0, 0], HALF, 37, 1),
        ([500, 500, 500, 500], HALF, 49, 1),
        ([500, 500, 500, 500], Fraction(1, 4), 24, 0),
        ([500, 500, 500, 500], Fraction(3, 8), 37, 1),
        ([100, 100, 100, 700], Fraction(93, 100), 97, 3),
        ([600, -200, 0, 400], Fraction(9, 10), 94, 3),
        ([0, 0, 0, 1000], Fraction(999, 1000), 100, 3),
    ],
)
def test_the_value_is_where_the_cumulated_histogram_crosses_the_order(
    cells: list[int], order: Fraction, value: int, place: int
) -> None:
    """Evenly spread inside the bin; the upper edge belongs to the next bin, so 50 is not in the second of four."""
    shown = found(cells, order=order)
    assert shown.value is not None
    assert (int(shown.value), shown.bin) == (value, place)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("order", [Fraction(1, 10), HALF, Fraction(3, 4)], ids=str)
@pytest.mark.parametrize("counts", [(9, 12, 7), (4, 0, 30), (11, 11, 0)], ids=str)
def test_the_truth_is_inside_with_at_least_95_percent_over_every_possible_draw(
    law: Law, order: Fraction, counts: tuple[int, ...]
) -> None:
    truth, held = true_bin(counts, order), 0.0
    likely = [(x, chance) for x, chance in one_noise(law, Fraction(1)).items() if abs(x) <= 9]
    for draws in product(likely, repeat=len(counts)):
        chance = math.prod(each for _, each in draws)
        if chance > LEAST_LIKELY:
            noisy = [count + x for count, (x, _) in zip(counts, draws, strict=True)]
            low, high = ends(found(noisy, order=order, law=law), len(counts))
            held += chance if low <= truth <= high else 0.0
    assert held >= 0.95


@pytest.mark.parametrize("law", LAWS)
def test_an_edge_is_passed_exactly_where_noise_alone_does_not_explain_it(law: Law) -> None:
    """Two bins and the median: D is half the difference of two cells, whose exact law is that of two noises."""
    difference = summed_noise(law, Fraction(1), 2)
    for gap in range(20):
        explained = math.fsum(chance for x, chance in difference.items() if abs(x) >= gap)
        shown = found([200 + gap, 200], law=law)
        if explained > 0.05:
            assert ends(shown, 2) == (0, 1)
        elif math.fsum(chance for x, chance in difference.items() if abs(x) >= gap - 1) <= 0.05:
            assert ends(shown, 2) == (0, 0)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("bins", [1, 2, 8])
def test_a_quantile_is_undefined_exactly_where_the_total_is_inside_the_noise(law: Law, bins: int) -> None:
    total = summed_noise(law, Fraction(1), bins)
    half_width = next(h for h in range(100) if math.fsum(p for x, p in total.items() if abs(x) > h) <= 0.05)
    rest = [0] * (bins - 1)
    inside = found([half_width, *rest], law=law)
    assert (inside.value, inside.bin) == (None, None)
    assert [inside.low, inside.high] == [0, 100]
    assert "undefined" in inside.note
    assert found([half_width + 1, *rest], law=law).value is not None
    assert found([-half_width - 1, *rest], law=law).value is None


@pytest.mark.parametrize("law", LAWS)
def test_many_people_in_one_bin_leave_no_doubt_and_few_leave_all(law: Law) -> None:
    many, few = found([0, 0, 1000, 0, 0], law=law), found([8, 8, 20, 8, 8], law=law, scale=Fraction(6))
    assert ends(many, 5) == (2, 2)
    assert few.high - few.low > 20


def test_noise_is_not_clamped_before_it_is_added_up() -> None:
    """400 people in the first bin and noise in thirty others: clamped first, the median would be in the noise."""
    noise = [40, -40] * 15
    shown = found([400, *noise], edges=[3 * (i + 1) for i in range(30)], scale=Fraction(10))
    assert [shown.bin, shown.low, shown.high] == [0, 0, 3]


@given(
    cells=st.lists(st.integers(-20, 300), min_size=1, max_size=8),
    order=st.sampled_from(ORDERS),
    law=st.sampled_from(LAWS),
    scale=st.integers(1, 20),
)
@settings(max_examples=80, deadline=None)
def test_the_interval_holds_the_value_and_the_value_its_bin(
    cells: list[int], order: Fraction, law: Law, scale: int
) -> None:
    shown = found(cells, order=order, law=law, scale=Fraction(scale))
    assert 0 <= shown.low < shown.high <= 100
    if shown.value is not None:
        assert shown.bin is not None
        assert shown.low <= shown.value <= shown.high
        assert round(100 / len(cells) * shown.bin) <= shown.value <= round(100 / len(cells) * (shown.bin + 1))


@given(cells=st.lists(st.integers(5, 300), min_size=2, max_size=8), law=st.sampled_from(LAWS))
@settings(max_examples=40, deadline=None)
def test_a_higher_order_is_never_a_lower_quantile(cells: list[int], law: Law) -> None:
    shown = [found(cells, order=order, law=law) for order in ORDERS]
    values = [each.value for each in shown if each.value is not None]
    assert values == sorted(values)
    assert [each.low for each in shown] == sorted(each.low for each in shown)
    assert [each.high for each in shown] == sorted(each.high for each in shown)


@given(cells=st.lists(st.integers(5, 300), min_size=2, max_size=8), more=st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_more_people_in_the_highest_bin_never_lower_a_quantile(cells: list[int], more: int) -> None:
    less, greater = found(cells), found([*cells[:-1], cells[-1] + more])
    if less.value is not None:
        assert greater.value is not None
        assert less.value <= greater.value
        assert less.low <= greater.low
        assert less.high <= greater.high


@given(cells=st.lists(st.integers(-5, 300), min_size=2, max_size=8), law=st.sampled_from(LAWS))
@settings(max_examples=40, deadline=None)
def test_a_wider_range_outside_the_edges_changes_neither_bin_nor_certainty(cells: list[int], law: Law) -> None:
    edges = [10 + 10 * i for i in range(len(cells) - 1)]
    here, there = found(cells, edges=edges, law=law), found(cells, edges=edges, law=law, column=measure("-50", "200"))
    assert here.bin == there.bin
    assert here.low == (0 if there.low == -50 else there.low)
    assert here.high == (100 if there.high == 200 else there.high)


def test_an_edge_at_the_upper_bound_is_a_bin_of_those_at_the_bound() -> None:
    shown = found([100, 900], edges=[100])
    assert [shown.bin, shown.value, shown.low, shown.high] == [1, 100, 100, 100]


def test_a_single_bin_says_no_more_than_the_bounds() -> None:
    shown = found([1000])
    assert [shown.low, shown.high, shown.bin] == [0, 100, 0]


@pytest.mark.parametrize("order", [Fraction(0), Fraction(1), Fraction(-1, 2), Fraction(3, 2)])
def test_an_order_outside_0_to_1_is_refused(order: Fraction) -> None:
    assert found([100, 100], order=Fraction(1, 1000)).bin == 0
    assert found([100, 100], order=Fraction(999, 1000)).bin == 1
    with pytest.raises(UsageError, match="median"):
        found([100, 100], order=order)


def test_cells_must_fit_the_edges_and_the_scale_the_rules() -> None:
    for cells in ([1, 2], [1, 2, 3, 4]):
        with pytest.raises(UsageError):
            found(cells, edges=[10, 20])
    with pytest.raises(RefusedError):
        found([100, 100], scale=Fraction(1, 2))


def test_the_json_value_is_small_and_keeps_its_keys() -> None:
    body = found([0, 1000, 0, 0]).body(by="DE")
    assert body == {
        "kind": "quantile",
        "by": "DE",
        "order": 0.5,
        "defined": True,
        "value": 37,
        "low": 25,
        "high": 50,
        "coverage": 0.95,
        "note": body["note"],
    }
    assert list(body)[-1] == "note"
    nothing = found([0, 0]).body(by=None)
    assert (nothing["defined"], nothing["value"], nothing["low"], nothing["high"]) == (False, None, 0, 100)
