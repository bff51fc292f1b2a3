"""The ledger as text: in the currency of the room's accountant."""

from typing import Any

from cleanroom.answer.result import epsilon_number, rho_text
from cleanroom.privacy.accountant import Accountant, accountant
from parties.command.ledger import _lines


def page(of: Accountant) -> str:
    """A quarter of a unit of the currency spent out of two, once and together."""

    def read(units: int) -> dict[str, Any]:
        return {"units": str(units), "rho": rho_text(units, of), "epsilon": epsilon_number(units, of)}

    sums = {"spent": read(2**38), "cap": read(2**41), "left": read(2**41 - 2**38)}
    consumer = {"consumer": "shop", **sums, "with_coordinator": read(2**39)}
    return "\n".join(
        _lines(
            {
                "party": "brand",
                "lineage": "people",
                "consumers": [{**consumer, "open": 0, "setups": {"ready": 1, "begun": 0}}],
                **sums,
                "matches": {"done": 1, "most": 2},
                "entries": 3,
                "restored": None,
            }
        )
    )


def test_a_pure_room_s_ledger_is_in_epsilon_and_speaks_of_no_rho() -> None:
    shown = page(accountant("pure"))
    assert shown.startswith("brand, people of lineage people; pure epsilon\n")
    assert "shop      0.250000  0.250    2.000000  1.750000  0.500000" in shown
    assert "rho" not in shown
    assert "delta" not in shown


def test_a_zcdp_room_s_ledger_is_in_rho_with_epsilon_beside_it() -> None:
    shown = page(accountant("zcdp"))
    assert shown.startswith("brand, people of lineage people; rho, and epsilon at delta 1e-9\n")
    assert f"shop      0.250000  {epsilon_number(2**38, accountant('zcdp')):.3f}    2.000000" in shown
