"""One room's coordinator, put together: database, log, relay, matching, and the server before them.

What makes going on wrong (another process writes the same log, the stored log does not add up) ends it: the first such
error is kept in `failure`, and whoever runs the server is told by `failed`.
"""

from collections.abc import Callable, Container
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from cleanroom.coordinator.bell import Bell
from cleanroom.coordinator.exporter import Exporter
from cleanroom.coordinator.former_store import former_log
from cleanroom.coordinator.heads import Heads
from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.coordinator.log_keys import LogKeys
from cleanroom.coordinator.matching import Matching
from cleanroom.coordinator.new_log_key import take_new_key
from cleanroom.coordinator.placement import Place
from cleanroom.coordinator.relay import Relay
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.coordinator.servicers import MatchingServicer, QueryLogServicer, RelayServicer
from cleanroom.coordinator.start_check import checked_tree
from cleanroom.coordinator.store import Store
from cleanroom.errors import StateError, UnavailableError
from cleanroom.querylog.former_logs import former_entries
from cleanroom.querylog.log_policy import log_policy
from cleanroom.question.contract import Contract
from cleanroom.rpc.v1 import room_pb2_grpc
from cleanroom.transport.counters import Counters
from cleanroom.transport.event_log import EventLog
from cleanroom.transport.interceptor import Gate
from cleanroom.transport.server import make_server, server_credentials
from cleanroom.wire.contract_file import contract_hash

GRACE_S = 5.0


class DenyList:
    """The home's deny list, read again when its file has changed."""

    def __init__(self, home: CoordinatorHome) -> None:
        self._home = home
        self._path: Path = home.folder / "denied"
        self._seen: tuple[int, int] | None = None
        self._serials: Container[int] = frozenset()

    def __call__(self) -> Container[int]:
        """Serial numbers that are refused."""
        if self._path.exists():
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._seen:
                self._serials, self._seen = self._home.denied(), stamp
        return self._serials


class RoomServer:
    """A running coordinator of one contract. `start` returns when it is healthy; `stop` when it is over."""

    def __init__(
        self,
        home: CoordinatorHome,
        contract: Contract,
        *,
        place: Place,
        now: Callable[[], datetime],
        log: EventLog,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        home.check_card(contract.coordinator)
        digest = contract_hash(contract)
        self._home = home
        self._log = log
        self.counters = Counters()
        self._bell = Bell()
        self._failed = failed
        self.failure: StateError | None = None
        self._store = Store(home.database(contract.room, contract.log_number), contract.room, digest)
        policy, folder = log_policy(contract), LogFolder(home.log_folder(contract.room, contract.log_number))
        keys = LogKeys.of(home, contract, self._store)
        tree = checked_tree(self._store, folder, replace(policy, log_keys=keys.known))
        if take_new_key(
            self._store, tree, contract, keys.key, home.identity(), goes=keys.goes, at=f"{now():%Y-%m-%dT%H:%M:%SZ}"
        ):
            log.event("key.rotated", index=tree.size - 1)
        self.heads = Heads(
            self._store, tree, policy, keys.key, log=log, fail=self._fail, changed=self._export, overlap=keys.overlap
        )
        self.exporter = Exporter(folder, self.heads, self._store, log)
        former = former_entries(contract, lambda number, size: former_log(home.database(contract.room, number), size))
        sequencer = Sequencer(self._store, contract, digest, changed=self.heads.grew, fail=self._fail, former=former)
        self._matching = Matching(
            self._store,
            self._bell,
            sequencer,
            contract=contract,
            contract_hash=digest,
            identity=home.identity(),
            place=place,
            now=now,
            log=log,
        )
        gate = Gate(contract, digest, now, log, counters=self.counters, denied=DenyList(home))
        self._server = make_server(gate)
        self._health = health.HealthServicer()
        self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        relay = Relay(self._store, self._bell, contract, digest)
        room_pb2_grpc.add_RelayServicer_to_server(RelayServicer(relay), self._server)
        room_pb2_grpc.add_MatchingServicer_to_server(MatchingServicer(self._matching), self._server)
        room_pb2_grpc.add_QueryLogServicer_to_server(QueryLogServicer(sequencer, self.heads), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def start(self, listen: str) -> int:
        """Listen on host:port (port 0 takes a free one) and serve; the port. Raises UnavailableError when taken."""
        credentials = server_credentials(self._home.tls_pair, self._home.authority_pem(), self.counters)
        try:
            port = self._server.add_secure_port(listen, credentials)
        except RuntimeError as error:
            raise UnavailableError(f"cannot listen on {listen}: it is in use or not an address of this host") from error
        self.heads.start()
        self.exporter.start()
        self._matching.start()
        self._server.start()
        self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return int(port)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """NOT_SERVING first, waiting polls answered, running calls finished within the grace, then the database."""
        self._health.enter_graceful_shutdown()
        over = self._server.stop(grace_s)
        self._bell.stop()
        self.heads.end_polls()
        over.wait()
        self._matching.stop()
        self.heads.stop()
        self.exporter.stop()
        self._store.close()

    def _export(self) -> None:
        self.exporter.ring()

    def _fail(self, error: StateError) -> None:
        if self.failure is None:
            self.failure = error
            self._failed()
