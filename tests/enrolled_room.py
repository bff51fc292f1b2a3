"""Companies, a coordinator and an auditor that enrol and serve by the commands their operators type, each a process.

    enrol(tmp_path, write_room(tmp_path), auditor="eve")
    with serving(tmp_path) as address:
        said(cleanroom("ask", "--home", tmp_path / "shop", ...))

Everything lies in one folder: hub, shop, brand and the auditor's, agreement.json, and certificates as they are carried.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.command_line import ROOT, cleanroom, said

DOMAIN = "room.example"
PARTIES = ("shop", "brand")
STOP_S = 30


def fingerprint(output: str) -> str:
    """The one that a command printed."""
    return next(line.split()[1] for line in output.splitlines() if line.startswith("fingerprint"))


def enrol(folder: Path, room: Path, *, auditor: str = "") -> dict[str, str]:
    """Do everything but serve; the fingerprints that were read out, by name."""
    hub = folder / "hub"
    hub_said = said(cleanroom("coordinator", "init", "--home", hub, "--domain", DOMAIN, "--address", "127.0.0.1:9"))
    read_out = {"hub": fingerprint(hub_said)}
    for name in PARTIES:
        read_out[name] = fingerprint(
            said(cleanroom("party", "init", name, "--home", folder / name, "--domain", DOMAIN))
        )
        _sign(folder, name)
    if auditor:
        home = folder / auditor
        read_out[auditor] = fingerprint(said(cleanroom("audit", "init", auditor, "--out", home, "--domain", DOMAIN)))
        _sign(folder, auditor)
        card = (home / "card.toml").read_text(encoding="ascii")
        room.write_text(f"{room.read_text(encoding='utf-8')}\n{card}", encoding="utf-8")
    for name, other in (PARTIES, PARTIES[::-1]):
        home = folder / name
        said(cleanroom("party", "card", "trust", hub / "card.json", read_out["hub"], "--home", home))
        said(cleanroom("party", "card", "trust", folder / other / "card.json", read_out[other], "--home", home))
        assert "valid until" in said(cleanroom("party", "accept", folder / f"{name}.pem", "--home", home))
    agreement = folder / "agreement.json"
    said(cleanroom("room", "propose", room, "--home", folder / "shop", "--out", agreement))
    assert "in force" in said(cleanroom("room", "sign", agreement, "--home", folder / "brand", "--room", room))
    assert "in force" in said(cleanroom("room", "sign", agreement, "--home", folder / "shop"))
    if auditor:
        accepted = cleanroom(
            "audit", "accept", folder / f"{auditor}.pem", "--home", folder / auditor, "--agreement", agreement
        )
        assert "valid until" in said(accepted)
    return read_out


def _sign(folder: Path, name: str) -> None:
    request, out = folder / name / "request.csr", folder / f"{name}.pem"
    said(cleanroom("coordinator", "sign", request, "--home", folder / "hub", "--out", out))


@dataclass
class Program:
    """A command that runs on its own; what it says on standard error is kept in a file."""

    process: "subprocess.Popen[str]"
    log: Path

    def end(self) -> int:
        """Ask it to end; its exit status, that of a killed one where it did not hear."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.process.returncode

    def wait_for(self, holds: Callable[[str], bool]) -> str:
        """Follow what it says until something holds of a line; that line."""
        with self.log.open(encoding="utf-8") as file:
            for line in _growing(file, self.process):
                if holds(line):
                    return line
        raise AssertionError(f"it ended with status {self.process.returncode}: {self.log.read_text(encoding='utf-8')}")


def _growing(file: IO[str], process: "subprocess.Popen[str]") -> Iterator[str]:
    begun = ""
    while True:
        has_ended = process.poll() is not None
        for piece in file:
            begun += piece
            if begun.endswith("\n"):
                yield begun
                begun = ""
        if has_ended:
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue


def begun(log: Path, *arguments: object) -> Program:
    """A command on its way."""
    command = [sys.executable, "-m", "parties.command", *(str(argument) for argument in arguments)]
    with log.open("w", encoding="utf-8") as file:
        return Program(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=file, text=True), log)


def started(log: Path, *arguments: object) -> Program:
    """A command that says `ready` when it serves."""
    program = begun(log, *arguments)
    assert program.process.stdout is not None
    if program.process.stdout.readline() != "ready\n":
        program.end()
        raise AssertionError(log.read_text(encoding="utf-8"))
    return program


@contextmanager
def serving(folder: Path, names: Sequence[str] = PARTIES) -> Iterator[str]:
    """The coordinator and the nodes of these companies; its address. All end with status 0."""
    port = folder / "port"
    programs = [
        started(
            folder / "hub.log", "coordinator", "serve", "--home", folder / "hub",
            "--contract", folder / "agreement.json", "--listen", "127.0.0.1:0", "--port-file", port,
        )
    ]  # fmt: skip
    address = f"127.0.0.1:{port.read_text(encoding='ascii').strip()}"
    try:
        for name in names:
            settings = folder / name / "settings.toml"
            text = f'coordinator_address = "{address}"\n' + settings.read_text(encoding="utf-8")
            settings.write_text(text, encoding="utf-8")
            programs.append(started(folder / f"{name}.log", "party", "serve", "--home", folder / name))
        yield address
    finally:
        statuses = [program.end() for program in reversed(programs)]
    assert statuses == [0] * len(statuses)
