"""What a coordinator really exports and hands out, for other people's verifiers: written by its own process over TLS,
cosigned by the product's cosigners, with a yesterday to go back to and a second history that it signs as well.

    logs = write_logs(tmp_path)         # logs.at[300], logs.at[1000]: folders; logs.grown, logs.forked, ...: requests
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.cosigner.cosigner import Cosigner
from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.room_check import RoomCheck
from cleanroom.querylog.log_policy import log_policy
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.witness_message import WitnessRequest, parse_request
from cleanroom.transport.client import CoordinatorClient
from tests.rooms import Room, build_room, running

PATIENCE_S = 120


@dataclass(frozen=True)
class CoordinatorsLogs:
    """Folders by size, and tlog-witness requests as PollCheckpoint hands them out, but for `same_size`."""

    room: Room
    at: dict[int, Path]
    first: bytes
    second: bytes
    grown: bytes
    rolled_back: bytes
    forked: bytes
    fork_grown: bytes
    same_size: bytes

    def subject(self, index: int) -> str:
        """What the entry of this index is about."""
        return _subject("honest", index)


def _subject(history: str, index: int) -> str:
    return sha256(f"{history} {index}".encode()).hexdigest()


def write_logs(
    folder: Path, sizes: tuple[int, int, int] = (3, 300, 1000), parties: Sequence[str] = ("shop", "brand")
) -> CoordinatorsLogs:
    """A log that is exported at the two larger sizes; the coordinator of yesterday stands at the middle one."""
    small, middle, large = sizes
    room = build_room(folder, parties, auditors={"eye": True})
    exported, at = room.home.log_folder(room.contract.room), dict[int, Path]()
    with _served(room) as served:
        served.grow(small)
        first = served.offered(0, small)
        served.grow(middle)
        second = served.offered(small, middle)
    at[middle] = shutil.copytree(exported, folder / "at middle")
    yesterday = shutil.copytree(room.home.folder, folder / "yesterday")
    with _served(room) as served:
        served.grow(large)
        grown = served.offered(middle, large)
    at[large] = shutil.copytree(exported, folder / "at large")
    set_back = replace(room, home=CoordinatorHome(yesterday))
    with _served(set_back, is_cosigned=False) as served:
        rolled_back = served.offered(large, middle)
        served.grow(large, history="another")
        forked = served.offered(middle, large)
        served.grow(large + 1, history="another")
        fork_grown = served.offered(large, large + 1)
    same_size = WitnessRequest(large, (), parse_request(forked).checkpoint).to_bytes()
    return CoordinatorsLogs(room, at, first, second, grown, rolled_back, forked, fork_grown, same_size)


@contextmanager
def _served(room: Room, *, is_cosigned: bool = True) -> Iterator["_Served"]:
    with ExitStack() as closing:
        address = closing.enter_context(running(room)).address
        clients = {str(name): room.client(name, address) for name in (*room.members, *room.auditors)}
        made = [_cosigner(room, name, clients[name], closing) for name in clients if is_cosigned]
        for client in clients.values():
            closing.callback(client.close)
        yield _Served(room, clients, made)


def _cosigner(room: Room, name: str, client: CoordinatorClient, closing: ExitStack) -> Cosigner:
    folder = room.cosigner(name).folder / "mirror"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "log.sqlite"
    mirror = Mirror(path, log_policy(room.contract), name=name, begun=path.exists())
    closing.callback(mirror.close)
    return Cosigner(
        mirror,
        client,
        name=name,
        key=room.cosigner(name).cosigning,
        clock=time.time,
        check=RoomCheck(mirror, lambda: RoomRules(room.contract, room.hash)),
        changed=lambda: None,
    )


class _Served:
    """The coordinator while it runs."""

    def __init__(self, room: Room, clients: dict[str, CoordinatorClient], cosigners: list[Cosigner]) -> None:
        self._room = room
        self._clients = clients
        self._cosigners = cosigners

    def grow(self, size: int, history: str = "honest") -> None:
        """Append until there are so many entries; with cosigners, until the folder shows them all cosigned."""
        for index in range(self._count(), size):
            author, message = ("shop", "brand")[index % 2], "x" * (index % 9)
            statement = self._room.statement(author, "incident", _subject(history, index), message=message)
            assert self._clients[author].append(statement) == index
            if index % 100 == 0:
                self._cosign()
        if self._cosigners:
            _until(lambda: self._is_exported(size), self._cosign)

    def _count(self) -> int:
        count = 0
        while page := self._clients["eye"].read_log(count).entries:
            count += len(page)
        return count

    def _cosign(self) -> None:
        for cosigner in self._cosigners:
            cosigner.step(10)

    def _is_exported(self, size: int) -> bool:
        path = self._room.home.log_folder(self._room.contract.room) / "checkpoint"
        if not path.exists():
            return False
        note, policy = parse_note(path.read_bytes()), log_policy(self._room.contract)
        has_all = all(note.lines_of(key) for key in policy.cosigners.values())
        return parse_checkpoint(note.text).size == size and has_all

    def offered(self, held_size: int, size: int) -> bytes:
        """The request for the head of this size, as the auditor's poll gets it who holds so much."""
        found = b""

        def look() -> bool:
            nonlocal found
            found = self._clients["eye"].poll_checkpoint(held_size, 0, 0).request
            return bool(found) and parse_checkpoint(parse_note(parse_request(found).checkpoint).text).size == size

        _until(look, lambda: time.sleep(0.01))
        return found


def _until(holds: Callable[[], bool], step: Callable[[], None]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came"
        step()
