"""Processes on one database file never spend more than the cap together: row 29 of the hostile inputs, and T6."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from parties.ledger import Ledger
from tests.unit.parties.ledger_workers import work
from tests.unit.parties.nodes import database
from tests.unit.question.agreements import BRAND, SHOP, contract, dataset, plan

RUNS = 100


def with_cap(cost: int, parts: int, of: int) -> Contract:
    """A contract in which `parts / of` of shop's budget at brand buys one question of this cost."""
    cap = cost * of // parts
    return contract({BRAND: dataset(BRAND, cap_units=cap, consumer_caps={SHOP: cap})})


def priced(agreed: Contract, **more: object) -> Plan:
    """A count under this contract."""
    return plan(agreed, **more)


def run(folder: Path, agreed: Contract, plans: list[list[Plan]], lineages: list[str]) -> Ledger:
    """One process for each list of plans, all at once; the ledger afterwards."""
    ledger = Ledger(database(folder))
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(len(plans))
    processes = [context.Process(target=work, args=(folder, agreed, own, lineages, together)) for own in plans]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    ledger.verify()
    return ledger


def test_of_two_questions_of_sixty_percent_exactly_one_is_granted_in_each_of_a_hundred_runs(tmp_path: Path) -> None:
    """Row 29, on SQLite, with two workers; a lineage of its own for each run."""
    cost = priced(contract()).cost_units
    agreed = with_cap(cost, 6, 10)
    plans = [[priced(agreed, repeat=number)] for number in range(2)]
    lineages = [f"run {number}" for number in range(RUNS)]
    ledger = run(tmp_path, agreed, plans, lineages)
    assert [ledger.spent(lineage) for lineage in lineages] == [cost] * RUNS


def test_four_processes_against_a_cap_of_a_hundred_get_exactly_a_hundred(tmp_path: Path) -> None:
    cost = priced(contract()).cost_units
    agreed = contract({BRAND: dataset(BRAND, cap_units=100 * cost + cost - 1, consumer_caps={SHOP: 101 * cost - 1})})
    first = priced(agreed)
    plans = [[replace(first, repeat=40 * worker + number) for number in range(40)] for worker in range(4)]
    ledger = run(tmp_path, agreed, plans, ["people"])
    (chain,) = ledger.standings(ledger.sequence())
    assert sum(entry.kind == "share_sent" for entry in ledger.entries(chain, 1)) == 100
    assert ledger.spent("people") == 100 * cost
