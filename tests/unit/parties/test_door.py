"""The analysts' door: who asks is what the system says, what is asked is one line, and every failure is an answer."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cleanroom.client.door import ask_door, short_name
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
from parties import door as door_module
from parties.door import MAX_CALLERS, MAX_LINE_BYTES, Door, Progress
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
    return {"by": analyst.name, "got": request} | ({"more": "x" * request["more"]} if "more" in request else {})


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


@contextmanager
def caller(door: Path) -> Iterator[socket.socket]:
    """Somebody at the door who has said nothing yet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        with short_name(door) as name:
            connection.connect(name)
        yield connection


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
    with caller(door) as connection:
        connection.sendall(line)
        with connection.makefile("rb") as stream:
            body = json.loads(stream.readline())
    assert body["error"]["kind"] == "usage"


def test_a_request_that_is_too_long_is_answered_although_nobody_reads_it_to_its_end(door: Path) -> None:
    """The analyst was once told that the node had stopped in the middle and may have done it."""
    with pytest.raises(UsageError, match="one line of JSON"):
        ask_door(door, {"command": "ask", "more": "x" * 3 * MAX_LINE_BYTES})


def patiently(door: Path) -> dict[str, Any]:
    """An answer as soon as there is a place for the request."""
    end = time.monotonic() + 20
    while True:
        try:
            return ask_door(door, {"command": "ask"})
        except UnreachableError:
            assert time.monotonic() < end, "no place became free"
            time.sleep(0.01)


def test_whoever_finds_all_places_taken_is_told_that_nothing_was_read(door: Path) -> None:
    """It was once told that the node may have done it, and so no operator could pause the room beside the node."""
    with ExitStack() as callers:
        for _ in range(MAX_CALLERS):
            callers.enter_context(caller(door)).sendall(b"{")
        with pytest.raises(UnreachableError, match="yours was not listened to; try again"):
            ask_door(door, {"command": "ask"})
    assert patiently(door)["by"] == "alice"


def test_nobody_holds_a_place_by_sending_slowly_or_by_not_reading(door: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "PATIENCE_S", 0.2)
    with ExitStack() as callers:
        for _ in range(MAX_CALLERS // 2):
            callers.enter_context(caller(door)).sendall(b"{")
            callers.enter_context(caller(door)).sendall(b'{"command": "ask", "more": 5000000}\n')
        assert patiently(door)["by"] == "alice"


def test_a_stranger_takes_no_place(tmp_path: Path) -> None:
    other = Analyst(AnalystName("bob"), os.geteuid() + 1, frozenset({"asker", "operator"}))
    settings = NodeSettings(SourceFile(Path("a"), None), (other,), None, 1)
    opened = Door(tmp_path / "node.sock", settings, {"ask": ("asker", echo)})
    opened.start()
    with ExitStack() as callers:
        for _ in range(2 * MAX_CALLERS):
            callers.enter_context(caller(tmp_path / "node.sock"))
        with pytest.raises(UsageError, match=f"user {os.geteuid()} is not an asker in this node's settings"):
            ask_door(tmp_path / "node.sock", {"command": "ask"})
    opened.close()


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
