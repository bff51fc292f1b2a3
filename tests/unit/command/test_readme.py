"""What the README says of commands and options is what the programs have."""

import re
import shlex
from pathlib import Path

import click

from cleanroom.audit import __main__ as auditor
from cleanroom.catalogue.catalogue import CATALOGUE
from parties.command import main
from parties.command.entry import entry_command

README = (Path(__file__).parents[3] / "README.md").read_text()


def command(*path: str) -> click.Command:
    """The command of that path."""
    found: click.Command = main.cli
    for name in path:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    return found


def options(of: click.Command) -> set[str]:
    """Long options of a command."""
    return {name for parameter in of.params for name in parameter.opts if name.startswith("--")}


def test_the_table_of_a_question_s_options_is_the_sandbox_s_own() -> None:
    start = README.index("| `--asker A")
    written = set(re.findall(r"--[a-z-]+", README[start : README.index("\n\n", start)]))
    assert written == options(command("sandbox")) - {"--help"}


def test_every_command_that_the_readme_names_is_there() -> None:
    """`cleanroom coordinator` is a program of its own and is left out."""
    for line in re.findall(r"`cleanroom ((?:[a-z]+ )*[a-z]+)", README.replace("\n", " ").replace("   ", " ")):
        words = line.split()
        if words[0] == "coordinator":
            continue
        here: click.Command = auditor.cli if words[0] == "audit" else main.cli
        for word in words[words[0] == "audit" :]:
            if isinstance(here, click.Group):
                assert word in here.commands, line
                here = here.commands[word]


def test_every_command_line_in_a_block_has_a_command_with_these_options() -> None:
    lines = re.findall(r"^    cleanroom (.*)$", README, re.MULTILINE)
    assert sum(line.startswith("audit ") for line in lines) > 10
    for line in lines:
        words = shlex.split(line)
        if words[0] == "coordinator":
            continue
        here: click.Command = auditor.cli if words[0] == "audit" else main.cli
        for word in words[words[0] == "audit" :]:
            if isinstance(here, click.Group):
                assert word in here.commands, line
                here = here.commands[word]
        assert {word for word in words if word.startswith("--")} <= options(here), line


def test_every_option_that_the_readme_names_is_of_some_command() -> None:
    known = {"--help", "--slow", "--charts", "--people", "--domain", "--address", "--contract"}
    waiting: list[click.Command] = [main.cli, auditor.cli, *map(entry_command, CATALOGUE.values())]
    while waiting:
        here = waiting.pop()
        known |= options(here)
        waiting += here.commands.values() if isinstance(here, click.Group) else []
    assert set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", README)) <= known
