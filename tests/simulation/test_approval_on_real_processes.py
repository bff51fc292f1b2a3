"""A question that needs approval on real processes, by the commands that a person types; who decides is the system's
word about the process at the door."""

import os
import re
import shlex
from pathlib import Path

import pytest

from cleanroom.ids import PartyName
from parties.processes import RoomProcesses
from parties.room_state import RoomState
from parties.settings import read_settings
from tests.command_line import cleanroom, refused, said
from tests.live_room import prepared, read_database, read_log, room_file
from tests.simulation.stepped_room import small_parties
from tests.small_room import write_room

WHY = "fits the campaign"


def pending(*command: object) -> str:
    """The one line of a command that ends with a question that waits."""
    process = cleanroom(*command)
    assert process.returncode == 3, process.stderr
    (line,) = (line for line in process.stderr.splitlines() if not line.startswith("  "))
    assert line.startswith("pending: ")
    assert process.stdout == ""
    return line


def without_approver(text: str) -> str:
    """The settings of the same user, who approves nothing."""
    return text.replace('    "approver",\n', "")


@pytest.fixture
def state(tmp_path: Path) -> RoomState:
    """shop and brand; brand's approver must agree to everything."""
    two = small_parties()
    terms = {**two, "brand": {**two["brand"], "approval": {"mode": "required"}}}
    return prepared(tmp_path / "state", room_file(tmp_path / "room", terms))


def test_a_person_whom_the_settings_name_decides_at_the_running_node_and_nobody_else(state: RoomState) -> None:
    shop, brand = (state.home(PartyName(name)) for name in ("shop", "brand"))
    ask = ("ask", "--home", shop.path, "--owner", "brand", "--by", "colour", "--epsilon", "1")
    with RoomProcesses(state) as running:
        line = pending(*ask)
        found = re.search(
            r"agree to question ([0-9a-f]{12}) first: every question needs approval; nothing was spent", line
        )
        assert found is not None, line
        short = found[1]

        running.processes["brand"].stop()
        settings = brand.settings_file.read_text(encoding="utf-8")
        brand.settings_file.write_text(without_approver(settings), encoding="utf-8")
        running._node(PartyName("brand")).wait_ready()
        brand.settings_file.write_text(settings, encoding="utf-8")  # what counts is what the node was started with
        for words in (("list",), ("approve", short, "--reason", WHY), ("deny", short, "--reason", WHY)):
            line = refused(cleanroom("party", "approvals", *words, "--home", brand.path))
            assert line.startswith(f"user {os.getuid()} is not an approver in this node's settings: add the role to ")

        running.processes["brand"].stop()
        running._node(PartyName("brand")).wait_ready()
        assert short in said(cleanroom("party", "approvals", "list", "--socket", brand.socket_file))
        approved = said(cleanroom("party", "approvals", "approve", short, "--home", brand.path, "--reason", WHY))
        assert "every rule was checked again; it is charged and answered now" in approved
        assert "stored answer" in said(cleanroom(*ask))
        decided = said(cleanroom("party", "approvals", "show", short, "--home", brand.path))
    me = next(one.name for one in read_settings(brand.settings_file).analysts if one.uid == os.getuid())
    assert f"decided   approved by {me}, " in decided
    assert read_database(brand.database_file, "SELECT count(*) FROM ledger WHERE kind = 'reserve'") == [(1,)]
    log = [body for body in read_log(state.coordinator_home / "rooms" / "spring.sqlite") if "approver" in body]
    assert [(body["actor"], body["approver"], body["reason"]) for body in log] == [("brand", me, WHY)]


def test_one_person_in_a_sandbox_is_told_what_to_type_and_gets_the_answer_the_second_time(tmp_path: Path) -> None:
    room = write_room(tmp_path)
    room.write_text(
        room.read_text(encoding="utf-8").replace(
            'source = "brand.csv"', 'source = "brand.csv"\napproval = { cells = 2 }'
        ),
        encoding="utf-8",
    )
    asked = ("sandbox", room, "--asker", "shop", "--owner", "brand", "--of", "colour", "--epsilon", "1")
    line = pending(*asked)
    assert "3 cells are more than the 2 that pass by themselves" in line
    typed = re.search(r"agree with: cleanroom (.*) --reason WHY; then ask the same again$", line)
    assert typed is not None, line
    words = (*shlex.split(typed[1]), "--reason", WHY)
    assert "no node runs here" in said(cleanroom(*words))
    assert "was decided before: it is approved" in refused(cleanroom(*words))
    assert "brand" in said(cleanroom(*asked))
