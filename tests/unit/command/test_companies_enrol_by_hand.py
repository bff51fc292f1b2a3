"""The commands of different companies, one after the other, as their operators would type them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT, cleanroom, refused, said
from tests.small_room import write_room

DOMAIN = "room.example"


def _fingerprint(output: str) -> str:
    return next(line.split()[1] for line in output.splitlines() if line.startswith("fingerprint"))


def _start(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "parties.command", *(str(argument) for argument in arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if line != "ready\n":
        process.kill()
        raise AssertionError(process.communicate()[1])
    return process


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a coordinator and two companies have done everything but serve."""
    tmp_path = tmp_path_factory.mktemp("companies")
    room = write_room(tmp_path)
    hub = tmp_path / "hub"
    hub_said = said(cleanroom("coordinator", "init", "--home", hub, "--domain", DOMAIN, "--address", "127.0.0.1:9"))
    fingerprints = {"hub": _fingerprint(hub_said)}
    for name in ("shop", "brand"):
        home = tmp_path / name
        fingerprints[name] = _fingerprint(said(cleanroom("party", "init", name, "--home", home, "--domain", DOMAIN)))
        said(cleanroom("coordinator", "sign", home / "request.csr", "--home", hub, "--out", tmp_path / f"{name}.pem"))
    for name, other in (("shop", "brand"), ("brand", "shop")):
        home = tmp_path / name
        said(cleanroom("party", "card", "trust", hub / "card.json", fingerprints["hub"], "--home", home))
        said(cleanroom("party", "card", "trust", tmp_path / other / "card.json", fingerprints[other], "--home", home))
        assert "valid until" in said(cleanroom("party", "accept", tmp_path / f"{name}.pem", "--home", home))
    agreement = tmp_path / "agreement.json"
    said(cleanroom("room", "propose", room, "--home", tmp_path / "shop", "--out", agreement))
    assert "in force" in said(cleanroom("room", "sign", agreement, "--home", tmp_path / "brand", "--room", room))
    assert "in force" in said(cleanroom("room", "sign", agreement, "--home", tmp_path / "shop"))
    return tmp_path


def test_two_companies_and_a_coordinator_answer_a_question(enrolled: Path) -> None:
    hub, port = enrolled / "hub", enrolled / "port"
    processes = [
        _start(
            "coordinator", "serve", "--home", hub, "--contract", enrolled / "agreement.json",
            "--listen", "127.0.0.1:0", "--port-file", port,
        )
    ]  # fmt: skip
    try:
        for name in ("shop", "brand"):
            settings = enrolled / name / "settings.toml"
            address = f'coordinator_address = "127.0.0.1:{port.read_text().strip()}"\n'
            settings.write_text(address + settings.read_text(encoding="utf-8"), encoding="utf-8")
            processes.append(_start("party", "serve", "--home", enrolled / name))
        printed = said(
            cleanroom("ask", "--home", enrolled / "shop", "--owner", "brand", "--epsilon", "8", "--json", "-")
        )
    finally:
        for process in reversed(processes):
            process.terminate()
            process.communicate(timeout=30)
    cell = json.loads(printed)["cells"][0]
    assert abs(cell["value"] - 100) <= 12, "the noise of epsilon 8 has sigma 1: 12 away happens less than once in 10^30"
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_check_tells_the_operator_about_the_table(enrolled: Path) -> None:
    report = said(cleanroom("party", "check", "--home", enrolled / "shop"))
    assert "200" in report
    assert "colour" in report


def test_a_wrong_fingerprint_is_not_trusted(enrolled: Path) -> None:
    wrong = "-".join(["0000"] * 10)
    line = refused(
        cleanroom("party", "card", "trust", enrolled / "brand" / "card.json", wrong, "--home", enrolled / "hub-2")
    )
    assert "another fingerprint" in line


def test_a_certificate_for_somebody_else_is_not_accepted(enrolled: Path) -> None:
    line = refused(cleanroom("party", "accept", enrolled / "brand.pem", "--home", enrolled / "shop"))
    assert "certificate" in line


def test_a_key_file_that_others_can_read_stops_the_node(enrolled: Path) -> None:
    key = enrolled / "shop" / "keys" / "identity.key"
    key.chmod(0o644)
    try:
        line = refused(cleanroom("party", "check", "--home", enrolled / "shop"))
    finally:
        key.chmod(0o600)
    assert "chmod 600" in line
