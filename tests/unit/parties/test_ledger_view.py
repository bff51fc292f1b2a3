"""What an operator reads of the ledger: what is spent and left, and what it means against asker and coordinator."""

from pathlib import Path
from typing import Any

import pytest

from parties.command.ledger import _lines
from parties.desk import Desk
from parties.ledger_view import ledger_view
from tests.unit.parties.nodes import AGREED, desk
from tests.unit.question.agreements import BANK, BRAND, RHO, SHOP

LINEAGE = AGREED.datasets[BRAND].lineage


@pytest.fixture
def node(tmp_path: Path) -> Desk:
    """brand, of whom shop and bank may ask for 4 rho each, 8 together."""
    return desk(tmp_path, BRAND)


def reserve(node: Desk, consumer: str, quantity: str, units: int, plan: str) -> None:
    """One question."""
    node.ledger.reserve(
        at=node.now(), lineage=LINEAGE, room="spring", consumer=consumer, plan_hash=plan, quantity=quantity, units=units
    )


def one(node: Desk, name: str) -> dict[str, Any]:
    """What is shown of one consumer."""
    found: dict[str, Any] = next(each for each in ledger_view(node)["consumers"] if each["consumer"] == name)
    return found


def test_nothing_is_spent_at_first_and_every_consumer_is_listed(node: Desk) -> None:
    body = ledger_view(node)
    assert [each["consumer"] for each in body["consumers"]] == [BANK, SHOP]
    assert one(node, SHOP)["left"]["units"] == str(4 * RHO)
    assert (body["spent"]["units"], body["left"]["units"]) == ("0", str(8 * RHO))


def test_spent_counts_open_reservations_and_not_voided_ones(node: Desk) -> None:
    reserve(node, SHOP, "count", RHO, "p1")
    reserve(node, SHOP, "count", RHO, "p2")
    node.ledger.void(at=node.now(), plan_hash="p2")
    shop = one(node, SHOP)
    assert (shop["spent"]["units"], shop["left"]["units"], shop["open"]) == (str(RHO), str(3 * RHO), 1)
    assert (shop["spent"]["rho"], one(node, BANK)["spent"]["units"]) == ("1", "0")


@pytest.mark.parametrize(("quantity", "times"), [("count", 2), ("histogram", 2), ("sum", 4), ("", 4)])
def test_against_asker_and_coordinator_a_count_weighs_twice_and_a_sum_four_times(
    node: Desk, quantity: str, times: int
) -> None:
    """What is not known to be a count weighs most."""
    reserve(node, SHOP, quantity, RHO, "p1")
    assert one(node, SHOP)["with_coordinator"]["units"] == str(times * RHO)


def test_what_a_restored_node_booked_in_one_sum_weighs_most(node: Desk) -> None:
    reserve(node, SHOP, "count", RHO, "p1")
    (chain,) = node.ledger.standings(1)
    node.ledger.replayed(at=node.now(), chain=chain, head="ab" * 32, units=RHO)
    assert one(node, SHOP)["with_coordinator"]["units"] == str(6 * RHO)


def test_the_page_for_people_has_a_line_for_each_consumer_and_says_when_nothing_is_served(node: Desk) -> None:
    reserve(node, SHOP, "count", RHO, "p1")
    lines = _lines(ledger_view(node))
    assert [line.split()[0] for line in lines[2:5]] == [BANK, SHOP, "together"]
    assert "1.000000" in lines[3]
    assert not [line for line in lines if "NOT SERVING" in line]
    node.database.run("INSERT INTO meta VALUES ('restored', 'a backup was restored')")
    assert _lines(ledger_view(node))[0] == "NOT SERVING: a backup was restored"
