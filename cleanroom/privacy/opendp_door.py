"""The only door to OpenDP: discrete noise of two laws, its own account of what that costs, and zCDP to epsilon.

OpenDP never meets a row. It adds noise to a vector of zeros, and we add that noise to our sums in exact
integers. It is asked twice more: what it believes the noise costs, so that its sampler and our ledger cannot
drift apart unseen, and how a zCDP cost reads as an (epsilon, delta) pair.

Numbers go in as exact rationals and come out as exact integers or rationals; the floats OpenDP wants live
and die in here, each rounded to the side that makes a cost look larger. Only the `contrib` flag is enabled.

Samplers: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), Algorithm 3 and, for
the discrete Laplace law, Algorithm 2; the randomness is the operating system's. Conversion: the same paper, section
2.3.
"""

import math
from fractions import Fraction
from typing import Any, assert_never, cast

from opendp.combinators import make_zCDP_to_approxDP
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian, make_laplace
from opendp.metrics import l1_distance, l2_distance
from opendp.mod import enable_features

from cleanroom.errors import RefusedError, StateError
from cleanroom.privacy.law import Law

enable_features("contrib")

_INTEGER_VECTORS = vector_domain(atom_domain(T="i64"))
_EUCLIDEAN = l2_distance(T=float)
_MANHATTAN = l1_distance(T="i64")


def draw(law: Law, count: int, scale: Fraction) -> list[int]:
    """Draw `count` independent integers of the law with parameter `scale`.

    `scale` must be a positive float exactly. A scale below 1 is drawn as asked: the product's own floor is
    kept by its callers, and the samplers' test looks below it. Zero is refused here, since OpenDP would
    answer it with no noise at all.
    """
    return cast(list[int], _measurement(law, scale)([0] * count))


def price(law: Law, sensitivity: int, scale: Fraction) -> Fraction:
    """What OpenDP itself charges for such noise on a vector that one person moves by `sensitivity` in one cell.

    Rho of zCDP for the Gaussian law, epsilon for the Laplace law. Raises StateError if the answer is not a finite,
    positive number.
    """
    distance = _float_up(sensitivity) if law == "gaussian" else sensitivity
    cost = cast(float, _measurement(law, scale).map(distance))
    if not math.isfinite(cost) or cost <= 0.0:
        raise StateError("the noise library gives no finite, positive cost for this noise; nothing was drawn")
    return Fraction(cost)


def zcdp_epsilon(rho: Fraction, delta: Fraction) -> Fraction:
    """An epsilon such that `rho`-zCDP implies (epsilon, `delta`)-differential privacy; never too small.

    `rho` is at least 0, `delta` strictly between 0 and 1.
    """
    # Gaussian noise of scale 1 costs rho at distance sqrt(2 rho): the way to hand OpenDP a bare rho.
    converted: Any = make_zCDP_to_approxDP(_measurement("gaussian", Fraction(1)))
    profile = converted.map(_square_root_up(2 * rho))
    epsilon = cast(float, profile.epsilon(_float_down(delta)))
    if not math.isfinite(epsilon) or epsilon < 0.0:
        raise StateError("the noise library gives no finite epsilon for this budget")
    # OpenDP inverts its bound by bisection and documents a last bit in either direction.
    return Fraction(epsilon) * (1 + Fraction(1, 2**40))


def _measurement(law: Law, scale: Fraction) -> Any:
    if scale <= 0 or Fraction(float(scale)) != scale:
        raise RefusedError(
            "noise-scale",
            "every node",
            "the noise scale is not a positive binary fraction that a double holds exactly",
            "use a multiple of 1/1024",
        )
    if law == "laplace":
        return make_laplace(_INTEGER_VECTORS, _MANHATTAN, scale=float(scale))
    if law == "gaussian":
        return make_gaussian(_INTEGER_VECTORS, _EUCLIDEAN, scale=float(scale))
    assert_never(law)


def _square_root_up(value: Fraction) -> float:
    """The square root as a float that is not below the true one."""
    root = math.sqrt(value)
    while Fraction(root) ** 2 < value:
        root = math.nextafter(root, math.inf)
    return root


def _float_up(value: int) -> float:
    nearest = float(value)
    return math.nextafter(nearest, math.inf) if int(nearest) < value else nearest


def _float_down(value: Fraction) -> float:
    nearest = float(value)
    return math.nextafter(nearest, 0.0) if Fraction(nearest) > value else nearest
