"""The mutants fit the present source, and the machinery that runs them tells a killed one from one that survives."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.copies import imported_from, make_copy, run_mutant
from tests.mutants.mutant import ROOT, Mutant, MutantError, misfits, read_mutants

AT_ONCE = ("noise missing", "gate with leaf 0", "refund of what was released")
RULES = {
    "no clamp",
    "no dedupe",
    "noise of sigma over the root of two",
    "noise missing",
    "sensitivity of a measure taken as one",
    "refund when sending fails",
    "charge only after sending",
    "cells from the data",
    "threshold on the true count",
    "true denominator of a mean",
    "noise reused across questions",
    "scale taken from the caller",
}
GATE_TESTS = ("tests/unit/question/test_gate.py",)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_copy(tmp_path_factory.mktemp("mutants").resolve())


def test_every_mutant_changes_exactly_one_place_of_the_present_source() -> None:
    """A change of the source that makes a mutant unfit is right; tests/mutants/mutants.toml then says it anew."""
    assert misfits(read_mutants()) == []


def test_no_mutant_speaks_of_a_name_that_is_not_there() -> None:
    """It would be killed by an error of its own. Names only: what a call takes is for its author to keep true."""
    for mutant in read_mutants():
        source = mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8"))
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet", "--select", "F821", "-"]
        checked = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, f"{mutant.name}: {checked.stdout}"


def test_every_mutant_of_the_privacy_rules_is_on_the_list() -> None:
    assert {mutant.name for mutant in read_mutants()} >= RULES


@pytest.mark.parametrize("name", AT_ONCE)
def test_the_suite_notices(copy: Path, name: str) -> None:
    (mutant,) = [mutant for mutant in read_mutants() if mutant.name == name]
    assert run_mutant(copy, mutant).killed_by.startswith(mutant.tests[0])


def test_a_change_that_nobody_can_notice_survives(copy: Path) -> None:
    harmless = Mutant(
        "harmless",
        "cleanroom/question/gate.py",
        "MAX_OPEN_RESERVATIONS = 8",
        "MAX_OPEN_RESERVATIONS = 2 * 4",
        GATE_TESTS,
    )
    assert run_mutant(copy, harmless).killed_by == ""


def test_a_suite_that_cannot_run_kills_nothing(copy: Path) -> None:
    gone = Mutant("gone", "cleanroom/question/gate.py", "def decide(", "def decides(", GATE_TESTS)
    outcome = run_mutant(copy, gone)
    assert (outcome.killed_by, outcome.trouble != "") == ("", True)


def test_the_copy_is_tested_and_not_the_checkout(copy: Path) -> None:
    assert imported_from(copy)


@pytest.mark.parametrize("find", ["nowhere in the file", "plan.asker"], ids=["gone", "not unmistakable"])
def test_a_text_that_is_not_there_exactly_once_is_refused(find: str) -> None:
    mutant = Mutant("unfit", "cleanroom/question/gate.py", find, "", GATE_TESTS)
    assert len(misfits([mutant])) == 1
    with pytest.raises(MutantError, match="once is needed"):
        mutant.applied("plan.asker plan.asker")
