import ast
import inspect
import math
from fractions import Fraction
from pathlib import Path

import pytest

import cleanroom
from cleanroom.errors import RefusedError, StateError
from cleanroom.privacy import noise, opendp_door
from cleanroom.privacy.accountant import Accountant, accountant
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import MAX_CELLS, DiscreteNoise, NoiseSource, release

ZCDP, PURE = accountant("zcdp"), accountant("pure")
BOTH = pytest.mark.parametrize("of", [ZCDP, PURE], ids=lambda one: one.name)
LAWS = pytest.mark.parametrize("law", ["gaussian", "laplace"])


class FrozenNoise:
    """Returns what it was given and remembers what it was asked."""

    def __init__(self, values: object) -> None:
        self.values = values
        self.asked: list[tuple[int, Fraction, Law]] = []

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        self.asked.append((count, scale, law))
        return self.values  # type: ignore[return-value]


def released(
    vector: object,
    source: NoiseSource,
    *,
    sensitivity: object = 1,
    scale: object = Fraction(2),
    tag: str = "count",
    of: Accountant = ZCDP,
) -> list[int]:
    return release(vector, sensitivity=sensitivity, scale=scale, accountant=of, tag=tag, source=source)  # type: ignore[arg-type]


def test_a_release_is_the_sum_plus_one_draw_a_cell() -> None:
    source = FrozenNoise([5, -7, 0])
    assert released([10, 20, -(2**61)], source) == [15, 13, -(2**61)]
    assert source.asked == [(3, Fraction(2), "gaussian")]


def test_a_pure_room_draws_the_law_that_it_pays_for() -> None:
    source = FrozenNoise([5])
    assert released([10], source, of=PURE) == [15]
    assert source.asked == [(1, Fraction(2), "laplace")]


def test_a_release_is_neither_clamped_nor_rounded() -> None:
    assert released([0], FrozenNoise([-3])) == [-3]
    assert released([2**62 - 1], FrozenNoise([2**62 - 1])) == [2**63 - 2]


def test_a_release_leaves_the_sum_as_it_was() -> None:
    vector = [1, 2]
    released(vector, FrozenNoise([1, 1]))
    assert vector == [1, 2]


@pytest.mark.parametrize(
    "vector",
    [[], [0] * (MAX_CELLS + 1), [2**62], [-(2**62)], [True], [1.0], [math.nan], [None]],
    ids=["empty", "too long", "too large", "too small", "bool", "float", "nan", "none"],
)
def test_a_vector_outside_the_rules_is_refused_before_drawing(vector: object) -> None:
    source = FrozenNoise([0])
    with pytest.raises(RefusedError):
        released(vector, source)
    assert source.asked == []


@pytest.mark.parametrize(
    "scale", [Fraction(0), Fraction(1023, 1024), Fraction(10, 3), Fraction(2**40 + 1), 2.0, True, math.inf]
)
def test_a_forged_scale_is_refused_before_drawing(scale: object) -> None:
    source = FrozenNoise([0])
    with pytest.raises(RefusedError):
        released([1], source, scale=scale)
    assert source.asked == []
    with pytest.raises(RefusedError):
        DiscreteNoise().draw(1, scale, "gaussian")  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        DiscreteNoise().draw(1, scale, "laplace")  # type: ignore[arg-type]


@pytest.mark.parametrize("sensitivity", [0, -1, True, 1.0, math.nan, 2**62 + 1])
def test_a_forged_sensitivity_is_refused_before_drawing(sensitivity: object) -> None:
    source = FrozenNoise([0])
    with pytest.raises(RefusedError):
        released([1], source, sensitivity=sensitivity)
    assert source.asked == []


def test_a_release_without_a_name_is_refused() -> None:
    with pytest.raises(RefusedError):
        released([1], FrozenNoise([0]), tag="")


@pytest.mark.parametrize(
    "returned",
    [[], [0, 0], [True], [0.0], [2**62], [-(2**62)]],
    ids=["nothing", "too many", "bool", "float", "too large", "too small"],
)
def test_a_source_that_returns_anything_but_noise_releases_nothing(returned: object) -> None:
    with pytest.raises(StateError):
        released([1], FrozenNoise(returned))


