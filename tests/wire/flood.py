"""A process that opens a thousand calls of one party at once and holds those that are not refused."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from cleanroom.rpc.v1 import room_pb2
from cleanroom.transport.names import coordinator_host
from cleanroom.transport.quotas import ORDINARY_CALLS
from tests.rooms import DOMAIN, ROOT, Room
from tests.wire.raw import POLL, SEND, caller

CALLS = 1_000
STALLED = 10


@contextmanager
def flood(room: Room, address: str, party: str, folder: Path) -> Iterator[None]:
    """Run the flood of a party; the block runs while the calls beyond the party's cap are refused already."""
    poll = room_pb2.PollRequest(caller=caller(room, party), wait_ms=20_000).SerializeToString()
    (folder / "poll").write_bytes(poll)
    (folder / "authority.pem").write_bytes(room.home.authority_pem())
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.wire.flood", address, str(folder), str(room.member(party).folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "GRPC_VERBOSITY": "NONE"},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"flooding\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(address: str, folder: Path, party: Path) -> None:
    """Open a thousand calls; when every one beyond the party's cap has been refused, hold the others."""
    credentials = grpc.ssl_channel_credentials(
        (folder / "authority.pem").read_bytes(), (party / "tls.key").read_bytes(), (party / "tls.pem").read_bytes()
    )
    options = [("grpc.ssl_target_name_override", coordinator_host(DOMAIN))]
    channel = grpc.secure_channel(address, credentials, options=options)
    never = threading.Event()

    def no_message() -> Iterator[bytes]:
        never.wait()
        yield b""

    calls = [channel.stream_unary(SEND).future(no_message(), timeout=60) for _ in range(STALLED)]
    poll = (folder / "poll").read_bytes()
    calls += [channel.unary_unary(POLL).future(poll, timeout=60) for _ in range(CALLS - STALLED)]
    refused = threading.Semaphore(0)
    for call in calls:
        call.add_done_callback(lambda _: refused.release())
    for _ in range(CALLS - ORDINARY_CALLS - 1):
        refused.acquire()
    print("flooding", flush=True)
    never.wait()


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
