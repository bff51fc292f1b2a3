"""A node listens on its Unix socket and on nothing else: who wants something of it must come through that door."""

import os
import re
from pathlib import Path

from parties.processes import RoomProcesses
from tests.live_room import prepared, room_file
from tests.simulation.stepped_room import small_parties

LISTENING = "0A"
NOBODY = {"00000000:0000", f"{'0' * 32}:0000"}


def sockets_of(pid: int) -> set[str]:
    """Inode numbers of every socket that a process holds."""
    targets = (os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir())
    return {match.group(1) for target in targets if (match := re.fullmatch(r"socket:\[(\d+)\]", target))}


def waiting(pid: int, protocol: str) -> list[str]:
    """Local addresses on which a process waits for strangers, by the system's own table of `tcp` or `udp`."""
    mine, found = sockets_of(pid), []
    for version in ("", "6"):
        rows = Path(f"/proc/{pid}/net/{protocol}{version}").read_text(encoding="ascii").splitlines()[1:]
        for _, local, remote, state, *rest in map(str.split, rows):
            open_to_all = state == LISTENING if protocol == "tcp" else remote in NOBODY
            if open_to_all and rest[5] in mine:
                found.append(local)
    return found


def named_sockets(pid: int) -> list[str]:
    """Paths of the Unix sockets that a process holds."""
    mine = sockets_of(pid)
    rows = Path(f"/proc/{pid}/net/unix").read_text(encoding="utf-8").splitlines()[1:]
    return [row.split()[7] for row in rows if len(row.split()) > 7 and row.split()[6] in mine]


def test_no_node_has_an_open_port(tmp_path: Path) -> None:
    """Real processes: the coordinator has one TCP port, the nodes have none, of TCP or UDP, on any address."""
    state = prepared(tmp_path / "state", room_file(tmp_path / "room", small_parties()))
    with RoomProcesses(state) as room:
        pids = {name: process.pid for name, process in room.processes.items()}
        assert set(pids) == {"coordinator", "shop", "brand"}
        assert len(waiting(pids["coordinator"], "tcp")) == 1, "the search finds what is there"
        for name in ("shop", "brand"):
            assert waiting(pids[name], "tcp") == []
            assert waiting(pids[name], "udp") == []
            assert named_sockets(pids[name]), "the search finds the door"
            assert all(path.endswith("node.sock") for path in named_sockets(pids[name]))
