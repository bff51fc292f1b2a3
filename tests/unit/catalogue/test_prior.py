import json
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Ask
from cleanroom.catalogue.finding import Finding
from cleanroom.catalogue.rounding import outward
from cleanroom.catalogue.shrinking import Shrunk, shrink
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
WORDS = {"by": "segment", "of": "colour"}
CLEAR = ((3000, 1000, 1000), (2000, 2000, 1000), (1000, 3000, 1000), (900, 10, 10))
ALIKE = ((3000, 2000, 1000), (1500, 1000, 500), (600, 400, 200), (60, 40, 20))
LAWS: tuple[Law, ...] = ("gaussian", "laplace")


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    return Seam(two_shops(tmp_path_factory.mktemp("prior")), "shop", "brand")


def prior(seam: Seam, counts: Sequence[Sequence[int]], noise: Noise | None = None, threshold: int = 0) -> Finding:
    entry, cells = find("prior"), table_of(SEGMENTS, COLOURS, counts)
    return seam.finding(entry, WORDS, split_or_not(cells), noise or NoNoise("gaussian"), threshold=threshold)


def shrunk(cells: Sequence[Sequence[float]], scale: float, law: Law) -> Shrunk:
    """With totals that are the cells' own, as noisy as they would be."""
    totals = [math.fsum(column) for column in zip(*cells, strict=True)]
    return shrink(cells, totals, named=[True] * len(totals), scale=scale, total_scale=2 * scale, law=law)


def test_many_people_keep_their_own_shares(seam: Seam) -> None:
    found = prior(seam, CLEAR)
    assert [float(row.value or 0) for row in found.rows[:3]] == pytest.approx([60, 20, 20], abs=0.1)
    assert found.rows[0].names == (("segment (shop)", "north"), ("colour (brand)", "red"))
    assert found.rows[0].differs
    assert found.chart.kind == "heat"
    assert found.at_once
    assert found.sentences[1].startswith("With segment north, colour is unlike that of all: red 59")


def test_the_headline_says_what_part_of_all_has_the_first_guess(seam: Seam) -> None:
    """It once ended "has colour red (47% to 53%) of the values that are named"."""
    headline = prior(seam, CLEAR).sentences[0]
    assert headline.startswith("Of all customers that shop shares with brand, 43")
    assert headline.endswith("% have colour red at brand, more than any other value that is named.")


def test_where_no_segment_can_be_told_apart_its_guess_may_still_be_far_from_the_average(seam: Seam) -> None:
    """The sentence once said that it stays near; it is 20 points away here."""
    found = prior(seam, ((60, 20, 20), (20, 60, 20), (20, 20, 60), (40, 40, 40)))
    assert not any(row.differs for row in found.rows)
    assert found.rows[0].value is not None
    assert found.rows[0].value > 45
    assert found.sentences[0] == (
        "No segment can be told apart from all of them: what sets their guesses apart may be noise."
    )


