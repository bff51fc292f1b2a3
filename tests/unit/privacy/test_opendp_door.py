import ast
import math
from fractions import Fraction
from pathlib import Path

import pytest

import cleanroom
from cleanroom.errors import RefusedError
from cleanroom.privacy import opendp_door


def test_only_the_door_imports_opendp() -> None:
    package = Path(cleanroom.__file__).parent
    importers = set()
    for root in (package, package.parent / "parties"):
        for path in root.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(name.split(".")[0] == "opendp" for name in names):
                    importers.add(path.name)
    assert importers == {"opendp_door.py"}


def test_the_library_prices_the_noise_as_the_paper_does() -> None:
    """Canonne, Kamath, Steinke (2020), Theorem 4: Delta^2 / (2 sigma^2), here from above by a few last bits."""
    for sensitivity, scale in ((1, Fraction(14)), (3, Fraction(1)), (10**6, Fraction(2**20)), (2**53 + 1, Fraction(1))):
        exact = sensitivity**2 / (2 * scale**2)
        assert exact <= opendp_door.price("gaussian", sensitivity, scale) <= exact * (1 + Fraction(1, 2**48))


def test_the_library_prices_laplace_noise_at_the_sensitivity_over_the_scale() -> None:
    for sensitivity, scale in ((1, Fraction(14)), (3, Fraction(1)), (7, Fraction(3)), (2**53 + 1, Fraction(2**40))):
        exact = sensitivity / scale
        assert exact <= opendp_door.price("laplace", sensitivity, scale) <= exact * (1 + Fraction(1, 2**48))


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1), Fraction(10, 3)])
def test_a_scale_that_a_double_does_not_hold_is_not_drawn(scale: Fraction) -> None:
    """OpenDP 0.16.0 answers scale 0 with no noise at all, under either law."""
    with pytest.raises(RefusedError):
        opendp_door.draw("gaussian", 1, scale)
    with pytest.raises(RefusedError):
        opendp_door.draw("laplace", 1, scale)


def test_a_law_that_the_library_is_not_asked_for_is_not_drawn() -> None:
    with pytest.raises(AssertionError):
        opendp_door.draw("normal", 1, Fraction(1))  # type: ignore[arg-type]


def test_the_conversion_rounds_up() -> None:
    epsilon = opendp_door.zcdp_epsilon(Fraction(1, 32), Fraction(1, 10**6))
    assert 1.1429257095713568 < epsilon < 1.14292571


def test_square_roots_and_deltas_are_rounded_to_the_careful_side() -> None:
    for value in (Fraction(2), Fraction(1, 3), Fraction(10**30 + 1), Fraction(1, 2**41)):
        root = Fraction(opendp_door._square_root_up(value))
        assert root**2 >= value
        assert Fraction(math.nextafter(math.nextafter(float(root), 0.0), 0.0)) ** 2 < value
        assert Fraction(opendp_door._float_down(value)) <= value
    assert opendp_door._square_root_up(Fraction(4)) == 2.0
