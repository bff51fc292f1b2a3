"""A node listens on its Unix socket and on nothing else: who wants something of it must come through that door."""

from pathlib import Path

import psutil  # type: ignore[import-untyped] # it comes without types

from parties.processes import RoomProcesses
from tests.live_room import prepared, room_file
from tests.simulation.stepped_room import small_parties


def listening(pid: int, kind: str) -> list[str]:
    """What a process and its children listen on."""
    processes = (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    connections = [connection for process in processes for connection in process.net_connections(kind)]
    return [
        str(connection.laddr)
        for connection in connections
        if connection.status == psutil.CONN_LISTEN or (kind == "udp" and not connection.raddr)
    ]


def test_no_node_has_an_open_port(tmp_path: Path) -> None:
    """Real processes: the coordinator has one TCP port, the nodes have none, of TCP or UDP, on any address."""
    state = prepared(tmp_path / "state", room_file(tmp_path / "room", small_parties()))
    with RoomProcesses(state) as room:
        pids = {name: process.pid for name, process in room.processes.items()}
        assert set(pids) == {"coordinator", "shop", "brand"}
        assert len(listening(pids["coordinator"], "tcp")) == 1
        for name in ("shop", "brand"):
            assert listening(pids[name], "tcp") == []
            assert listening(pids[name], "udp") == []
            sockets = [one.laddr for one in psutil.Process(pids[name]).net_connections("unix") if one.laddr]
            assert all(str(address).endswith("node.sock") for address in sockets)
