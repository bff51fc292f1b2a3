"""Other people's verifier and witness, installed beside us: aics-tlog and aics-witness, on a Python of their own.

They need Python 3.12 or newer and are counterparts in tests, never dependencies. Where that Python exists, whatever
else goes wrong is a failure; a machine without it skips.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from cleanroom.transparency.cosignature import cosigned_at, with_cosignature
from cleanroom.transparency.note_key import NoteKey, parse_vkey
from cleanroom.transparency.witness import Advance, consider, nothing_held

LOCK = Path(__file__).with_name("aics.lock")
PATIENCE_S = 300
AUDIT = """
import base64, json, sys
from aics_tlog.tiles import FileSystemTileReader
from aics_tlog.verified import audit_tiles
folder, size, root = json.load(sys.stdin)
try:
    report = audit_tiles(FileSystemTileReader(folder), size, bytes.fromhex(root))
    print(json.dumps({"tiles": report.tiles, "bundles": report.bundles}))
except Exception as error:
    print(json.dumps({"refused": str(error)}))
"""


def newer_python() -> str:
    """A Python of version 3.12 or newer with venv; skips the test where there is none."""
    found = [shutil.which(name) for name in ("python3.12", "python3.13", "python3.14", "python3")]
    candidates = [path for path in found if path]
    pyenv = shutil.which("pyenv")
    if pyenv:  # its shims of versions that are not chosen do not run; it knows where the real ones are
        listed = subprocess.run([pyenv, "whence", "--path", "python3.12"], capture_output=True, text=True, check=False)
        candidates += listed.stdout.split()
    wanted = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))"
    for path in candidates:
        if subprocess.run([path, "-c", wanted], capture_output=True, check=False).returncode == 0:
            return path
    pytest.skip("aics-tlog and aics-witness need a Python 3.12, which this machine does not have")


@dataclass(frozen=True, slots=True)
class Counterparts:
    """A virtual environment with both packages."""

    bin: Path

    def tlog(self, *arguments: str | Path) -> dict[str, Any]:
        """What `aics-tlog` prints; `ok` says whether it accepted."""
        done = subprocess.run(
            [self.bin / "aics-tlog", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["ok"] is (done.returncode == 0)
        return report

    def python(self, program: str, value: object) -> Any:
        """What a program over their library prints as JSON, given a value as JSON."""
        done = subprocess.run(
            [self.bin / "python", "-c", program],
            input=json.dumps(value),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def witness(self, *arguments: str | Path) -> str:
        """What `aics-witness` prints."""
        done = subprocess.run(
            [self.bin / "aics-witness", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def install(folder: Path) -> Counterparts:
    """Both packages by their hashes, into a new environment."""
    subprocess.run([newer_python(), "-m", "venv", folder], check=True, timeout=PATIENCE_S)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True, timeout=PATIENCE_S)
    return Counterparts(folder / "bin")


@contextmanager
def serving(counterparts: Counterparts, config: Path) -> Iterator[str]:
    """Their witness on a free port of this machine; its address."""
    process = subprocess.Popen(
        [counterparts.bin / "aics-witness", "serve", "--config", config], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            found = re.search(r"listening on (http://127\.0\.0\.1:[0-9]+)", line)
            if found:
                yield found[1]
                break
        else:
            pytest.fail("aics-witness ended before it listened")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def post(address: str, body: bytes) -> tuple[int, bytes]:
    """Status and body of its answer to one request."""
    request = Request(f"{address}/add-checkpoint", data=body, method="POST")  # noqa: S310 # loopback, our own process
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310 # the same
            return answer.status, answer.read()
    except HTTPError as refused:
        return refused.code, refused.read()


def judged(
    counterparts: Counterparts, config: Path, log_key: NoteKey, requests: Iterable[tuple[str, bytes, int]]
) -> list[dict[str, Any]]:
    """Their witness and ours decide on the same requests, each named and with the status that both must give.

    Its cosignatures hold under our rules, its conflicts answer as ours do. Returns the evidence that it kept.
    """
    vkey = counterparts.witness("init", "--config", config, "--name", "foreign.example/w1", "--listen", "127.0.0.1:0")
    counterparts.witness("add-log", "--config", config, "--origin", log_key.name, "--vkey", log_key.vkey())
    key, held = parse_vkey(vkey.strip()), nothing_held(log_key.name)
    with serving(counterparts, config) as address:
        for name, body, status in requests:
            decision = consider(body, held, [log_key], int(time.time()))
            ours = 200 if isinstance(decision, Advance) else decision.answer.status
            theirs, answered = post(address, body)
            assert (name, ours, theirs) == (name, status, status)
            if isinstance(decision, Advance):
                held = decision.held
                note = with_cosignature(decision.note, answered, key)
                assert cosigned_at(note, key) is not None
            elif status == 409:
                assert answered == decision.answer.body
    evidence: list[dict[str, Any]] = json.loads(counterparts.witness("evidence", "--config", config))
    return evidence
