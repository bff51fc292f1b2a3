"""Throw-away rooms for tests: a coordinator's home, parties with keys, cards and certificates, and a valid contract.

room = build_room(tmp_path, ["shop", "brand"])
with running(room) as server:                       # in this process, on a free port of the loopback
    client = room.client("shop", server.address)
with coordinator_process(room) as address: ...      # the real command line in a process of its own
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.placement import Place
from cleanroom.coordinator.room_server import RoomServer
from cleanroom.crypto.key_files import read_secret, write_secret
from cleanroom.crypto.placement import place as kernel_place
from cleanroom.crypto.sealing import SUITE_NAME
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SealingKey
from cleanroom.ids import ColumnName, PartyName, RoomName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.question.agreement import Agreement
from cleanroom.question.card import PartyCard
from cleanroom.question.columns import Dimension, Measure, Reduction
from cleanroom.question.contract import QUORUM, Auditor, Contract
from cleanroom.question.dataset import Dataset, Overlap
from cleanroom.transport.client import CoordinatorClient
from cleanroom.transport.enrolment import CERTIFICATE_FILE, KEY_FILE, accept_certificate, request_certificate
from cleanroom.transport.event_log import EventLog
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import make_request, new_tls_key
from cleanroom.transport.retry import Patience
from cleanroom.wire.contract_file import contract_hash
from cleanroom.wire.messages import Envelope, sign_envelope

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "room.test"
ROOM = RoomName("spring")
AT = "2026-01-02T03:04:05Z"


@dataclass(frozen=True)
class Member:
    """A party with its secrets: identity, sealing and cosigning keys, TLS files in `folder`."""

    name: PartyName
    folder: Path
    identity: SigningKey
    sealing: SealingKey
    cosigning: SigningKey
    card: PartyCard

    def tls_pair(self) -> tuple[bytes, bytes]:
        """Key and certificate, PEM."""
        return read_secret(self.folder / KEY_FILE), (self.folder / CERTIFICATE_FILE).read_bytes()


@dataclass(frozen=True)
class AuditorsPlace:
    """An auditor with its secrets: cosigning key, TLS files in `folder`."""

    name: PartyName
    folder: Path
    cosigning: SigningKey

    def tls_pair(self) -> tuple[bytes, bytes]:
        """Key and certificate, PEM."""
        return read_secret(self.folder / KEY_FILE), (self.folder / CERTIFICATE_FILE).read_bytes()


@dataclass(frozen=True)
class Room:
    """Everything a test needs to talk in a room."""

    home: CoordinatorHome
    contract: Contract
    agreement_file: Path
    members: Mapping[PartyName, Member]
    logged: io.StringIO = field(default_factory=io.StringIO)
    auditors: Mapping[PartyName, AuditorsPlace] = field(default_factory=dict)

    @property
    def hash(self) -> bytes:
        """The contract's hash."""
        return contract_hash(self.contract)

    def member(self, name: str) -> Member:
        """A party by name."""
        return self.members[PartyName(name)]

    def cosigner(self, name: str) -> Member | AuditorsPlace:
        """A party or an auditor by name."""
        return self.auditors[PartyName(name)] if name in self.auditors else self.member(name)

    def client(self, name: str, address: str, **more: Any) -> CoordinatorClient:
        """A party's or an auditor's client with little patience."""
        key, certificate = self.cosigner(name).tls_pair()
        more.setdefault("patience", Patience(total_s=10.0))
        return CoordinatorClient(
            self.contract,
            self.hash,
            PartyName(name),
            key_pem=key,
            certificate_pem=certificate,
            address=address,
            **more,
        )

    def statement(self, actor: str, kind: str, subject: str, /, **more: Any) -> bytes:
        """A statement signed by `actor`; `more` adds fields to its body or overrides them."""
        body = {
            "actor": actor,
            "at": AT,
            "contract": self.hash.hex(),
            "kind": kind,
            "room": self.contract.room,
            "subject": subject,
            "v": 1,
            **more,
        }
        return sign_statement(kind, body, self.member(actor).identity)

    def match_opened(self, match_id: bytes, initiator: str, responder: str) -> bytes:
        """The initiator's `match.opened`."""
        return self.statement(initiator, "match.opened", match_id.hex(), initiator=initiator, responder=responder)

    def envelope(self, sender: str, recipient: str, sealed: bytes, /, **more: Any) -> Envelope:
        """A signed envelope around any bytes."""
        return sign_envelope(
            self.member(sender).identity,
            room=self.contract.room,
            **{
                "contract_hash": self.hash,
                "envelope_id": os.urandom(32),
                "sender": PartyName(sender),
                "recipient": PartyName(recipient),
                "kind": "match.points",
                "subject_id": bytes(32),
                "index": 0,
                "count": 1,
                "sealed": sealed,
                **more,
            },
        )


