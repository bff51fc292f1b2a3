"""A node's folder: where its keys, card, certificate, contract and state live, and nothing about what they mean.

keys/        identity, sealing, cosigning, state sealing: one file each, 0600
tls/         the TLS key, the request carried to the coordinator, the certificate carried back
trusted/     cards of other companies, placed here by `cleanroom party card trust` after the fingerprint agreed
card.json    this company's own card                agreement.json  the contract with everybody's signature
resumption.json  a resumption that this company signed last
log/         our copy of each room's query log, and in evidence/ what convicts a log that showed two histories
settings.toml  private: sources, analysts, address  node.db, node.sock, node.log   state, analysts' door, log
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleanroom.crypto.key_files import private_folder, read_secret, write_secret
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SECRET_LENGTH, SealingKey
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import canonical_bytes, parse_canonical


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """The secret halves that a node needs while it runs; redacted wherever they are shown."""

    identity: SigningKey
    sealing: SealingKey
    cosigning: SigningKey
    state: bytes

    def __repr__(self) -> str:
        return "PartyKeys(redacted)"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one folder."""

    path: Path

    @property
    def card_file(self) -> Path:
        return self.path / "card.json"

    @property
    def coordinator_file(self) -> Path:
        return self.path / "trusted" / "coordinator.json"

    @property
    def agreement_file(self) -> Path:
        return self.path / "agreement.json"

    @property
    def resumption_file(self) -> Path:
        return self.path / "resumption.json"

    @property
    def settings_file(self) -> Path:
        return self.path / "settings.toml"

    @property
    def database_file(self) -> Path:
        return self.path / "node.db"

    @property
    def socket_file(self) -> Path:
        return self.path / "node.sock"

    @property
    def log_file(self) -> Path:
        return self.path / "node.log"

    @property
    def mirror_folder(self) -> Path:
        return self.path / "log"

    @property
    def tls_folder(self) -> Path:
        return self.path / "tls"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One serving process for a folder; raises StateError when there is one already."""
        with self.if_unlocked() as free:
            if not free:
                raise StateError(f"a node is serving from {self.path} already")
            yield

    @contextmanager
    def if_unlocked(self) -> Iterator[bool]:
        """Whether no process serves from this folder; if so, none can begin to before the block ends."""
        private_folder(self.path)
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                free = False
            else:
                free = True
            yield free

    def create(self, name: PartyName) -> PartyCard:
        """Make all keys and the card; raises UsageError when the folder holds a party already."""
        if self.card_file.exists():
            raise UsageError(f"{self.path} already holds a party; choose another folder")
        private_folder(self.path)
        keys = private_folder(self.path / "keys")
        identity, sealing, cosigning = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
        write_secret(keys / "identity.key", identity.seed())
        write_secret(keys / "sealing.key", sealing.secret())
        write_secret(keys / "cosigning.key", cosigning.seed())
        write_secret(keys / "state.key", os.urandom(32))
        private_folder(self.path / "trusted")
        card = PartyCard(name, identity.public_bytes(), sealing.public_bytes(), cosigning.public_bytes())
        self.card_file.write_bytes(card.signed(identity))
        return card

    def keys(self) -> PartyKeys:
        """Read the key files; raises StateError when one is missing or readable by others."""
        folder = private_folder(self.path / "keys")
        return PartyKeys(
            identity=SigningKey(read_secret(folder / "identity.key", 32)),
            sealing=SealingKey(read_secret(folder / "sealing.key", SECRET_LENGTH)),
            cosigning=SigningKey(read_secret(folder / "cosigning.key", 32)),
            state=read_secret(folder / "state.key", 32),
        )

    def card(self) -> PartyCard:
        """This company's own card; raises UsageError when there is none."""
        if not self.card_file.exists():
            raise UsageError(f"{self.path} holds no party yet: cleanroom party init NAME --home {self.path}")
        return PartyCard.from_file(self.card_file.read_bytes())

    def trust(self, card: PartyCard | CoordinatorCard, fingerprint: str) -> str:
        """Keep a card whose fingerprint the operator confirmed; returns its name; raises UsageError.

        Another card under a name that is trusted already is refused: replacing a partner's keys needs a new contract.
        """
        if isinstance(card, CoordinatorCard):
            name, file = "coordinator", self.coordinator_file
        else:
            name, file = str(card.name), self.path / "trusted" / f"party-{card.name}.json"
        if card.fingerprint() != fingerprint.strip().lower():
            raise UsageError(f"the card of {name} has another fingerprint; do not trust it, ask its owner again")
        data = canonical_bytes(card.body())
        if file.exists() and file.read_bytes() != data:
            raise UsageError(f"another card of {name} is trusted already: {file}")
        private_folder(file.parent)
        file.write_bytes(data)
        return name

    def check_trust(self, contract: Contract) -> None:
        """The contract names this party with this card, and nobody whose card was not trusted here by hand.

        Raises UsageError when this party is not in it, StateError that says whose card to confirm.
        """
        if (name := self.card().name) not in contract.cards:
            raise UsageError(f"the contract of room {contract.room} does not name {name}")
        trusted = self.trusted_cards()
        for party, card in contract.cards.items():
            if trusted.get(party) != card:
                raise StateError(
                    f"the contract holds a card of {party} that this node does not trust: confirm its fingerprint"
                    f" {card.fingerprint()} with {party}, then: cleanroom party card trust FILE FINGERPRINT"
                )
        if self.coordinator() != contract.coordinator:
            raise StateError("the contract names another coordinator than the one this node trusts")

    def trusted_cards(self) -> dict[PartyName, PartyCard]:
        """Own card and every trusted one, by name."""
        cards = {(own := self.card()).name: own}
        for file in sorted((self.path / "trusted").glob("party-*.json")):
            card = PartyCard.from_body(parse_canonical(file.read_bytes()))
            cards[card.name] = card
        return cards

    def coordinator(self) -> CoordinatorCard:
        """The coordinator's trusted card; raises UsageError when there is none."""
        if not self.coordinator_file.exists():
            raise UsageError("no coordinator is trusted yet: cleanroom party card trust FILE FINGERPRINT")
        return CoordinatorCard.from_body(parse_canonical(self.coordinator_file.read_bytes()))
