"""Copies of the source to be broken, and the ordinary suite run over one of them.

A copy holds the Python source, the compiled kernel and the tests. Tests find the public data beside it, as they do
beside the checkout. Nothing is compiled ahead or kept between runs, so no run can see the bytes of another mutant.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant

COPIED = ("cleanroom", "parties", "tests", "protos", "pyproject.toml", "README.md")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "target", "*.rs", ".hypothesis")
PATIENCE_S = 300
PATIENCE_WITHOUT_MUTANT_S = 1800
_SOME_TEST_FAILED = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the suite said: the first test that failed, or nothing; `trouble` when it came to no verdict at all."""

    killed_by: str = ""
    trouble: str = ""


def make_copy(folder: Path) -> Path:
    """A whole copy of the source below `folder`; returns its root."""
    root = folder / "copy"
    root.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(source, root / name)
    shared = ROOT / ".." / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared.resolve())
    return root


def run_tests(root: Path, tests: Sequence[str], *options: str, patience_s: float = PATIENCE_S) -> Outcome:
    """The fast part of these tests over the copy, up to the first that fails."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    plugins = ["-p", "no:cacheprovider", "-p", "tests.mutants.unshrunk"]
    command = [sys.executable, "-m", "pytest", "-x", "-rfE", "--tb=no", *plugins, "-m", "not slow"]
    try:
        done = subprocess.run(
            [*command, *options, *tests],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(trouble=f"no verdict within {patience_s:.0f} s")
    if done.returncode == 0:
        return Outcome()
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode != _SOME_TEST_FAILED or not failed:
        return Outcome(trouble=f"the suite did not run: {done.stdout.strip().splitlines()[-1:]}")
    return Outcome(killed_by=failed[0].split(" ", 1)[1].split(" - ", 1)[0])


def run_mutant(root: Path, mutant: Mutant) -> Outcome:
    """The mutant's tests over the copy with the mutant in it; the copy is whole again afterwards."""
    path = root / mutant.file
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.applied(original), encoding="utf-8")
    try:
        return run_tests(root, mutant.tests)
    finally:
        path.write_text(original, encoding="utf-8")


def imported_from(root: Path) -> bool:
    """Whether the suite over the copy tests the copy and not another installation."""
    check = "import cleanroom, parties, tests.mutants as t; print(cleanroom.__file__, parties.__file__, t.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", check],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return all(Path(file).is_relative_to(root) for file in done.stdout.split())