def make_member(folder: Path, name: str, home: CoordinatorHome) -> Member:
    """New keys for a party and a certificate signed by the coordinator."""
    party, identity, sealing = PartyName(name), SigningKey.generate(), SealingKey.generate()
    cosigning = SigningKey.generate()
    card = PartyCard(party, identity.public_bytes(), sealing.public_bytes(), cosigning.public_bytes())
    write_secret(folder / "identity.key", identity.seed())
    write_secret(folder / "sealing.key", sealing.secret())
    (folder / "card.json").write_bytes(card.signed(identity))
    request = request_certificate(folder, party, DOMAIN)
    now = datetime.now(UTC)
    _, _, certificate = home.sign(request, replace=False, now=now)
    accept_certificate(folder, party, certificate, home.card(), now=now)
    return Member(party, folder, identity, sealing, cosigning, card)


def make_auditor(folder: Path, name: str, home: CoordinatorHome) -> AuditorsPlace:
    """A cosigning key for an auditor and a certificate signed by the coordinator."""
    write_secret(folder / KEY_FILE, new_tls_key())
    request = make_request(read_secret(folder / KEY_FILE), Peer("auditor", name), DOMAIN)
    _, _, certificate = home.sign(request, replace=False, now=datetime.now(UTC))
    (folder / CERTIFICATE_FILE).write_bytes(certificate)
    return AuditorsPlace(PartyName(name), folder, SigningKey.generate())


def make_dataset(owner: PartyName, others: Sequence[PartyName], capacity: int) -> Dataset:
    """A dataset with one dimension and one measure."""
    tier = Dimension(ColumnName("tier"), Reduction("most_frequent", source="tier"), ("gold", "silver"))
    orders = Measure(ColumnName("orders"), Reduction("count"), "orders", 0, Decimal(0), Decimal(100), Decimal(1))
    cap = 1 << 40
    return Dataset(
        owner=owner,
        lineage=f"{owner} customers",
        key=("email",),
        capacity=capacity,
        columns=(tier, orders),
        overlap=Overlap(Fraction(2), Fraction(1, 10**9), 6),
        cap_units=cap,
        consumer_caps={other: cap // max(1, len(others)) for other in others},
    )


def build_room(
    folder: Path,
    names: Sequence[str] = ("shop", "brand"),
    *,
    capacities: Mapping[str, int] | None = None,
    address: str = "127.0.0.1:7443",
    auditors: Mapping[str, bool] | None = None,
) -> Room:
    """A new room in an empty folder; capacities are 200 unless given; of an auditor, whether it is required."""
    home = CoordinatorHome.create(folder / "coordinator", DOMAIN, address, now=datetime.now(UTC))
    members = {PartyName(name): make_member(folder / name, name, home) for name in names}
    datasets = {
        name: make_dataset(name, [other for other in members if other != name], (capacities or {}).get(name, 200))
        for name in members
    }
    inspectors = {PartyName(name): make_auditor(folder / name, name, home) for name in auditors or {}}
    contract = Contract(
        room=ROOM,
        purpose="to test a room",
        profile="email-plain-v1",
        region="",
        suite=SUITE_NAME,
        quorum=QUORUM,
        setups_per_match=3,
        coordinator=home.card(),
        cards={name: member.card for name, member in members.items()},
        datasets=datasets,
        auditors={
            PartyName(name): Auditor(inspectors[PartyName(name)].cosigning.public_bytes(), required=required)
            for name, required in (auditors or {}).items()
        },
    )
    path = folder / "agreement.json"
    path.write_bytes(agreement_of(contract, members).file_bytes())
    return Room(home, contract, path, members, auditors=inspectors)


def agreement_of(contract: Contract, members: Mapping[PartyName, Member]) -> Agreement:
    """The contract with the signatures of these members."""
    agreement = Agreement(contract, {})
    for name, member in members.items():
        agreement = agreement.signed(name, member.identity, at=AT)
    return agreement


@dataclass(frozen=True)
class Running:
    """A coordinator in this process."""

    server: RoomServer
    address: str


@contextmanager
def running(room: Room, place: Place = kernel_place) -> Iterator[Running]:
    """Serve the room in this process on a free loopback port; its log goes to `room.logged`."""
    server = RoomServer(
        room.home,
        room.contract,
        place=place,
        now=lambda: datetime.now(UTC),
        log=EventLog(room.logged),
    )
    port = server.start("127.0.0.1:0")
    try:
        yield Running(server, f"127.0.0.1:{port}")
    finally:
        server.stop(grace_s=1.0)


@contextmanager
def coordinator_process(room: Room, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the room by the real command line; yields address and process once it said `ready`."""
    port_file = room.home.folder / "port"
    port_file.unlink(missing_ok=True)
    with (room.home.folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cleanroom.coordinator",
                "serve",
                *("--home", str(room.home.folder), "--contract", str(room.agreement_file)),
                *("--listen", "127.0.0.1:0", "--port-file", str(port_file)),
                *more,
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise AssertionError((room.home.folder / "serve.log").read_text())
        yield f"127.0.0.1:{int(port_file.read_text())}", process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(15)
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
