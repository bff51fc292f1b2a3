from collections.abc import Sequence

import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Ask
from cleanroom.catalogue.finding import Finding
from cleanroom.catalogue.rounding import outward, said
from cleanroom.catalogue.segments import average_share
from cleanroom.errors import UsageError
from cleanroom.privacy.combination import reach
from cleanroom.privacy.law import Law
from cleanroom.privacy.share import NoisyShare
from cleanroom.question.quantity import Quantity
from tests.reference.drawn_noise import Noise, NoNoise
from tests.reference.planted_cells import split_or_not, table_of
from tests.reference.redrawn_answers import Seam
from tests.unit.catalogue.two_shops import two_shops

SEGMENTS = ("north", "south", "east", "other")
COLOURS = ("red", "blue", "other")
WORDS = {"by": "segment", "of": "colour", "value": "red"}
CLEAR = ((3000, 1000, 1000), (2000, 2000, 1000), (1000, 3000, 1000), (900, 10, 10))
TIED = ((3000, 1000, 1000), (3000, 1000, 1000), (1000, 3000, 1000), (10, 10, 10))


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    return Seam(two_shops(tmp_path_factory.mktemp("launch")), "shop", "brand")


def launch(seam: Seam, counts: Sequence[Sequence[int]], noise: Noise | None = None, threshold: int = 0) -> Finding:
    entry, cells = find("launch"), table_of(SEGMENTS, COLOURS, counts)
    return seam.finding(entry, WORDS, lambda _: cells, noise or NoNoise("gaussian"), threshold=threshold)


def test_segments_are_ranked_by_their_share_and_stand_in_the_contract_s_order(seam: Seam) -> None:
    found = launch(seam, CLEAR)
    assert [row.names[0][1] for row in found.rows] == list(SEGMENTS)
    assert [row.value for row in found.rows[:3]] == [60, 40, 20]
    assert [row.rank for row in found.rows] == [(1, 1), (2, 2), (3, 3), None]
    assert found.chart.reference == pytest.approx(100 * 6900 / 15920)
    assert found.sentences[0].startswith("Of the customers with segment north, 5")
    assert (
        "more than of any other segment that is named; of all that shop shares with brand it is 4"
        in (found.sentences[0])
    )
    assert found.sentences[1] == "By segment, north is above the average; south and east are below it."


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_planted_ties_are_ties_in_ranks_sentences_and_file_whatever_the_noise(seam: Seam, law: Law) -> None:
    """Intervals of equal shares touch unless both miss: in 200 draws none does, since all hold at once with 95%."""
    orders = set()
    for seed in range(200):
        found = launch(seam, TIED, Noise(law, seed))
        assert [row.rank for row in found.rows] == [(1, 2), (1, 2), (3, 3), None]
        assert found.sentences[0].startswith("Of which segment most customers have colour red at brand is not known: ")
        assert "north (" in found.sentences[0].partition(" south ")[0]
        assert "cannot be told apart" in found.sentences[0]
        assert [(line["best_rank"], line["worst_rank"]) for line in found.files[0][1][:2]] == [(1, 2), (1, 2)]
        north, south = (row.value for row in found.rows[:2])
        assert north is not None
        assert south is not None
        orders.add(north > south)
    assert orders == {True, False}


def test_a_small_segment_is_tied_with_everybody(seam: Seam) -> None:
    found = launch(seam, ((3000, 1000, 1000), (1000, 3000, 1000), (3, 0, 0), (0, 0, 0)))
    assert [row.rank for row in found.rows] == [(1, 2), (2, 3), (1, 3), None]
    assert not found.rows[2].differs
    assert found.rows[2].value is not None
    assert found.rows[2].low == 0
    assert found.rows[2].high == 100
    assert "east cannot be told apart from it" in found.sentences[1]


def test_nothing_is_said_where_noise_is_as_large_as_every_segment(seam: Seam) -> None:
    found = launch(seam, ((3, 1, 1), (2, 2, 1), (1, 3, 1), (0, 0, 0)))
    assert found.sentences == (
        "No segment can be ranked: the noise is as large as the segments; of all that shop shares with brand it is 0%"
        " to 100%.",
    )
    assert all(row.rank in ((1, 3), None) and not row.differs for row in found.rows)


def test_other_is_never_ranked_and_never_called_first(seam: Seam) -> None:
    found = launch(seam, ((1000, 3000, 1000), (1000, 3000, 1000), (1000, 3000, 1000), (9000, 10, 10)))
    assert found.rows[3].rank is None
    assert found.rows[3].differs
    assert "other" not in " ".join(found.sentences).replace("any other", "")


def test_what_is_under_the_threshold_is_shown_as_such(seam: Seam) -> None:
    found = launch(seam, ((3000, 1000, 1000), (2000, 2000, 1000), (5, 3000, 1000), (0, 0, 0)), threshold=20)
    assert found.rows[2].value is found.rows[2].low is None
    assert not found.rows[2].differs
    assert found.files[0][1][2]["share"] is None
    assert found.files[0][1][2]["high"] is None


def test_a_segment_under_the_threshold_has_no_place_and_is_neither_above_nor_below(seam: Seam) -> None:
    found = launch(seam, ((3000, 1000, 1000), (2000, 2000, 1000), (5, 3000, 1000), (0, 0, 0)), threshold=20)
    assert [row.rank for row in found.rows] == [(1, 1), (2, 2), None, None]
    assert [line["best_rank"] for line in found.files[0][1]] == [1, 2, None, None]
    assert [line["worst_rank"] for line in found.files[0][1]] == [1, 2, None, None]
    assert found.sentences[1] == ("By segment, north and south are above the average; east is not compared: under 20.")


