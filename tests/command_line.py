"""Running `cleanroom` as a person would: a process, its exit status, and what it said."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cleanroom(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The finished process; never raises for its exit status."""
    command = [sys.executable, "-m", "parties.command", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=folder or ROOT, capture_output=True, text=True, check=False, timeout=120)


def said(process: subprocess.CompletedProcess[str]) -> str:
    """What a successful command printed."""
    assert process.returncode == 0, process.stderr
    return process.stdout


def refused(process: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that failed."""
    assert process.returncode != 0
    lines = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, process.stderr
    assert "Traceback" not in process.stderr
    return lines[0].removeprefix("error: ")
