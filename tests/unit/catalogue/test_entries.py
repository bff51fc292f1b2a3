"""What each entry makes of its answers, against arithmetic written down here: exact formulas, bases, words.

Coverage over real customers is in tests/statistical/test_catalogue_holds_the_truth.py.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Own, Values, request
from cleanroom.catalogue.finding import Finding
from cleanroom.catalogue.flow import combinations
from cleanroom.catalogue.places import contenders, places
from cleanroom.errors import UsageError
from cleanroom.privacy.combination import reach
from cleanroom.privacy.law import Law
from cleanroom.privacy.share import NoisyShare, ratio_range
from cleanroom.report.answer import Answer, Cell
from cleanroom.report.certainty import Range
from tests.reference.combined_law import chance_at_least, one_noise
from tests.unit.catalogue.planted import ASKER, OWNER, Planted, sample

LAWS: tuple[Law, ...] = ("gaussian", "laplace")
COLOURS = ("Black", "Red", "Silver", "Yellow", "Blue", "other")


def answer(values: Sequence[int], *, law: Law = "gaussian", scale: str = "4", **more: Any) -> Answer:
    """A histogram of colour, split by as many groups as there are sixes of values; a count where there is one."""
    groups = ["yes", "no", "other"] if len(values) > 6 else [None]
    ofs: Sequence[str | None] = COLOURS if len(values) > 1 else [None]
    names = [(by, of) for by in groups for of in ofs]
    threshold = more.get("threshold", 0)
    cells = tuple(
        Cell(by, of, Fraction(value), Fraction(value - 9), Fraction(value + 9), value < threshold > 0)
        for (by, of), value in zip(names, values, strict=True)
    )
    made = Answer(
        asker=ASKER,
        owner=OWNER,
        by="helmet" if len(values) > 6 else None,
        quantity="histogram" if len(values) > 1 else "count",
        column="colour" if len(values) > 1 else None,
        unit="people",
        epsilon=1.0,
        delta=1e-9,
        law=law,
        scale=Fraction(scale),
        level=Fraction(95, 100),
        cells=cells,
        spent=(),
        total=(),
    )
    return replace(made, **more)


def numbers(found: Finding) -> list[tuple[Any, Any, Any]]:
    """Estimate and interval of each row."""
    return [(row.value, row.low, row.high) for row in found.rows]


def read(entry: str, values: Values, *answers: Answer, people: int | None = None) -> Finding:
    made = request(sample(), find(entry), ASKER, OWNER, values)
    return find(entry).read(sample(), made, answers, Own(people))


# ---- overlap ---------------------------------------------------------------------------------------------------------


def test_an_overlap_is_a_number_of_people_and_a_share_of_the_askers_own() -> None:
    """Scale 4: the exact law holds 95% within 8."""
    found = read("overlap", {}, answer([500]), people=2000)
    assert numbers(found) == [(500, 492, 508)]
    assert found.sentences == (
        "accessories shares 492 to 508 customers with bikes.",
        "That is 24.6% to 25.4% of the 2,000 customers that accessories itself has.",
    )


def test_an_overlap_without_the_askers_own_number_is_no_share() -> None:
    found = read("overlap", {}, answer([500]))
    assert len(found.sentences) == 1
    assert "%" not in found.sentences[0]


def test_a_share_of_the_askers_own_is_at_most_all_of_them() -> None:
    assert "98.4% to 100% of the 500" in read("overlap", {}, answer([500]), people=500).sentences[1]


@pytest.mark.parametrize("people", [0, -5])
def test_an_own_number_of_nobody_is_refused(people: int) -> None:
    with pytest.raises(UsageError, match="whole number from 1"):
        read("overlap", {}, answer([500]), people=people)
    with pytest.raises(UsageError, match="whole number from 1"):
        read("reach", {}, answer([500]), answer([900]), people=people)


def test_an_overlap_under_the_contracts_threshold_is_said_as_such_and_not_shown() -> None:
    found = read("overlap", {}, answer([19], threshold=20), people=2000)
    assert found.sentences == ("accessories shares under 20 customers with bikes.",)
    assert found.rows[0].value is found.rows[0].low is None
    assert read("overlap", {}, answer([20], threshold=20), people=2000).rows[0].value == 20


def test_what_is_said_to_be_under_the_threshold_may_be_more_and_every_finding_says_so() -> None:
    """Of 60 people, at epsilon 0.1, one finding in five says "under 20": that has no interval and no level."""
    planted = Planted("overlap", {}, [60], threshold=20)
    findings = [planted.asked("0.1") for _ in range(40)]
    assert any("under 20" in found.sentences[0] for found in findings)
    line = "Whether a number is under 20 is judged with its noise: the true one may be 20 or more."
    assert all(found.not_covered[-1] == line for found in findings)
    assert not any("judged" in line for line in read("overlap", {}, answer([500])).not_covered)


# ---- profile ---------------------------------------------------------------------------------------------------------


def test_a_profile_has_the_share_of_each_value_and_names_its_base() -> None:
    found = read("profile", {"of": "colour"}, answer([600, 300, 50, 30, 20, 0]))
    assert found.base == "customers that accessories shares with bikes"
    assert [row.value for row in found.rows] == [60, 30, 5, 3, 2, 0]
    assert found.rows[0].names == (("colour (bikes)", "Black"),)
    assert all(row.low is not None and row.high is not None and row.low <= 60 for row in found.rows)
    assert [row.rank for row in found.rows] == [(1, 1), (2, 2), (3, 5), (3, 5), (3, 5), None]


def test_a_profile_of_groups_has_a_base_for_each() -> None:
    found = read("profile", {"of": "colour", "by": "helmet"}, answer([600, 300, 0, 0, 0, 100] + [100] * 6 + [1] * 6))
    assert found.base.endswith("and that have the same helmet at accessories")
    assert found.rows[0].names == (("helmet (accessories)", "yes"), ("colour (bikes)", "Black"))
    assert [found.rows[at].value for at in (0, 7)] == [60, Fraction(100, 6)]
    assert found.rows[12].value is None  # the group of six people is noise
    assert len(found.sentences) == 3


def test_a_value_under_the_contracts_threshold_has_no_share() -> None:
    found = read("profile", {"of": "colour"}, answer([600, 300, 50, 19, 20, 0], threshold=20))
    assert [row.value is None for row in found.rows] == [False, False, False, True, False, True]
    assert [row.rank for row in found.rows] == [(1, 1), (2, 2), (3, 5), None, (3, 5), None]
    assert "Yellow under 20" in found.sentences[0]


@pytest.mark.parametrize("counts", [[600, 300], [5, 5]])
def test_the_only_value_that_is_named_is_compared_with_nothing(counts: list[int]) -> None:
    """Nothing says that it differs from anything, least of all where it may be anything from 0% to 100%."""
    cells = tuple(
        Cell(None, of, Fraction(value), Fraction(value - 9), Fraction(value + 9))
        for of, value in zip(("Black", "other"), counts, strict=True)
    )
    found = read("profile", {"of": "colour"}, answer([0] * 6, cells=cells))
    assert [row.differs for row in found.rows] == [None, None]
    assert (found.rows[0].low == 0) == (found.rows[0].high == 100) == (counts == [5, 5])


def test_in_a_group_under_the_threshold_no_value_has_a_share() -> None:
    """Noise below 0 takes from a total what one value has."""
    found = read("profile", {"of": "colour"}, answer([25, -10, 0, 0, 0, 0], threshold=20))
    assert all(row.value is row.low is None and not row.differs for row in found.rows)


# ---- index -----------------------------------------------------------------------------------------------------------

MATCH, TABLE = [600, 300, 200, 100, 80, 40], [900, 700, 400, 200, 150, 90]


@pytest.mark.parametrize("law", LAWS)
def test_an_index_is_the_share_among_the_shared_over_the_share_at_the_owner(law: Law) -> None:
    """Six ratios of three statements each and one number of people: 19 at once."""
    match, table = answer(MATCH, law=law, scale="5"), answer(TABLE, law=law, scale="7", base="table")
    found = read("index", {"of": "colour"}, match, table)
    z = reach(law, 0.05 / 19)
    for row, here, everywhere in zip(found.rows, MATCH, TABLE, strict=True):
        ends = ratio_range(NoisyShare(here, sum(MATCH), 6, 5.0), NoisyShare(everywhere, sum(TABLE), 6, 7.0), z)
        assert ends is not None
        assert row.value == Fraction(100 * here * sum(TABLE), everywhere * sum(MATCH))
        low, high = math.floor(100 * ends[0]), math.ceil(100 * ends[1])
        assert [row.low, row.high] == [low, high]
        assert row.differs == (not low <= 100 <= high)
    assert found.chart.reference == 100
    assert found.rows[5].rank is None


def test_an_index_is_at_most_half_again_as_wide_as_a_normal_one() -> None:
    """The naive interval: six normal ones at once, z = 2.638, and the variances of both shares added up."""
    match, table = ([1000 * n for n in counts] for counts in (MATCH, TABLE))
    found = read("index", {"of": "colour"}, answer(match, scale="900"), answer(table, scale="1100", base="table"))
    for row, here, everywhere in zip(found.rows[:4], match, table, strict=False):
        errors = [
            scale * math.hypot(1 - part / sum(counts), math.sqrt(5) * part / sum(counts)) / part
            for scale, part, counts in ((900, here, match), (1100, everywhere, table))
        ]
        assert row.value is not None
        assert row.high is not None
        assert row.low is not None
        naive = 2 * 2.638 * float(row.value) * math.hypot(*errors)
        assert naive <= float(row.high - row.low) <= 1.55 * naive + 2


def test_an_index_says_which_values_differ_and_which_cannot_be_told_apart() -> None:
    found = read("index", {"of": "colour"}, answer(MATCH, scale="1"), answer(TABLE, scale="1", base="table"))
    assert found.sentences[0].startswith(
        "Among the 1,311 to 1,329 customers that accessories shares with bikes, colour Black (index 122 to 125) is more"
    )
    assert "Red (index 78 to 81), Silver" in found.sentences[0]
    assert "less frequent than among all customers of bikes (index 100)" in found.sentences[0]
    assert found.sentences[1] == "Of the values that are named, Black has the highest index."


def test_an_index_of_a_value_that_nobody_may_have_is_not_told() -> None:
    found = read("index", {"of": "colour"}, answer([*MATCH[:5], 3]), answer([*TABLE[:5], 2], base="table"))
    last = found.rows[5]
    assert (last.value, last.low, last.high, last.differs) == (None, None, None, False)
    assert "too few have other to tell" in found.sentences[0]


@pytest.mark.parametrize("place", [0, 1])
def test_an_index_of_numbers_under_the_threshold_is_not_told(place: int) -> None:
    counts = [[600, 300, 200, 100, 80, 40], [900, 700, 400, 200, 150, 90]]
    counts[place][4] = 29
    match, table = (answer(counts[at], threshold=30, base=base) for at, base in enumerate(("match", "table")))
    assert read("index", {"of": "colour"}, match, table).rows[4].value is None


@pytest.mark.parametrize("place", [0, 1])
def test_an_index_of_fewer_people_than_the_threshold_is_not_told_for_any_value(place: int) -> None:
    """Noise below 0 in some cells: one value has 900, and all people together are 799."""
    counts = [[900, 0, 0, 0, 0, 0], [900, 0, 0, 0, 0, 0]]
    counts[place][5] = -101
    pair = [answer(counts[at], scale="30", threshold=800, base=base) for at, base in enumerate(("match", "table"))]
    found = read("index", {"of": "colour"}, *pair)
    assert all(row.low is None for row in found.rows)
    assert ("Among the under 800 customers" in found.sentences[0]) == (place == 0)
    counts[place][5] += 1
    pair = [answer(counts[at], scale="30", threshold=800, base=base) for at, base in enumerate(("match", "table"))]
    assert read("index", {"of": "colour"}, *pair).rows[0].low is not None


# ---- reach -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", LAWS)
def test_reach_counts_each_person_once_and_its_interval_is_that_of_two_noises(law: Law) -> None:
    """The half width is enough by the exact law of a difference, added up pair by pair, and two less is not."""
    found = read("reach", {}, answer([500], law=law, scale="3"), answer([900], law=law, scale="4"), people=2000)
    together, added = found.rows
    assert [together.value, added.value] == [2400, 400]
    assert added.low is not None
    assert added.high is not None
    assert (together.low, together.high) == (2000 + added.low, 2000 + added.high)
    assert added.high - 400 == 400 - added.low
    half_width = int(added.high) - 400
    noises = one_noise(law, Fraction(4)), one_noise(law, Fraction(3))
    assert chance_at_least(half_width + 1, *noises, 1.0) <= 0.05
    assert chance_at_least(half_width - 1, *noises, 1.0) > 0.05
    assert found.sentences[0].startswith("accessories and bikes together reach 2,3")
    assert found.sentences[0].endswith("more that bikes has.")


def test_without_the_askers_own_number_reach_says_what_the_owner_adds() -> None:
    found = read("reach", {}, answer([500]), answer([900]))
    assert [row.names[0][1] for row in found.rows] == ["added by bikes"]
    assert found.sentences[0].endswith("customers that accessories does not have.")


def test_the_owner_never_adds_fewer_than_nobody() -> None:
    found = read("reach", {}, answer([905]), answer([900]), people=2000)
    assert found.rows[1].low == 0
    assert found.rows[0].low == 2000


def test_what_the_owner_adds_under_the_threshold_is_said_as_such() -> None:
    found = read("reach", {}, answer([881], threshold=20), answer([900], threshold=20), people=2000)
    assert found.sentences == ("bikes adds under 20 people to those of accessories.",)
    assert all(row.value is None for row in found.rows)


# ---- flow ------------------------------------------------------------------------------------------------------------

FLOW = [900, 100, 100, 50, 40, 10, 300, 400, 200, 100, 60, 40, 100, 60, 30, 10, 9, 5]


@pytest.mark.parametrize("law", LAWS)
def test_flow_compares_each_row_with_the_others_together(law: Law) -> None:
    """18 cells of 5 statements, 3 rows and everybody: 94 at once."""
    found = read("flow", {"by": "helmet", "of": "colour"}, answer(FLOW, law=law))
    z, n = reach(law, 0.05 / 94), sum(FLOW)
    times = [one.times for one in combinations(answer(FLOW, law=law))]
    for at, row in enumerate(found.rows):
        group = FLOW[at // 6 * 6 : at // 6 * 6 + 6]
        alike = sum(FLOW[at % 6 :: 6]) - FLOW[at]
        here, others = (
            NoisyShare(FLOW[at], sum(group), 6, 4.0),
            NoisyShare(alike, n - sum(group), 6, 4.0 * math.sqrt(2)),
        )
        ends = ratio_range(here, others, z)
        assert ends is not None
        low, high = math.floor(100 * ends[0]), None if math.isinf(ends[1]) else math.ceil(100 * ends[1])
        assert times[at] == (low, high)
        assert row.differs == (low > 100 or (high is not None and high < 100))
        assert row.value is None or abs(row.value - Fraction(100 * FLOW[at], sum(group))) < 2
    assert sum(row.differs is True for row in found.rows) >= 6
    assert f"{sum(row.differs is True for row in found.rows)} of 18 combinations" in found.sentences[0]
    assert found.sentences[1].startswith(
        "Customers who have helmet yes at accessories have colour Black at bikes more often than the others ("
    )


def test_flow_can_show_people_and_says_the_same() -> None:
    """Each of 18 numbers within 18, at 95% x 18 / 94 of alpha and scale 4: 4.2 scales of one noise."""
    words = {"by": "helmet", "of": "colour"}
    shares, people = (read("flow", {**words, "show": show}, answer(FLOW)) for show in ("shares", "people"))
    assert (shares.unit, people.unit) == ("%", "people")
    assert shares.sentences == people.sentences
    assert [row.value for row in people.rows] == FLOW
    assert shares.base == "customers that accessories shares with bikes and that have the same helmet at accessories"
    assert people.base == "customers that accessories shares with bikes"
    assert [row.differs for row in people.rows] == [row.differs for row in shares.rows]
    assert all(row.low is not None and row.high is not None for row in people.rows)
    widths = {row.high - row.low for row in people.rows if row.low and row.high is not None}
    assert len(widths) == 1
    assert 28 <= min(widths) <= 36


def test_an_estimate_of_people_lies_in_its_interval_however_far_noise_is_below_0() -> None:
    """-2 beside 0 to 18, or beside 0 to 0, is no number that can be said."""
    few = [*FLOW[:15], -2, -60, 5]
    found = read("flow", {"by": "helmet", "of": "colour", "show": "people"}, answer(few))
    assert [row.value for row in found.rows[15:]] == [0, 0, 5]
    assert [float(row.low or 0) for row in found.rows[15:]] == [0, 0, 0]
    assert numbers(read("overlap", {}, answer([-2])))[0] == (0, 0, 6)
    assert numbers(read("overlap", {}, answer([-20])))[0] == (0, 0, 0)
    added = read("reach", {}, answer([902]), answer([900]), people=2000).rows
    assert [row.value for row in added] == [row.low for row in added] == [2000, 0]


def test_a_large_flow_is_added_up_once_and_not_for_each_cell() -> None:
    """Adding up all cells for each cell takes seconds at 900 of them: they are 810,000 additions."""
    additions = 0

    class Counted(Fraction):
        """Counts what it is added to; a sum of these adds one of them at a time."""

        def __radd__(self, other: Any) -> Any:
            nonlocal additions
            additions += 1
            return Fraction(self) + other

    names = [(f"stage {row}", f"stage {column}") for row in range(12) for column in range(12)]
    cells = tuple(Cell(by, of, Counted(100 + at), Fraction(0), Fraction(2000)) for at, (by, of) in enumerate(names))
    assert len(combinations(answer(FLOW, cells=cells))) == 144
    assert additions <= 10 * 144


def test_flow_says_no_more_than_a_few_combinations_and_counts_the_rest() -> None:
    found = read("flow", {"by": "helmet", "of": "colour"}, answer([40 * n for n in FLOW], scale="1"))
    differing = sum(row.differs is True for row in found.rows)
    assert differing > 6
    assert f"{differing - 6} more of which this holds are in the table." in found.sentences
    assert len(found.sentences) == 1 + 6 + 1 + (differing < 18)


def test_a_combination_that_occurs_nowhere_else_is_so_many_times_at_least() -> None:
    found = read("flow", {"by": "helmet", "of": "colour"}, answer([500, 0, 0, 0, 0, 0, 0, 500, 0, 0, 0, 0] + [0] * 6))
    assert found.rows[0].differs
    assert "; at least " in found.sentences[1]


def test_how_many_times_as_often_is_printed_to_the_hundredth_however_often() -> None:
    """Six digits would cut the interval of a ratio above 10,000."""
    cells = answer([2_000_000, 0, 0, 0, 0, 0, 30_000, 900_000_000, 0, 0, 0, 0] + [0] * 6)
    times = combinations(cells)[0].times
    assert times is not None
    assert times[1] is not None
    assert times[0] > 1_000_000
    sentence = read("flow", {"by": "helmet", "of": "colour"}, cells).sentences[1]
    said = sentence.partition("; ")[2].partition(" times")[0].split(" to ")
    assert [round(100 * float(end), 6) for end in said] == [times[0], times[1]]


def test_a_stage_under_the_threshold_is_not_told() -> None:
    found = read("flow", {"by": "helmet", "of": "colour"}, answer(FLOW, threshold=20))
    assert [row.value is None for row in found.rows[15:]] == [True] * 3
    assert not any(row.differs for row in found.rows[15:])


# ---- places ----------------------------------------------------------------------------------------------------------


def test_a_place_is_above_another_only_if_the_printed_ranges_do_not_touch() -> None:
    assert places([Range(5, 9), Range(1, 5), Range(1, 4)]) == ((1, 2), (1, 3), (2, 3))
    assert contenders([Range(5, 9), Range(1, 5), Range(1, 4)]) == (0, 1)


def test_what_is_not_known_may_be_anywhere() -> None:
    assert places([Range(5, 9), None, Range(1, 4)]) == ((1, 2), (1, 3), (2, 3))
