"""The coordinator's command line, run as an operator runs it."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.end_of_input import OPTION
from cleanroom.errors import UnavailableError
from cleanroom.question.card import CoordinatorCard
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import make_request, new_tls_key
from cleanroom.transport.retry import Patience
from tests.rooms import DOMAIN, ROOT, Room, build_room, coordinator_process


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`python -m cleanroom.coordinator …`."""
    return subprocess.run(
        [sys.executable, "-m", "cleanroom.coordinator", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A coordinator's folder made by `init`."""
    done = run("init", "--home", tmp_path / "home", "--domain", DOMAIN, "--address", "127.0.0.1:7443")
    assert done.returncode == 0, done.stderr
    return tmp_path / "home"


def request(folder: Path, name: str = "shop") -> Path:
    """A fresh request file of a party's."""
    path = folder / f"{name}-{os.urandom(4).hex()}.csr"
    path.write_bytes(make_request(new_tls_key(), Peer("party", name), DOMAIN))
    return path


def test_init_makes_private_keys_and_a_card_whose_fingerprint_it_shows(home: Path) -> None:
    shown = run("card", "--home", home)
    assert CoordinatorCard.from_file((home / "card.json").read_bytes()).fingerprint() in shown.stdout
    for name in ("authority.key", "identity.key", "log.key", "tls.key"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600


def test_init_never_overwrites_a_coordinator(home: Path) -> None:
    again = run("init", "--home", home, "--domain", DOMAIN, "--address", "127.0.0.1:7443")
    assert again.returncode == 1
    assert again.stderr == f"error: {home} holds a coordinator already; keys are never overwritten\n"


def test_sign_shows_the_name_and_refuses_a_second_key(home: Path, tmp_path: Path) -> None:
    first = run("sign", request(tmp_path), "--home", home, "--out", tmp_path / "shop.pem")
    assert first.returncode == 0
    assert first.stderr.startswith("party shop\nkey fingerprint ")
    assert (tmp_path / "shop.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    second = request(tmp_path)
    refused = run("sign", second, "--home", home)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert run("sign", second, "--home", home, "--replace").stdout.startswith("-----BEGIN CERTIFICATE-----")


def test_serve_ends_with_zero_on_sigterm_and_says_so_in_its_log(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    with coordinator_process(room) as (address, process):
        assert room.client("shop", address).read_log(0).entries == ()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    events = [json.loads(line)["event"] for line in (room.home.folder / "serve.log").read_text().splitlines()]
    assert events == ["serving", "call", "stopping", "stopped"]


def test_the_log_goes_on_after_a_restart(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    with coordinator_process(room) as (address, _):
        first = room.client("shop", address).append(room.statement("shop", "incident", "one"))
    with coordinator_process(room) as (address, _):
        client = room.client("shop", address)
        second = client.append(room.statement("shop", "incident", "two"))
        assert client.append(room.statement("shop", "incident", "one")) == first
    assert (first, second) == (0, 1)


def test_serve_refuses_a_contract_of_another_coordinator(home: Path, tmp_path: Path) -> None:
    room = build_room(tmp_path / "elsewhere")
    refused = run("serve", "--home", home, "--contract", room.agreement_file, "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "another coordinator's card" in refused.stderr


def refused_start(room: Room) -> str:
    """What `serve` says when it does not start."""
    done = run("serve", "--home", room.home.folder, "--contract", room.agreement_file, "--listen", "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_of_two_coordinators_of_one_home_the_second_does_not_start_and_names_the_first(tmp_path: Path) -> None:
    """The bug: both lived, as long as nothing was written, and nobody was told which process to end."""
    room = build_room(tmp_path)
    with coordinator_process(room) as (_, first):
        assert refused_start(room) == (
            f"error: a coordinator is serving from {room.home.folder} already:"
            f" process {first.pid}, which ends with: kill {first.pid}\n"
        )
        first.kill()
        first.wait(15)
        with coordinator_process(room):
            pass  # the lock of a killed process holds nobody up


def test_a_coordinator_that_is_told_to_ends_with_its_input(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    with coordinator_process(room, OPTION) as (_, process):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(15) == 0


def test_of_two_coordinators_on_one_database_the_one_that_comes_too_late_ends(tmp_path: Path) -> None:
    """Row 37: by one line and status 1, not by INTERNAL for ever; the other goes on. Here from a copy of the home."""
    room = build_room(tmp_path)
    copy = replace(room, home=CoordinatorHome(tmp_path / "copy"))
    shutil.copytree(room.home.folder, copy.home.folder, ignore=shutil.ignore_patterns("rooms"))
    (room.home.folder / "rooms").mkdir(mode=0o700, exist_ok=True)
    (copy.home.folder / "rooms").symlink_to(room.home.folder / "rooms")
    with coordinator_process(room) as (one, _), coordinator_process(copy) as (other, late):
        goes_on = room.client("shop", one)
        assert goes_on.append(room.statement("shop", "incident", "one")) == 0
        brand = room.client("brand", other, patience=Patience(total_s=0.5))
        with pytest.raises(UnavailableError):
            brand.append(room.statement("brand", "incident", "two"))
        assert late.wait(15) == 1
        assert goes_on.append(room.statement("shop", "incident", "three")) == 1
        assert len(goes_on.read_log(0).entries) == 2
    last = (copy.home.folder / "serve.log").read_text().splitlines()
    said = [line for line in last if line.startswith("error: ")]
    assert said == [
        "error: another process has written to this room's log beyond the 0 entries known here:"
        " this one ends; run one coordinator for one home"
    ]


def test_a_coordinator_whose_database_was_restored_deleted_or_damaged_does_not_start(tmp_path: Path) -> None:
    """Row 36: yesterday's copy, no copy, and a copy with another byte; each time one line."""
    room = build_room(tmp_path)
    database = room.home.database(room.contract.room)
    with coordinator_process(room) as (address, _):
        room.client("shop", address).append(room.statement("shop", "incident", "one"))
    shutil.copy(database, tmp_path / "yesterday")
    with coordinator_process(room) as (address, _):
        room.client("shop", address).append(room.statement("shop", "incident", "two"))
    shutil.copy(database, tmp_path / "today")
    shutil.copy(tmp_path / "yesterday", database)
    restored = refused_start(room)
    assert "is of 2 entries, but only 1 are stored: a backup was restored" in restored
    database.unlink()
    assert "is of 2 entries, but only 0 are stored" in refused_start(room)
    shutil.copy(tmp_path / "today", database)
    damaged = database.read_bytes().replace(b'"payloadType"', b'"payloadTypf"', 1)
    database.write_bytes(damaged)
    assert "of the stored log is not the one whose hash is stored beside it" in refused_start(room)
    database.write_bytes((tmp_path / "today").read_bytes())
    with coordinator_process(room) as (address, _):
        assert len(room.client("shop", address).read_log(0).entries) == 2
    assert restored.count("\n") == 1


def test_a_log_key_that_is_not_the_card_s_signs_nothing(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    (room.home.folder / "log.key").write_bytes(bytes(32))
    assert "no log.key in this home is the key on the card" in refused_start(room)
