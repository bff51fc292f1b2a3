"""Running `cleanroom` as a person would: a process, its exit status, and what it said."""

import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120


def cleanroom(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The finished process; never raises for its exit status."""
    command = [sys.executable, "-m", "parties.command", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=folder or ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


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


def said_until_ready(process: subprocess.Popen[str], patience_s: float = PATIENCE_S) -> list[str]:
    """The lines that a process prints up to `ready`; one that does not come so far in time is killed."""
    assert process.stdout is not None
    lines: list[str] = []
    ender = threading.Timer(patience_s, process.kill)
    ender.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if line == "ready\n":
                return lines
    finally:
        ender.cancel()
    raise AssertionError(f"it never was ready:\n{''.join(lines)}")