@pytest.mark.parametrize("law", LAWS)
def test_every_share_of_every_segment_and_of_all_holds_at_once(seam: Seam, law: Law) -> None:
    """Four segments and everybody, three values: 15 statements."""
    (by_segment, _), none = seam.asks(find("prior"), WORDS), NoNoise(law)
    scale = float(seam.answer(by_segment, {}, none).scale)
    found, far = prior(seam, CLEAR, none), reach(law, 0.05 / 15)
    for at, row in enumerate(found.rows):
        counts = CLEAR[at // 3]
        share = NoisyShare(counts[at % 3], sum(counts), 3, scale)
        assert (row.low, row.high) == outward(100 * (share.least(far) or 0), 100 * (share.most(far) or 1))


def test_the_file_has_a_row_for_each_segment_and_the_average_for_an_unknown_one(seam: Seam) -> None:
    ((name, lines),) = prior(seam, CLEAR).files
    assert name == "prior"
    assert json.loads(json.dumps(lines)) == lines
    assert [line["segment"] for line in lines[::3]] == [*SEGMENTS, None]
    for at in range(0, len(lines), 3):
        assert math.fsum(line["probability"] for line in lines[at : at + 3]) == pytest.approx(1, abs=1e-12)
    average = [line["probability"] for line in lines[-3:]]
    assert average == pytest.approx([6900 / 15920, 6010 / 15920, 3010 / 15920], abs=1e-4)


@pytest.mark.parametrize("law", LAWS)
def test_segments_that_are_alike_differ_no_more_often_than_the_level_says(seam: Seam, law: Law) -> None:
    """All intervals hold at once with 95%; intervals that are wide enough to touch make it much rarer."""
    wrong = 0
    for seed in range(200):
        found = prior(seam, ALIKE, Noise(law, seed))
        differs = any(row.differs for row in found.rows)
        assert differs != found.sentences[0].startswith("No segment can be told apart")
        wrong += differs
    assert wrong <= 2


@pytest.mark.parametrize("law", LAWS)
def test_whatever_the_noise_probabilities_are_above_0_and_add_up_to_1(law: Law) -> None:
    luck = np.random.default_rng(5)
    for scale in (1.0, 11.0, 4000.0):
        for size in (0, 3, 500, 100_000):
            cells = [[size * luck.random() + scale * 6 * (luck.random() - 0.7) for _ in range(5)] for _ in range(4)]
            found = shrunk(cells, scale, law)
            for shares in (*found.shares, found.average):
                assert min(shares) > 0
                assert math.fsum(shares) == pytest.approx(1, abs=1e-12)


def test_a_segment_lies_between_its_own_shares_and_the_average_and_nearer_the_more_people_it_has() -> None:
    """Fifty people with 90%, five hundred with 90%, and four crowds with 50%."""
    cells = [[45.0, 5.0], [450.0, 50.0], *([[1000.0, 1000.0]] * 3), [1100.0, 900.0]]
    found = shrunk(cells, 11.0, "gaussian")
    small, large = found.shares[0][0], found.shares[1][0]
    assert found.strength is not None
    assert found.average[0] + 0.01 < small < large < 0.9


def test_more_noise_pulls_more() -> None:
    cells = [[450.0, 50.0], *([[1000.0, 1000.0]] * 3), [1100.0, 900.0]]
    pulled = [shrunk(cells, scale, "gaussian").shares[0][0] for scale in (1.0, 30.0, 100.0)]
    assert pulled[0] > pulled[1] > pulled[2]


def test_a_cell_s_posterior_is_what_adding_up_bayes_rule_gives() -> None:
    """One segment's cell by its own arithmetic: beta-binomial by gamma functions, times the law of the noise."""
    cells = [[30.0, 12.0, 8.0], [200.0, 100.0, 700.0], [500.0, 300.0, 200.0]]
    for law in LAWS:
        found = shrunk(cells, 1.5, law)
        assert found.strength is not None
        weights = []
        for x, share in zip(cells[0], found.average, strict=True):
            a, b, n = found.strength * share, found.strength * (1 - share), 50
            total = mean = 0.0
            for c in range(n + 1):
                log = math.lgamma(c + a) + math.lgamma(n - c + b) - math.lgamma(c + 1) - math.lgamma(n - c + 1)
                log -= (x - c) ** 2 / 4.5 if law == "gaussian" else abs(x - c) / 1.5
                total += math.exp(log)
                mean += c * math.exp(log)
            weights.append(mean / total + a)
        assert found.shares[0] == pytest.approx([weight / sum(weights) for weight in weights], rel=1e-6)


def test_how_much_segments_differ_is_found_beyond_chance_and_noise() -> None:
    """Planted Dirichlet segments: over draws 1 / (1 + kappa) is on average the planted one, and about 0 for none."""
    luck = np.random.default_rng(8)
    share, scale, people = np.array([0.5, 0.3, 0.2]), 11.0, 100
    for planted in (30.0, None):
        found = []
        for _ in range(150):
            own = luck.dirichlet(planted * share, 12) if planted else [share] * 12
            counts = np.array([luck.multinomial(people, each) for each in own])
            cells = counts + np.round(luck.normal(0, scale, counts.shape))
            strength = shrunk(cells.tolist(), scale, "gaussian").strength
            found.append(0.0 if strength is None else 1 / (1 + strength))
        if planted:
            assert np.mean(found) == pytest.approx(1 / (1 + planted), rel=0.25)
        else:
            assert np.mean(found) < 0.015


def test_noise_below_0_cancels_noise_above_it() -> None:
    """Thirty segments of which nobody has the second value: clipped cells would give it 132 people of 15,000."""
    luck, found = np.random.default_rng(9), []
    for _ in range(30):
        cells = np.array([[500.0, 0.0]] * 30) + np.round(luck.normal(0, 11.0, (30, 2)))
        totals = [15_000 + luck.normal(0, 1000.0), luck.normal(0, 1000.0)]
        both = shrink(cells.tolist(), totals, named=(True, True), scale=11.0, total_scale=1000.0, law="gaussian")
        found.append(both.average[1])
    assert np.mean(found) < 0.004


def test_where_the_owner_named_all_there_is_noise_gives_other_next_to_nothing() -> None:
    """Of 1,500 people nobody has the last value, noise of 11 a cell. One that 250 have keeps them, named or not."""
    luck = np.random.default_rng(10)
    empty: dict[bool, list[float]] = {True: [], False: []}
    full: list[float] = []
    for _ in range(60):
        cells = np.array([[200.0, 50.0, 50.0, 0.0]] * 5) + np.round(luck.normal(0, 11.0, (5, 4)))
        totals = np.array([1000.0, 250.0, 250.0, 0.0]) + np.round(luck.normal(0, 15.0, 4))
        for named in (True, False):
            for column, found in ((3, empty[named]), (2, full)):
                order = [each for each in range(4) if each != column] + [column]
                shares = shrink(
                    cells[:, order].tolist(),
                    totals[order].tolist(),
                    named=[True, True, True, named],
                    scale=11.0,
                    total_scale=15.0,
                    law="gaussian",
                )
                found.append(shares.average[3])
    assert np.mean(empty[False]) < np.mean(empty[True]) / 4
    assert np.mean(empty[False]) < 0.003
    assert np.mean(full) == pytest.approx(250 / 1500, rel=0.03)


def test_what_is_under_the_threshold_is_not_shown_but_guessed_in_the_file(seam: Seam) -> None:
    found = prior(seam, ((3000, 1000, 1000), (2000, 2000, 1000), (5, 3000, 1000), (900, 900, 900)), threshold=20)
    hidden = found.rows[6]
    assert hidden.value is hidden.low is None
    assert not hidden.differs
    assert 0 < found.files[0][1][6]["probability"] < 0.05


def test_who_leads_is_not_known_where_the_leader_is_under_the_threshold(seam: Seam) -> None:
    found = prior(seam, ((150, 0, 0), (150, 0, 0), (150, 0, 0), (150, 0, 0)), threshold=1000)
    assert any("red (under 1000) has too few people to be shown" in said for said in found.sentences)
    assert not any("more than any other" in said for said in found.sentences)


def test_a_share_is_not_compared_with_an_average_under_the_threshold(seam: Seam) -> None:
    """Noise below 0 elsewhere: 30 of one segment are shown, and 15 of all segments are not."""
    found = prior(seam, ((30, 300, 100), (-8, 3000, 1000), (-7, 3000, 1000), (0, 0, 0)), threshold=20)
    assert found.rows[0].low is not None
    assert found.rows[0].differs is None
    assert found.rows[1].differs is not None
    assert "red" not in " ".join(found.sentences)


def test_two_histograms_are_asked_and_wrong_columns_are_named(seam: Seam) -> None:
    entry = find("prior")
    colour = Quantity("histogram", "colour")
    assert seam.asks(entry, WORDS) == (
        Ask("segment", colour, share=Fraction(2, 3)),
        Ask("", colour, share=Fraction(1, 3)),
    )
    with pytest.raises(UsageError, match="shop has no dimension `colour`"):
        seam.asks(entry, WORDS | {"by": "colour"})
    with pytest.raises(UsageError, match="brand's column `spend` is a measure"):
        seam.asks(entry, WORDS | {"of": "spend"})


@pytest.mark.parametrize("law", LAWS)
def test_of_equal_shares_none_is_said_to_be_the_first_guess_whatever_the_noise(seam: Seam, law: Law) -> None:
    tied = ((3000, 3000, 500), (1500, 1500, 250), (600, 600, 100), (60, 60, 10))
    for seed in range(20):
        said = " ".join(prior(seam, tied, Noise(law, seed)).sentences)
        assert "is not known" in said
        assert "more than any other" not in said
