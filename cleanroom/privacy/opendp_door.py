"""The only door to OpenDP: discrete Gaussian noise, its own account of what that costs, and zCDP to epsilon.

OpenDP never meets a row. It adds noise to a vector of zeros, and we add that noise to our sums in exact
integers. It is asked twice more: what it believes the noise costs, so that its sampler and our ledger cannot
drift apart unseen, and how a zCDP cost reads as an (epsilon, delta) pair.

Numbers go in as exact rationals and come out as exact integers or rationals; the floats OpenDP wants live
and die in here, each rounded to the side that makes a cost look larger. Only the `contrib` flag is enabled.

Sampler: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), Algorithm 3; its
randomness is the operating system's. Conversion: the same paper, section 2.3.
"""

import math
from fractions import Fraction
from typing import Any, cast

from opendp.combinators import make_zCDP_to_approxDP
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import enable_features

from cleanroom.errors import RefusedError, StateError

enable_features("contrib")

_INTEGER_VECTORS = vector_domain(atom_domain(T="i64"))
_EUCLIDEAN = l2_distance(T=float)


def gaussian_noise(count: int, scale: Fraction) -> list[int]:
    """Draw `count` independent integers from the discrete Gaussian law of parameter sigma = `scale`.

    `scale` must be a positive float exactly. A scale below 1 is drawn as asked: the product's own floor is
    kept by its callers, and the sampler's test looks below it. Zero is refused here, since OpenDP would
    answer it with no noise at all.
    """
    return cast(list[int], _measurement(scale)([0] * count))


def gaussian_rho(sensitivity_l2_squared: Fraction, scale: Fraction) -> Fraction:
    """What OpenDP itself charges, in rho of zCDP, for `gaussian_noise` at this squared L2 sensitivity.

    Raises StateError if the answer is not a finite, positive number.
    """
    rho = cast(float, _measurement(scale).map(_square_root_up(sensitivity_l2_squared)))
    if not math.isfinite(rho) or rho <= 0.0:
        raise StateError("the noise library gives no finite, positive cost for this noise; nothing was drawn")
    return Fraction(rho)


def zcdp_epsilon(rho: Fraction, delta: Fraction) -> Fraction:
    """An epsilon such that `rho`-zCDP implies (epsilon, `delta`)-differential privacy; never too small.

    `rho` is at least 0, `delta` strictly between 0 and 1.
    """
    # Gaussian noise of scale 1 costs rho at distance sqrt(2 rho): the way to hand OpenDP a bare rho.
    converted: Any = make_zCDP_to_approxDP(_measurement(Fraction(1)))
    profile = converted.map(_square_root_up(2 * rho))
    epsilon = cast(float, profile.epsilon(_float_down(delta)))
    if not math.isfinite(epsilon) or epsilon < 0.0:
        raise StateError("the noise library gives no finite epsilon for this budget")
    # OpenDP inverts its bound by bisection and documents a last bit in either direction.
    return Fraction(epsilon) * (1 + Fraction(1, 2**40))


def _measurement(scale: Fraction) -> Any:
    if scale <= 0 or Fraction(float(scale)) != scale:
        raise RefusedError(
            "noise-scale",
            "every node",
            "the noise scale is not a positive binary fraction that a double holds exactly",
            "use a multiple of 1/1024",
        )
    return make_gaussian(_INTEGER_VECTORS, _EUCLIDEAN, scale=float(scale))


def _square_root_up(value: Fraction) -> float:
    """The square root as a float that is not below the true one."""
    root = math.sqrt(value)
    while Fraction(root) ** 2 < value:
        root = math.nextafter(root, math.inf)
    return root


def _float_down(value: Fraction) -> float:
    nearest = float(value)
    return math.nextafter(nearest, 0.0) if Fraction(nearest) > value else nearest