def test_an_average_of_fewer_than_the_threshold_is_shown_nowhere(seam: Seam) -> None:
    """Ten of 12,000 have it: 0% to 0.5% is as small a number as that of a segment."""
    found = launch(seam, ((4, 3000, 1000), (3, 3000, 1000), (3, 3000, 1000), (0, 0, 0)), threshold=20)
    assert found.chart.reference is None
    assert found.compared is not None
    assert found.compared.what == "the average of all shared customers"
    assert all(row.low is None and row.differs is False for row in found.rows)
    assert all(line["index"] is line["index_high"] is line["index_low"] is None for line in found.files[0][1])
    assert found.sentences[0].endswith("of all that shop shares with brand it is under 20.")
    assert found.sentences[1] == "By segment, north, south and east are not compared: the average is under 20."
    assert "%" not in " ".join(found.sentences)


def test_nothing_is_compared_with_an_average_that_is_not_shown(seam: Seam) -> None:
    """Noise below 0 elsewhere: one segment's number is shown, and all of them together are not."""
    found = launch(seam, ((30, 300, 100), (-8, 3000, 1000), (-7, 3000, 1000), (0, 0, 0)), threshold=20)
    north = found.files[0][1][0]
    assert found.rows[0].low is not None
    assert found.rows[0].low > 0
    assert [row.differs for row in found.rows] == [None, False, False, False]
    assert (north["differs"], north["index"], north["index_high"]) == (None, None, None)
    assert north["share"] == pytest.approx(100 * 30 / 430, abs=0.01)
    assert "above" not in " ".join(found.sentences)


def test_a_segment_with_fewer_people_than_its_part_is_hidden_by_its_people(seam: Seam) -> None:
    """25 of 15: noise below 0 in the other cells leaves fewer people than the threshold."""
    found = launch(seam, ((25, -10, 0), (2000, 2000, 1000), (1000, 3000, 1000), (0, 0, 0)), threshold=20)
    assert found.rows[0].low is None
    assert "north (under 20)" in found.sentences[0]


def test_a_share_that_is_shown_is_a_share_and_lies_in_its_interval(seam: Seam) -> None:
    """Noisy people over a noisy base are -8%, or 140%, of a small segment every second time."""
    for seed in range(20):
        found = launch(seam, ((30, 5, 3), (2000, 2000, 1000), (0, 30, 10), (0, 0, 0)), Noise("gaussian", seed))
        for row, line in zip(found.rows, found.files[0][1], strict=True):
            assert row.low is not None
            assert row.high is not None
            assert row.value is None or 0 <= row.low <= row.value <= row.high <= 100
            assert (line["index"] or 0) >= 0


def test_a_hidden_segment_differs_from_nothing_in_the_file_either(seam: Seam) -> None:
    found = launch(seam, ((3000, 1000, 1000), (2000, 2000, 1000), (5, 3000, 1000), (0, 0, 0)), threshold=20)
    assert [line["differs"] for line in found.files[0][1]] == [row.differs for row in found.rows]


def test_the_file_has_an_index_whose_interval_holds_both_shares(seam: Seam) -> None:
    ((name, lines),) = launch(seam, CLEAR).files
    assert name == "launch"
    truth = 100 * 0.6 / (6900 / 15920)
    assert lines[0]["index"] == pytest.approx(truth, abs=0.01)
    assert lines[0]["index_low"] < truth < lines[0]["index_high"]
    assert lines[0]["index_low"] > 100


def test_the_average_of_all_segments_has_the_noise_of_all_of_them(seam: Seam) -> None:
    """Four cells added up have twice the noise of the one that a histogram of everybody would have."""
    cells = table_of(SEGMENTS, COLOURS, CLEAR)
    widths = []
    for by in ("segment", ""):
        ask = Ask(by, Quantity("histogram", "colour"))
        answer = seam.answer(ask, split_or_not(cells)(ask), NoNoise("gaussian"))
        found = average_share(answer, "red", statements=5)
        widths.append(float(found.high - found.low))
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_four_segments_and_the_average_hold_at_once(seam: Seam, law: Law) -> None:
    """Five statements; a cell of the average is the sum of four, so its noise is twice as large."""
    (ask,), none = seam.asks(find("launch"), WORDS), NoNoise(law)
    scale = float(seam.answer(ask, {}, none).scale)
    found, far = launch(seam, CLEAR, none), reach(law, 0.05 / 5)
    for row, counts in zip(found.rows, CLEAR, strict=True):
        share = NoisyShare(counts[0], sum(counts), 3, scale)
        assert (row.low, row.high) == outward(100 * (share.least(far) or 0), 100 * (share.most(far) or 1))
    average = NoisyShare(6900, 15_920, 3, 2 * scale)
    ends = outward(100 * (average.least(far) or 0), 100 * (average.most(far) or 1))
    assert found.sentences[0].endswith(f" shares with brand it is {said(*ends, '%')}.")


def test_one_histogram_is_asked(seam: Seam) -> None:
    entry = find("launch")
    asks = seam.asks(entry, WORDS)
    assert asks == (Ask("segment", Quantity("histogram", "colour")),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": "colour"}, "shop has no dimension `colour`"),
        ({"of": "spend"}, "brand's column `spend` is a measure"),
        ({"value": "rde"}, "brand's colour has no declared value `rde`; did you mean `red`"),
    ],
)
def test_a_wrong_parameter_is_named(seam: Seam, change: dict[str, str], message: str) -> None:
    entry = find("launch")
    with pytest.raises(UsageError, match=message):
        seam.asks(entry, WORDS | change)
