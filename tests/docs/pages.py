"""The pages of `cleanroom/docs`, read and followed as a reader would: every fenced block, in order, in one folder.

The word behind the fence's language says how a block is meant:

    sh            typed in a terminal; must succeed            sh keep      stays running until the page ends
    sh refused    must fail, with one line of ours             sh install   what this test runs in
    python        a program                                    text         what the block before it prints
    text exact    all of it, and nothing in it is drawn        text values   its lines, and nothing in them is drawn

Noise differs from run to run, so of a `text` block only the form is compared: every number counts as any number, and
each line stands in the output, in that order; `…` stands for anything.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import click

from cleanroom.audit import __main__ as auditor
from cleanroom.catalogue.catalogue import find
from cleanroom.coordinator import __main__ as coordinator
from parties.command import main
from parties.command.entry import entry_command
from tests.command_line import said_until_ready

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "cleanroom" / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_FENCE = re.compile(r"^```([a-z]+)(?: ([a-z]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"\d[\d,]*(\.\d+)?")
_FRAME = re.compile(r"[┏┳┓┃┡╇┩│┗┻┛└┴┘━─]")
STEP_S = 120


@dataclass(frozen=True)
class Block:
    """One fenced block and the line of the page that it begins in."""

    language: str
    how: str
    text: str
    where: str


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2] or "", found[3], f"{page.name}:{text.count(chr(10), 0, found.start()) + 2}")
        for found in _FENCE.finditer(text)
    ]


def command_lines(block: Block) -> list[list[str]]:
    """The words of each command of ours in a shell block."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words[1:] for line in lines if (words := shlex.split(line, comments=True))[:1] == ["cleanroom"]]


def parsed(words: list[str]) -> click.Context:
    """The command that these words call, with every option understood; raises what a user would be told."""
    here: click.Command = main.cli
    if words[0] in ("audit", "coordinator"):
        here, words = (auditor if words[0] == "audit" else coordinator).cli, words[1:]
    while isinstance(here, click.Group):
        here, words = here.commands[words[0]], words[1:]
    if here is main.cli.commands["ask"] and words and not words[0].startswith("-"):
        here, words = entry_command(find(words[0])), words[1:]
    return here.make_context("cleanroom", list(words))


def prose(page: Path) -> str:
    """What a page says outside of its blocks and headings."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.sub(r"^#.*$", "", text, flags=re.MULTILINE)


def form(text: str, *, values: bool = False) -> str:
    """The text without frames and line ends, and without the values of numbers unless they count."""
    plain = _FRAME.sub(" ", text)
    return " ".join((plain if values else _NUMBER.sub("#", plain)).split())


def missing_lines(said: str, shown: str, *, values: bool = False) -> list[str]:
    """What a `text` block shows and the output does not have in that order."""
    rest, missing = form(said, values=values), []
    for line in re.split(r"…|\n", shown):
        wanted = form(line, values=values)
        if wanted and wanted not in rest:
            missing.append(line.strip())
        elif wanted:
            rest = rest.partition(wanted)[2]
    return missing


class Reader:
    """Follows a page in a folder of its own; a context manager that stops what the page has kept running."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        tools = folder / ".bin"
        tools.mkdir()
        self._script(tools / "cleanroom", "-m parties.command")
        self._script(tools / "python", "")
        self._environment = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "120",
        }
        self._kept: list[subprocess.Popen[str]] = []
        self._said = ""

    def _script(self, file: Path, arguments: str) -> None:
        file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
        file.chmod(0o755)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._kept:
            process.send_signal(signal.SIGINT)
            assert "stopped" in process.communicate(timeout=STEP_S)[0]

    def follow(self, written: Sequence[Block]) -> None:
        """Every block in turn; an AssertionError names the one that is not as its page says."""
        for block in written:
            if block.how == "install":
                self._said = ""
            elif block.how == "keep":
                self._keep(block)
            elif block.language in ("sh", "python"):
                self._run(block)
            else:
                self._compare(block)

    def _compare(self, block: Block) -> None:
        if block.how == "exact":
            assert self._said.strip() == block.text.strip(), f"{block.where}: this was said:\n{self._said}"
        missing = missing_lines(self._said, block.text, values=block.how == "values")
        assert not missing, f"{block.where}: the page shows {missing}, and this was said:\n{self._said}"

    def _run(self, block: Block) -> None:
        command = ["bash", "-euc", block.text] if block.language == "sh" else ["python", "-c", block.text]
        command[0] = {"python": sys.executable}.get(command[0], command[0])
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=STEP_S,
        )
        said = f"{done.stdout}\n{done.stderr}"
        if block.how == "refused":
            assert done.returncode != 0, f"{block.where}: it was not refused:\n{said}"
            assert "error: " in done.stderr or "pending: " in done.stderr, f"{block.where}: {said}"
        else:
            assert done.returncode == 0, f"{block.where}: status {done.returncode}\n{said}"
        self._said = said

    def _keep(self, block: Block) -> None:
        process = subprocess.Popen(
            ["bash", "-euc", f"exec {block.text}"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._kept.append(process)
        self._said = "".join(said_until_ready(process))
