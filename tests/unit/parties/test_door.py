"""The analysts' door: who asks is what the system says, what is asked is one line, and every failure is an answer."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleanroom.client.door import ask_door
from cleanroom.errors import (
    CleanroomError,
    PeerError,
    RefusedError,
    StateError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from cleanroom.ids import AnalystName
from parties.door import MAX_LINE_BYTES, Door, Progress
from parties.settings import Analyst, NodeSettings
from parties.source.source_file import SourceFile
from tests.unit.parties.vanishing import vanishing

REFUSED = RefusedError("consumer", "brand", "nothing is left", "ask for less")
ERRORS: dict[str, CleanroomError] = {
    "usage": UsageError("u"),
    "state": StateError("s"),
    "peer": PeerError("p"),
    "unavailable": UnavailableError("n"),
    "refused": REFUSED,
}


def echo(analyst: Analyst, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Say who asked, or fail as asked."""
    progress("one")
    if "fail" in request:
        raise ERRORS[request["fail"]]
    progress("two")
    return {"by": analyst.name, "got": request}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Path]:
    """A door for this user as asker, in a folder too deep for a socket's name."""
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    me = Analyst(AnalystName("alice"), os.geteuid(), frozenset({"asker"}))
    settings = NodeSettings(SourceFile(Path("a"), None), (me,), None, 1)
    opened = Door(folder / "node.sock", settings, {"ask": ("asker", echo), "approve": ("approver", echo)})
    opened.start()
    yield folder / "node.sock"
    opened.close()


def test_an_answer_comes_with_its_progress_and_the_system_s_word_for_who_asks(door: Path) -> None:
    heard: list[str] = []
    request = {"command": "ask", "analyst": "mallory"}
    assert ask_door(door, request, progress=heard.append) == {"by": "alice", "got": request}
    assert heard == ["one", "two"]


@pytest.mark.parametrize("kind", ERRORS)
def test_what_the_node_raised_is_raised_at_the_analyst(door: Path, kind: str) -> None:
    with pytest.raises(type(ERRORS[kind])) as caught:
        ask_door(door, {"command": "ask", "fail": kind})
    assert str(caught.value) == str(ERRORS[kind])


def test_a_role_that_was_not_given_is_refused(door: Path) -> None:
    with pytest.raises(UsageError, match=r"is not an approver in this node's settings: add the role to settings.toml"):
        ask_door(door, {"command": "approve"})


@pytest.mark.parametrize("command", [None, "", "Ask", 5, [], ["ask"], {"ask": 1}])
def test_an_unknown_command_is_answered_with_the_known_ones(door: Path, command: object) -> None:
    """A command that was a list once ended the conversation without a word."""
    with pytest.raises(UsageError, match="known: approve, ask"):
        ask_door(door, {"command": command})


@pytest.mark.parametrize(
    "line",
    [b"\n", b"{\n", b"\xff\n", b"[" * 100_000 + b"\n", b"[]\n", b"5\n", b'"ask"\n', b"x" * MAX_LINE_BYTES],
    ids=lambda line: repr(line[:8]),
)
def test_a_malformed_line_is_answered_in_one_line(door: Path, line: bytes) -> None:
    """Deep nesting once ended the conversation without a word."""
    folder = os.open(door.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(f"/proc/self/fd/{folder}/{door.name}")
        os.close(folder)
        connection.sendall(line)
        with connection.makefile("rb") as stream:
            body = json.loads(stream.readline())
    assert body["error"]["kind"] == "usage"


def test_where_no_node_is_that_is_said(tmp_path: Path, door: Path) -> None:
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ended:
        ended.bind(str(left))
    for nobody in (tmp_path / "absent.sock", tmp_path / "no folder" / "node.sock", left):
        with pytest.raises(UnreachableError, match="no node answers"):
            ask_door(nobody, {"command": "ask"})


@pytest.mark.parametrize("said", [b"", b'{"progress": "one"}\n', b'{"answer": {"lif'], ids=repr)
def test_a_node_that_goes_away_in_the_middle_may_have_done_it(tmp_path: Path, said: bytes) -> None:
    with vanishing(tmp_path / "node.sock", said), pytest.raises(UnavailableError, match="may have done") as caught:
        ask_door(tmp_path / "node.sock", {"command": "ask"})
    assert not isinstance(caught.value, UnreachableError)
