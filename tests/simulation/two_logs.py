"""A second coordinator with the keys of a stepped room's own: a clone, yesterday's backup, or a liar's other history.

    with other_coordinator(room, copied_home(room, tmp_path / "clone")) as other:
        other.serves_log_of(room["brand"])          # its messages still go through the first one

What it signs, the room's log has signed.
"""

import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.room_server import RoomServer
from cleanroom.crypto.placement import place
from cleanroom.ids import random_id
from cleanroom.querylog.dsse import sign_statement
from cleanroom.querylog.log_policy import log_policy
from cleanroom.transparency.checkpoint import open_checkpoint
from cleanroom.transparency.head import read_head
from cleanroom.transparency.note import parse_note
from cleanroom.transport.client import CoordinatorClient
from cleanroom.transport.event_log import EventLog
from parties.serve import connect
from tests.live_room import read_database
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, publish_at_steps


@dataclass
class OtherCoordinator:
    """It serves until the block ends; `said` is its event log."""

    server: RoomServer
    address: str
    home: CoordinatorHome
    said: io.StringIO
    clients: list[CoordinatorClient] = field(default_factory=list)

    def serves_log_of(self, party: SteppedParty) -> None:
        """From now on the party is shown this log, and what it says is written here."""
        party.relayed.log = self.client(party)
        party.publish = self.server.heads.publish_if_due

    def client(self, party: SteppedParty) -> CoordinatorClient:
        """With the party's own keys."""
        settings = replace(party.opened.settings, coordinator_address=self.address)
        client = connect(replace(party.opened, settings=settings))
        self.clients.append(client)
        return client

    def refusals(self) -> list[str]:
        """With which answers cosigners have refused a head of this log."""
        lines = [line for line in self.said.getvalue().splitlines() if '"cosigner refuses"' in line]
        return [line.partition('"code": "')[2].partition('"')[0] for line in lines]


def copied_home(room: SteppedRoom, folder: Path, *, exported: bool = True) -> Path:
    """The coordinator's folder as it is now, with or without the exported log; nobody may be writing."""
    home, name = room.state.coordinator_home, room.contract.room
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("*.sqlite*", *([] if exported else ["*.log"])))
    folder.chmod(0o700)
    source, copy = CoordinatorHome(home).database(name), CoordinatorHome(folder).database(name)
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(copy)) as other:
        one.backup(other)
    copy.chmod(0o600)
    return folder


@contextmanager
def other_coordinator(room: SteppedRoom, folder: Path) -> Iterator[OtherCoordinator]:
    """Serve the copy; raises what the coordinator's start raises."""
    said, home = io.StringIO(), CoordinatorHome(folder)
    server = RoomServer(home, room.contract, place=place, now=lambda: datetime.now(UTC), log=EventLog(said))
    publish_at_steps(server)
    port = server.start("127.0.0.1:0")
    other = OtherCoordinator(server, f"127.0.0.1:{port}", home, said)
    try:
        yield other
    finally:
        for client in other.clients:
            client.close()
        server.stop(grace_s=0.1)


def incident(party: SteppedParty, about: str) -> bytes:
    """A true statement of this party that spends nothing; no two are alike."""
    desk = party.opened.desk
    body = {
        "actor": desk.name, "at": desk.now(), "contract": desk.contract_hash.hex(), "kind": "incident",
        "message": "match.points", "room": desk.contract.room, "sender": about, "subject": random_id(), "v": 1,
    }  # fmt: skip
    return sign_statement("incident", body, desk.keys.identity)


def evidence(party: SteppedParty) -> list[Path]:
    """The notes that a party keeps against the log."""
    return sorted((party.home.mirror_folder / "evidence").glob("*.note"))


def check_convicted(room: SteppedRoom, *names: str) -> None:
    """Each of these keeps two notes, both signed by the log, and has paused the room in its own name."""
    policy = log_policy(room.contract)
    for name in names:
        heads = [open_checkpoint(parse_note(file.read_bytes()), policy.log_keys) for file in evidence(room[name])]
        assert len(heads) >= 2, f"{name} keeps {len(heads)} notes"
        assert len({head.root for head in heads}) >= 2
        assert name in {stop.by for stop in room[name].opened.desk.stops.standing_stops()}
        assert "two histories" in room[name].node.watch.standing(room[name].opened.desk)


def cosigned(home: CoordinatorHome, room: SteppedRoom) -> dict[tuple[str, int], tuple[int, bytes]]:
    """Every cosignature in this coordinator's database: whose and of how many entries; when, and of which root."""
    policy = log_policy(room.contract)
    found = {}
    for _, note in read_database(home.database(room.contract.room), "SELECT size, note FROM checkpoint"):
        head = read_head(note, policy)
        for name, at in head.cosigned_at.items():
            found[name, head.checkpoint.size] = at, head.checkpoint.root
    return found
