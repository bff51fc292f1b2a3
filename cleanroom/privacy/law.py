"""The laws that noise can follow, by name; both are exact laws on the integers, centred at zero.

With `scale` s: `gaussian` is P(x) proportional to exp(-x^2 / (2 s^2)), `laplace` P(x) proportional to exp(-|x| / s).
"""

from typing import Literal

Law = Literal["gaussian", "laplace"]
