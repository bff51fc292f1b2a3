"""An auditor from `init` to a verified copy, by its own commands, over TLS, against the product's coordinator."""

import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cleanroom.ids import PartyName
from cleanroom.question.contract import Auditor
from cleanroom.transparency.spelling import base64_bytes
from tests.audit_command import Said, audit
from tests.rooms import DOMAIN, ROOT, Room, Running, agreement_of, build_room, running
from tests.wire.test_cosigning import cosigner

EYE = PartyName("eye")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Two parties, and an auditor that enrolled by its own commands and that the contract requires."""
    home = tmp_path / "eye"
    assert audit("init", "eye", "--out", home, "--domain", DOMAIN).status == 0
    card = tomllib.loads((home / "card.toml").read_text(encoding="ascii"))["auditors"]["eye"]
    built = build_room(tmp_path)
    auditor = Auditor(base64_bytes(card["key"], "the card's key"), required=card["required"])
    contract = replace(built.contract, auditors={EYE: auditor})
    built.agreement_file.write_bytes(agreement_of(contract, built.members).file_bytes())
    peer, _, certificate = built.home.sign((home / "request.csr").read_bytes(), replace=False, now=datetime.now(UTC))
    assert (peer.role, peer.name) == ("auditor", "eye")
    (tmp_path / "eye.pem").write_bytes(certificate)
    accepted = audit("accept", tmp_path / "eye.pem", "--home", home, "--agreement", built.agreement_file)
    assert accepted.out.startswith("valid until "), accepted.error
    return replace(built, contract=contract)


@pytest.fixture
def served(room: Room) -> Iterator[Running]:
    """The room, served in this process."""
    with running(room) as server:
        yield server


def talking(room: Room, served: Running, *command: object) -> list[object]:
    """A command that talks to the coordinator."""
    home = room.home.folder.parent / "eye"
    return [*command, "--home", home, "--agreement", room.agreement_file, "--address", served.address]


def fetch(room: Room, served: Running, folder: Path) -> Said:
    return audit(*talking(room, served, "fetch", folder))


@contextmanager
def parties(room: Room, served: Running) -> Iterator[None]:
    """Both parties cosign, as their nodes do."""
    stopping = threading.Event()
    clients = [room.client(name, served.address) for name in ("shop", "brand")]
    threads = []
    for name, client in zip(("shop", "brand"), clients, strict=True):
        one, _ = cosigner(room, name, client)
        threads.append(threading.Thread(target=one.run, args=(stopping,), daemon=True))
        threads[-1].start()
    try:
        yield
    finally:
        stopping.set()
        for client in clients:
            client.close()
        for thread in threads:
            thread.join(10)


@contextmanager
def daemon(room: Room, served: Running) -> Iterator["subprocess.Popen[str]"]:
    """`cleanroom audit cosign` as a process of its own, ready."""
    arguments = [str(part) for part in talking(room, served, "cosign")]
    process = subprocess.Popen(
        [sys.executable, "-m", "cleanroom.audit", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise AssertionError(process.communicate(timeout=20)[1])
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def missing(room: Room, copy: Path) -> str:
    """Who has not cosigned the copy's head yet."""
    return audit("verify", copy, "--agreement", room.agreement_file).error.strip().rpartition("missing: ")[2]


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 40
    while not done():
        assert time.monotonic() < end, "it never came"


def test_an_auditor_copies_cosigns_and_verifies_what_no_answer_goes_without(
    room: Room, served: Running, tmp_path: Path
) -> None:
    copy, client = tmp_path / "copy", room.client("shop", served.address)
    with parties(room, served):
        client.append(room.statement("shop", "incident", "one"))
        until(lambda: fetch(room, served, copy).status == 4 and missing(room, copy) == "eye")
        with daemon(room, served) as process:
            until(lambda: fetch(room, served, copy).status == 0)
            said = audit("verify", copy, "--agreement", room.agreement_file)
            assert said.status == 0, said.error
            assert "eye" in said.out
            process.kill()
        client.append(room.statement("shop", "incident", "two"))
        with daemon(room, served) as process:
            until(lambda: fetch(room, served, copy).out.startswith(f"{copy}: 2 entries"))
            until(lambda: fetch(room, served, copy).status == 0)
            process.send_signal(signal.SIGTERM)
            out, error = process.communicate(timeout=30)
            assert process.returncode == 0, error
            assert "2 entries are held and cosigned" in error
            assert "trouble" not in error, "copying the log is no trouble to who cosigns it under the same name"
            assert out == ""
    client.close()
    shown = audit("show", copy, "--agreement", room.agreement_file)
    assert shown.out.count("incident") >= 2
    assert audit("replay", copy, "--agreement", room.agreement_file).status == 0
    exported = room.home.log_folder(room.contract.room)
    assert audit("verify", exported, "--agreement", room.agreement_file).status == 0, "a plain copy does as well"


def test_a_cosigner_that_lost_its_memory_signs_nothing(room: Room, served: Running, tmp_path: Path) -> None:
    with daemon(room, served) as process:
        process.terminate()
        process.communicate(timeout=30)
    (tmp_path / "eye" / "mirrors" / "spring-1.sqlite").unlink()
    said = audit(*talking(room, served, "cosign"))
    assert said.status == 1
    assert said.error.startswith("error: ")
    assert "Traceback" not in said.error


def test_one_process_cosigns_from_a_folder(room: Room, served: Running) -> None:
    with daemon(room, served):
        said = audit(*talking(room, served, "cosign"))
    assert said.status == 1
    assert "another process cosigns from" in said.error
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGTERM, signal.SIGINT}, "left as they were"


def test_an_auditor_whom_the_contract_does_not_name_is_told_so(room: Room, served: Running, tmp_path: Path) -> None:
    assert audit("init", "ear", "--out", tmp_path / "ear", "--domain", DOMAIN).status == 0
    said = audit(
        "fetch", tmp_path / "copy", "--home", tmp_path / "ear", "--agreement", room.agreement_file,
        "--address", served.address,
    )  # fmt: skip
    assert said.status == 2
    assert "names no auditor ear" in said.error


def test_a_certificate_of_a_party_or_of_another_name_is_not_accepted(room: Room, tmp_path: Path) -> None:
    for file in (tmp_path / "shop" / "tls.pem", tmp_path / "nothing.pem"):
        said = audit("accept", file, "--home", tmp_path / "eye", "--agreement", room.agreement_file)
        assert said.status in (1, 2)
        assert said.error.count("\n") == 1


def test_an_auditor_without_a_certificate_is_told_how_to_get_one(room: Room, tmp_path: Path) -> None:
    assert audit("init", "eye", "--out", tmp_path / "none").status == 0
    said = audit("fetch", tmp_path / "copy", "--home", tmp_path / "none", "--agreement", room.agreement_file)
    assert said.status == 2
    assert "has no certificate yet" in said.error
