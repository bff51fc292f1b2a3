"""A room whose every answer needs an auditor's cosignature as well, and the auditor's cosigner, moved by hand.

with audited_room(tmp_path, "shop", "brand") as (room, eye):
    eye.absent = True          # its daemon is down
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cleanroom.cosigner.cosigner import Cosigner
from cleanroom.cosigner.mirror import Mirror
from cleanroom.crypto.signatures import SigningKey
from cleanroom.ids import PartyName
from cleanroom.querylog.log_policy import log_policy
from cleanroom.question.contract import Auditor
from cleanroom.transport.client import CoordinatorClient
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import make_request, new_tls_key
from cleanroom.wire.contract_file import contract_hash
from parties.room_state import DOMAIN
from tests.live_room import room_file
from tests.simulation.stepped_room import SteppedRoom, small_parties, stepped_room

EYE = PartyName("eye")


@dataclass
class SteppedAuditor:
    """It cosigns whenever a party does, unless it is absent."""

    cosigner: Cosigner
    mirror: Mirror
    absent: bool = False

    def step(self) -> None:
        """One poll and what follows."""
        if not self.absent:
            self.cosigner.step(0)


@contextmanager
def audited_room(folder: Path, *names: str, **more: Any) -> Iterator[tuple[SteppedRoom, SteppedAuditor]]:
    """These parties and the required auditor `eye`."""
    key, tls = SigningKey.generate(), new_tls_key()
    terms = replace(
        room_file(folder / "terms", small_parties(*names)), auditors={EYE: Auditor(key.public_bytes(), required=True)}
    )
    with stepped_room(folder / "room", room=terms, **more) as room:
        request = make_request(tls, Peer("auditor", EYE), DOMAIN)
        _, _, certificate = room.coordinator.sign(request, replace=False, now=datetime.now(UTC))
        client = CoordinatorClient(
            room.contract,
            contract_hash(room.contract),
            EYE,
            key_pem=tls,
            certificate_pem=certificate,
            address=next(iter(room.parties.values())).opened.settings.coordinator_address,
        )
        (folder / "eye").mkdir(mode=0o700)
        mirror = Mirror(folder / "eye" / "log.sqlite", log_policy(room.contract), name=EYE, begun=False)
        clock = next(iter(room.parties.values())).opened.desk.clock
        auditor = SteppedAuditor(
            Cosigner(mirror, client, name=EYE, key=key, clock=clock, check=lambda *_: None, changed=lambda: None),
            mirror,
        )

        def publish() -> None:
            room.server.heads.publish_if_due()
            auditor.step()

        for party in room.parties.values():
            party.publish = publish
        try:
            yield room, auditor
        finally:
            client.close()
            mirror.close()
