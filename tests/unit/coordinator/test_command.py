"""The coordinator's command line, run as an operator runs it."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cleanroom.question.card import CoordinatorCard
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import make_request, new_tls_key
from tests.rooms import DOMAIN, ROOT, build_room, coordinator_process


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
    assert second.previous_head == first.head


def test_serve_refuses_a_contract_of_another_coordinator(home: Path, tmp_path: Path) -> None:
    room = build_room(tmp_path / "elsewhere")
    refused = run("serve", "--home", home, "--contract", room.agreement_file, "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "another coordinator's card" in refused.stderr
