"""A room of real processes whose coordinator is dead when the owner's operator pauses it, by the real commands."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanroom.client.door import ask_door
from cleanroom.errors import RefusedError
from cleanroom.ids import PartyName
from cleanroom.question.agreement import Agreement, parse_agreement
from parties.processes import Process, RoomProcesses
from parties.room_state import COORDINATOR, RoomState
from tests.command_line import cleanroom, refused, said
from tests.live_room import prepared, read_database, read_log, room_file
from tests.simulation.stepped_room import small_parties

WHY = "the lawyers ask for a day"
COUNT = {"command": "ask", "owner": "brand", "by": "", "quantity": "count", "column": "", "epsilon": "1"}
BY_COLOUR = {**COUNT, "by": "colour"}


@pytest.fixture
def state(tmp_path: Path) -> RoomState:
    """Two companies that have agreed."""
    return prepared(tmp_path / "state", room_file(tmp_path / "room", small_parties()))


@pytest.fixture
def running(state: RoomState) -> Iterator[RoomProcesses]:
    """The room, served."""
    with RoomProcesses(state) as processes:
        yield processes


def kill(process: Process) -> None:
    """kill -9, and wait for the end."""
    os.kill(process.pid, signal.SIGKILL)
    process.stop()


def coordinator_again(state: RoomState, running: RoomProcesses) -> None:
    """The coordinator, over the same folder and on the same port."""
    home = state.coordinator_home
    port = (home / "port").read_text(encoding="ascii").strip()
    words = ["serve", "--home", str(home), "--contract", str(state.agreement_file), "--listen", f"127.0.0.1:{port}"]
    process = Process("coordinator", [*COORDINATOR, *words], home / "coordinator.log")
    running.processes["coordinator"] = process
    process.wait_ready()


def test_a_pause_holds_although_the_coordinator_is_dead_and_is_lifted_by_every_signature_only(
    state: RoomState, running: RoomProcesses, tmp_path: Path
) -> None:
    shop, brand = (state.home(PartyName(name)) for name in ("shop", "brand"))
    ask_door(shop.socket_file, COUNT)
    kill(running.processes["coordinator"])

    said(cleanroom("room", "pause", "--home", brand.path, "--reason", WHY))
    assert f": {WHY}" in said(cleanroom("room", "status", "--home", brand.path))
    assert "standing  open" in said(cleanroom("room", "status", "--home", shop.path)), "nobody could be told"

    coordinator_again(state, running)
    with pytest.raises(RefusedError, match=r"rule room of brand.*all parties") as refusal:
        ask_door(shop.socket_file, BY_COLOUR)
    assert WHY in refusal.value.explanation
    kill(running.processes["brand"])
    running._node(PartyName("brand")).wait_ready()
    with pytest.raises(RefusedError, match="rule room of brand"):
        ask_door(shop.socket_file, BY_COLOUR)
    assert ask_door(shop.socket_file, COUNT)["stored"], "what was answered before is still shown"

    file = tmp_path / "resumption.json"
    said(cleanroom("room", "resume", "--home", brand.path, "--out", file))
    assert "paused by brand" in said(cleanroom("room", "status", "--home", brand.path))
    assert "resumed" in said(cleanroom("room", "resume", file, "--home", shop.path))
    with pytest.raises(RefusedError, match="rule room of brand"):
        ask_door(shop.socket_file, BY_COLOUR)
    assert "resumed" in said(cleanroom("room", "resume", file, "--home", brand.path))
    assert not ask_door(shop.socket_file, BY_COLOUR)["stored"]

    spent = read_database(brand.database_file, "SELECT kind FROM ledger WHERE kind = 'share_sent'")
    assert len(spent) == 2, "one for each answer"
    kinds = [body["kind"] for body in read_log(state.coordinator_home / "rooms" / "spring.sqlite")]
    assert kinds.count("contract.signed") == 2
    assert (kinds.count("room.paused"), kinds.count("room.resumed")) == (1, 2)
    assert kinds.index("room.paused") > kinds.index("answer.released")


def test_no_node_and_no_coordinator_serves_under_an_incomplete_agreement(state: RoomState) -> None:
    complete = parse_agreement(state.agreement_file.read_bytes())
    signatures = {name: envelope for name, envelope in complete.signatures.items() if name != "shop"}
    short = Agreement(complete.contract, signatures).file_bytes()
    state.agreement_file.write_bytes(short)
    state.write_settings("127.0.0.1:1")
    brand = state.home(PartyName("brand"))
    brand.agreement_file.write_bytes(short)
    words = "is not in force: not signed by shop;"
    assert words in refused(cleanroom("party", "serve", "--home", brand.path))
    served = ("coordinator", "serve", "--home", state.coordinator_home, "--contract", state.agreement_file)
    assert words in refused(cleanroom(*served, "--listen", "127.0.0.1:0"))
