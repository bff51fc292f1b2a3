"""`scripts/mutants`: break the product in every listed way, and see whether the ordinary suite notices.

Prints one line a mutant and exits with 1 when one survives, no longer fits the source, or comes to no verdict; also
when the tests named fail without any mutant, which would prove nothing.
"""

import argparse
import queue
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.copies import PATIENCE_WITHOUT_MUTANT_S, imported_from, make_copy, run_mutant, run_tests
from tests.mutants.mutant import Mutant, misfits, read_mutants

WORKERS = 2


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("--only", metavar="WORDS", default="", help="only mutants whose name contains these words")
    parser.add_argument("--unbroken", action="store_true", help="only run the tests named, over an unbroken copy")
    chosen = parser.parse_args(arguments)
    mutants = [mutant for mutant in read_mutants() if chosen.only in mutant.name]
    wrong = misfits(mutants)
    if wrong or not mutants:
        print(*(wrong or ["no mutant has such a name"]), sep="\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        return _run(Path(name).resolve(), [] if chosen.unbroken else mutants, _all_tests(mutants))


def _all_tests(mutants: list[Mutant]) -> list[str]:
    """Every test named, once: over an unbroken copy they must all pass."""
    return sorted({test for mutant in mutants for test in mutant.tests})


def _run(folder: Path, mutants: list[Mutant], tests: list[str]) -> int:
    roots: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for worker in range(WORKERS):
        root = make_copy(folder / str(worker))
        if not imported_from(root):
            print("the copy is not what would be tested: another installation comes first")
            return 1
        roots.put(root)
    started = time.monotonic()
    unbroken = run_tests(folder / "0" / "copy", tests, "-n", str(WORKERS), patience_s=PATIENCE_WITHOUT_MUTANT_S)
    if unbroken.killed_by or unbroken.trouble:
        print(f"without any mutant: {unbroken.killed_by or unbroken.trouble}")
        return 1
    print(f"without any mutant: all pass ({time.monotonic() - started:.0f} s)", flush=True)
    print("| mutant | killed by | s |\n| --- | --- | ---: |", flush=True)

    def one(mutant: Mutant) -> bool:
        root, began = roots.get(), time.monotonic()
        try:
            outcome = run_mutant(root, mutant)
        finally:
            roots.put(root)
        verdict = outcome.killed_by or f"**{outcome.trouble or 'SURVIVED'}**"
        print(f"| {mutant.name} | {verdict} | {time.monotonic() - began:.0f} |", flush=True)
        return bool(outcome.killed_by)

    with ThreadPoolExecutor(WORKERS) as pool:
        killed = list(pool.map(one, mutants))
    print(f"{sum(killed)} of {len(killed)} mutants killed in {time.monotonic() - started:.0f} s")
    return 0 if all(killed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
