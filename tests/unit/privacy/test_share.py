import math
from itertools import pairwise

import numpy as np
import pytest

from cleanroom.privacy.share import NoisyShare, ratio_range

Z = 3.0
CASES = {
    "a large part of many": (NoisyShare(500, 1000, 6, 11), NoisyShare(4000, 9000, 6, 11)),
    "a small part": (NoisyShare(60, 1000, 6, 11), NoisyShare(900, 9000, 6, 20)),
    "equal noise": (NoisyShare(300, 1000, 3, 5), NoisyShare(250, 1000, 3, 5)),
    "all of the noise in the second": (NoisyShare(3000, 10000, 4, 1), NoisyShare(200, 800, 4, 9)),
    "nearly everybody": (NoisyShare(990, 1000, 2, 5), NoisyShare(700, 1000, 2, 5)),
    "noisier than the part": (NoisyShare(20, 1000, 6, 11), NoisyShare(300, 1000, 6, 11)),
    "a negative part": (NoisyShare(-9, 1000, 6, 11), NoisyShare(300, 1000, 6, 11)),
}


def z_of(share: NoisyShare, p: np.ndarray) -> np.ndarray:
    """x - p X in units of its own size, straight from the definition."""
    variance = (1 - p) ** 2 + (share.cells - 1) * p**2
    z: np.ndarray = (share.part - p * share.total) / (share.noise * np.sqrt(variance))
    return z


@pytest.mark.parametrize("share", [share for pair in CASES.values() for share in pair], ids=str)
@pytest.mark.parametrize("reach", [0.5, 3.0])
def test_the_ends_are_the_first_and_last_shares_that_the_noise_allows(share: NoisyShare, reach: float) -> None:
    grid = np.linspace(0, 1, 200_001)
    z = z_of(share, grid)
    below, above = grid[z <= reach], grid[z >= -reach]
    least, most = share.least(reach), share.most(reach)
    assert least is None if not len(below) else least == pytest.approx(below[0], abs=1e-5)
    assert most is None if not len(above) else most == pytest.approx(above[-1], abs=1e-5)


def test_the_ends_are_those_of_the_quadratic() -> None:
    """(500 - 1000 p)^2 = 33^2 (1 - 2 p + 6 p^2) gives p = (498911 -+ sqrt(498911^2 - 993466 * 248911)) / 993466."""
    share = NoisyShare(500, 1000, 6, 11)
    root = math.sqrt(498911**2 - 993466 * 248911)
    assert share.least(Z) == pytest.approx((498911 - root) / 993466)
    assert share.most(Z) == pytest.approx((498911 + root) / 993466)


def test_a_total_that_the_noise_drowns_says_nothing() -> None:
    share = NoisyShare(3, 4, 6, 11)
    assert (share.least(Z), share.most(Z)) == (0.0, 1.0)


def test_a_draw_that_fits_no_share_is_known_as_one() -> None:
    assert NoisyShare(-500, 1000, 6, 11).most(Z) is None
    assert ratio_range(NoisyShare(-500, 1000, 6, 11), NoisyShare(300, 1000, 6, 11), Z) is None


def test_one_cell_is_all_there_is() -> None:
    share = NoisyShare(1000, 1000, 1, 11)
    assert share.least(Z) == pytest.approx(1.0)
    assert share.most(Z) == 1.0


def widest(first: NoisyShare, second: NoisyShare) -> tuple[float, float]:
    """The smallest and largest p / q of a fine grid of pairs that keep all three statements."""
    ends = [(share.least(Z), share.most(Z)) for share in (first, second)]
    p, q = (np.linspace(low or 0.0, 1.0 if high is None else high, 1201) for low, high in ends)
    zp, zq = z_of(first, p)[:, None], z_of(second, q)[None, :]
    kept = (abs(zp) <= Z + 1e-6) & (abs(zq) <= Z + 1e-6) & (abs(zp - zq) <= math.sqrt(2) * Z)
    ratios = np.where(kept & (q > 0), p[:, None] / np.where(q > 0, q, 1.0), np.nan)
    return float(np.nanmin(ratios)), float(np.nanmax(ratios))


@pytest.mark.parametrize("name", CASES)
def test_a_ratio_holds_every_pair_that_the_three_statements_allow_and_hardly_more(name: str) -> None:
    first, second = CASES[name]
    found = ratio_range(first, second, Z)
    assert found is not None
    low, high = widest(first, second)
    assert found[0] <= low * (1 + 1e-9)
    assert found[1] >= high * (1 - 1e-9)
    assert found[0] >= low * 0.97 - 1e-3
    assert found[1] <= high * 1.03 + 1e-3


def test_a_ratio_is_narrower_than_its_shares_alone_would_make_it() -> None:
    first, second = CASES["equal noise"]
    found = ratio_range(first, second, Z)
    assert found is not None
    ends = [end for share in (first, second) for end in (share.least(Z), share.most(Z)) if end is not None]
    assert found[1] - found[0] < 0.85 * (ends[1] / ends[2] - ends[0] / ends[3])


def test_a_second_share_that_may_be_nothing_leaves_the_ratio_without_a_largest() -> None:
    found = ratio_range(NoisyShare(300, 1000, 6, 11), NoisyShare(20, 1000, 6, 11), Z)
    assert found is not None
    assert found[0] > 1
    assert math.isinf(found[1])


def test_more_reach_never_narrows_a_ratio() -> None:
    for first, second in CASES.values():
        found = [ratio_range(first, second, reach) for reach in (1.0, 2.0, 3.0, 5.0)]
        known = [ends for ends in found if ends is not None]
        assert all(wide[0] <= narrow[0] and narrow[1] <= wide[1] for narrow, wide in pairwise(known))
