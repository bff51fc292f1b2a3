"""A whole room on one machine: the same folders, keys, cards and contract that companies would make by hand.

Nothing is faked: cards are trusted by their fingerprints, requests signed by the coordinator's own program, the
contract made from the room file and signed with each party's own key. State stays beside the room file and is never
reset: budgets are spent for good.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cleanroom.crypto.key_files import private_folder
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.only_process import only_process
from cleanroom.question.agreement import Agreement, parse_agreement
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.contract import Contract
from cleanroom.transport.enrolment import accept_certificate, request_certificate, request_renewal
from cleanroom.whole_file import replace_file
from parties.agreeing import check_before_signing, put_in_force, sign
from parties.home import Home
from parties.room_file import RoomFile
from parties.settings import DEFAULT_TIMEOUT_S, ROLES, Analyst, NodeSettings, write_settings

DOMAIN = "room.local"
COORDINATOR = (sys.executable, "-m", "cleanroom.coordinator")


class RoomState:
    """The folders of one room below one state folder."""

    def __init__(self, folder: Path, room: RoomFile) -> None:
        self.folder = folder
        self.room = room

    @property
    def coordinator_home(self) -> Path:
        """The coordinator's folder."""
        return self.folder / "coordinator"

    @property
    def agreement_file(self) -> Path:
        """The agreement as the coordinator serves it."""
        return self.folder / "agreement.json"

    @property
    def server_locks(self) -> tuple[Path, ...]:
        """A file for each of the room's servers, locked while that one runs."""
        return (self.coordinator_home / "lock", *(self.home(name).lock_file for name in self.room.datasets))

    def home(self, party: PartyName) -> Home:
        """A party's folder."""
        return Home(self.folder / "parties" / party)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time works on this room."""
        private_folder(self.folder)
        with only_process(self.folder / "lock") as holder:
            if holder:
                raise StateError(f"another command is working on {self.folder}; wait for its end, or end it: {holder}")
            yield

    def prepare(self) -> None:
        """Create what is missing: coordinator, parties, certificates, trust, contract. Raises UsageError."""
        if not (self.coordinator_home / "card.json").exists():
            _run(
                *COORDINATOR, "init", "--home", str(self.coordinator_home), "--domain", DOMAIN,
                "--address", f"127.0.0.1:{_free_port()}",
            )  # fmt: skip
        coordinator = CoordinatorCard.from_file((self.coordinator_home / "card.json").read_bytes())
        cards = {name: self._party(name, coordinator) for name in self.room.datasets}
        for name in cards:
            home = self.home(name)
            home.trust(coordinator, coordinator.fingerprint())
            for card in cards.values():
                if card.name != name:
                    home.trust(card, card.fingerprint())
        agreement = self._agreement(self.room.contract(cards, coordinator))
        replace_file(self.agreement_file, agreement.file_bytes())
        for name in cards:
            put_in_force(agreement, self.home(name))

    def _agreement(self, contract: Contract) -> Agreement:
        """The room's terms, signed by every party with the key in its own home; signed anew only when they changed."""
        if self.agreement_file.exists():
            known = parse_agreement(self.agreement_file.read_bytes())
            if known.complete and known.contract == contract:
                return known
        agreement = Agreement(contract, {})
        for name in contract.cards:
            check_before_signing(agreement, self.home(name), None)
            agreement = sign(agreement, self.home(name))
        return agreement

    def _party(self, name: PartyName, coordinator: CoordinatorCard) -> PartyCard:
        home = self.home(name)
        card = home.card() if home.card_file.exists() else home.create(name)
        certificate = home.tls_folder / "tls.pem"
        if not certificate.exists():
            new = not (home.tls_folder / "tls.key").exists()
            request = (request_certificate if new else request_renewal)(home.tls_folder, name, DOMAIN)
            (home.path / "request.csr").write_bytes(request)
            signed = home.path / "certificate.pem"
            _run(
                *COORDINATOR, "sign", str(home.path / "request.csr"), "--home", str(self.coordinator_home),
                "--out", str(signed), "--replace",
            )  # fmt: skip
            accept_certificate(home.tls_folder, name, signed.read_bytes(), coordinator, now=_now())
        return card

    def write_settings(self, address: str) -> None:
        """Each node's private settings: its own table, this user in every role, where to reach the relay."""
        me = Analyst(analyst_name(f"user-{os.getuid()}"), os.getuid(), frozenset(ROLES))
        for name, source in self.room.sources.items():
            write_settings(self.home(name).settings_file, NodeSettings(source, (me,), address, DEFAULT_TIMEOUT_S))


def _now() -> datetime:
    return datetime.now(UTC)


def _free_port() -> int:
    """A port for the card; the sandbox listens where it can and tells its nodes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # our own program, no shell
    if done.returncode != 0:
        raise UsageError(
            done.stderr.strip().splitlines()[-1].removeprefix("error: ") if done.stderr.strip() else "failed"
        )