@pytest.mark.parametrize("returned", [[], [0, 0], [True], [2**62]])
def test_a_sampler_that_returns_anything_but_noise_is_stopped(
    returned: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opendp_door, "draw", lambda law, count, scale: returned)
    with pytest.raises(StateError):
        DiscreteNoise().draw(1, Fraction(1), "gaussian")


@BOTH
def test_a_library_that_prices_the_noise_above_our_charge_is_stopped(
    of: Accountant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sampler whose `scale` meant the variance would price scale 2 at 1/4 instead of 1/8."""
    source = FrozenNoise([0])
    honest = opendp_door.price
    monkeypatch.setattr(
        opendp_door, "price", lambda law, moved, scale: honest(law, moved, scale) * (1 + Fraction(1, 2**47))
    )
    with pytest.raises(StateError):
        released([1], source, of=of)
    assert source.asked == []


def test_a_sampler_of_the_other_law_would_be_stopped_by_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """At scale 2 Gaussian noise is charged 1/8 of a rho; Laplace noise prices itself at 1/2 of an epsilon."""
    honest = opendp_door.price
    monkeypatch.setattr(opendp_door, "price", lambda law, moved, scale: honest("laplace", moved, scale))
    with pytest.raises(StateError):
        released([1], FrozenNoise([0]))


@pytest.mark.parametrize("price", [0.0, -1.0, math.inf, math.nan])
def test_a_library_without_a_price_is_stopped(price: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Measurement:
        def map(self, distance: float) -> float:
            return price

    monkeypatch.setattr(opendp_door, "_measurement", lambda law, scale: Measurement())
    for of in (ZCDP, PURE):
        with pytest.raises(StateError):
            released([1], FrozenNoise([0]), of=of)


@BOTH
@pytest.mark.parametrize("sensitivity", [1, 3, 255, 2**31, 2**53 + 1, 2**62])
@pytest.mark.parametrize("numerator", [1024, 1025, 5918, 2**50 - 1, 2**50])
def test_our_charge_covers_the_librarys_price_over_the_whole_range(
    of: Accountant, sensitivity: int, numerator: int
) -> None:
    assert released([0], FrozenNoise([0]), sensitivity=sensitivity, scale=Fraction(numerator, 1024), of=of) == [0]


@LAWS
@pytest.mark.parametrize("count", [1, MAX_CELLS])
def test_the_real_source_draws_as_many_integers_as_asked(count: int, law: Law) -> None:
    drawn = DiscreteNoise().draw(count, Fraction(1), law)
    assert len(drawn) == count
    assert {type(value) for value in drawn} == {int}


def test_every_cell_and_every_release_gets_noise_of_its_own() -> None:
    """Equal in all of 50 cells, or in two releases of 50, by chance: less often than 1e-100."""
    first, second = (released([0] * 50, DiscreteNoise(), scale=Fraction(1000)) for _ in range(2))
    assert len(set(first)) > 1
    assert first != second


@pytest.mark.parametrize("count", [0, -1, MAX_CELLS + 1, True, 1.0])
def test_the_real_source_refuses_a_count_outside_the_rules(count: object) -> None:
    with pytest.raises(RefusedError):
        DiscreteNoise().draw(count, Fraction(1), "laplace")  # type: ignore[arg-type]


@LAWS
def test_the_largest_scale_still_draws_bounded_integers(law: Law) -> None:
    assert all(abs(value) < 2**62 for value in DiscreteNoise().draw(1000, Fraction(2**40), law))


def test_no_setting_can_choose_the_source() -> None:
    """The source is a required argument, the real one takes none, and the file reads no environment."""
    assert inspect.signature(release).parameters["source"].default is inspect.Parameter.empty
    assert inspect.signature(DiscreteNoise).parameters == {}
    imported = {
        name
        for node in ast.walk(ast.parse(inspect.getsource(noise)))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported <= {"collections.abc", "fractions", "typing"} | {
        name for name in imported if name and name.startswith("cleanroom.") and "settings" not in name
    }


def test_the_product_holds_one_source_and_one_seam() -> None:
    package = Path(cleanroom.__file__).parent
    drawers = {
        node.name
        for root in (package, package.parent / "parties")
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.FunctionDef) and part.name == "draw" for part in node.body)
    }
    assert drawers == {"NoiseSource", "DiscreteNoise"}
