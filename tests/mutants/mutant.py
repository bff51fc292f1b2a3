"""One mutant: a promise of the product, the change that breaks it, and the tests that must notice.

The change is a text that must occur exactly once in one file, and what takes its place. It is made in a copy of the
source and never in the checkout. A text that is gone, or is there twice, is an error: the mutant must then be written
anew for the present source.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutants.toml")


class MutantError(Exception):
    """A mutant does not fit the source; says which and why."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` says what is broken; `tests` are files, or tests in files, of which one must fail."""

    name: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]

    def applied(self, source: str) -> str:
        """The mutated source; raises MutantError unless the text occurs exactly once."""
        count = source.count(self.find)
        if count != 1:
            raise MutantError(f"{self.name}: {self.file} holds the text to be replaced {count} times; once is needed")
        mutated = source.replace(self.find, self.replace)
        try:
            compile(mutated, self.file, "exec")
        except SyntaxError as error:
            raise MutantError(f"{self.name}: {self.file} is no Python any more: {error}") from None
        return mutated


def read_mutants(path: Path = LIST) -> list[Mutant]:
    """The list, in its order; raises MutantError for an entry that is not whole or a name that is there twice."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["mutant"]
    mutants = [_mutant(entry) for entry in entries]
    names = [mutant.name for mutant in mutants]
    for name in names:
        if names.count(name) > 1:
            raise MutantError(f"{name}: two mutants have this name")
    return mutants


def _mutant(entry: dict[str, Any]) -> Mutant:
    if set(entry) != {"name", "file", "find", "replace", "tests"}:
        raise MutantError(f"{entry.get('name')}: a mutant has name, file, find, replace and tests")
    return Mutant(entry["name"], entry["file"], entry["find"], entry["replace"], tuple(entry["tests"]))


def misfits(mutants: list[Mutant], root: Path = ROOT) -> list[str]:
    """What is wrong with the list for the source below `root`; empty when every mutant fits."""
    found = []
    for mutant in mutants:
        try:
            mutant.applied((root / mutant.file).read_text(encoding="utf-8"))
        except (MutantError, OSError) as error:
            found.append(str(error))
        missing = [test for test in mutant.tests if not (root / test.partition("::")[0]).is_file()]
        found.extend(f"{mutant.name}: there is no {test}" for test in missing)
    return found
