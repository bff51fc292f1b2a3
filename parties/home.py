"""A node's folder: where its keys, card, certificate, contract and state live, and nothing about what they mean.

keys/        identity, sealing, cosigning, state sealing: one file each, 0600; cosigning.2.key and so on are newer ones
tls/         the TLS key, the request carried to the coordinator, the certificate carried back
trusted/     cards of other companies, placed here by `cleanroom party card trust` after the fingerprint agreed; in
             former/ what was trusted before, for the agreement in force alone
card.json    this company's own card, card.2.json the next one; the newest is proposed, the agreement says which is used
agreement.json  the contract with everybody's signature
resumption.json  a resumption that this company signed last
log/         our copy of each room's query log, and in evidence/ what convicts a log that showed two histories
settings.toml  private: sources, analysts, address  node.db, node.sock, node.log   state, analysts' door, log
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cleanroom.crypto.key_files import private_folder, read_secret, write_secret
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SECRET_LENGTH, SealingKey
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName
from cleanroom.only_process import only_process
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from parties.numbered_files import newest, next_file, numbered, of_public, secrets


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """The secret halves that a node needs while it runs; redacted wherever they are shown."""

    identity: SigningKey
    sealing: SealingKey
    cosigning: SigningKey
    state: bytes
    identities: tuple[bytes, ...] = ()
    """Public identity keys of all our cards: what was signed with an earlier one is ours as well."""

    def __repr__(self) -> str:
        return "PartyKeys(redacted)"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one folder."""

    path: Path

    @property
    def card_file(self) -> Path:
        return newest(self.path, "card", "json")

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

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One serving process for a folder; raises StateError when there is one already."""
        private_folder(self.path)
        with only_process(self.lock_file) as holder:
            if holder:
                raise StateError(f"a node or a command works in {self.path} already: {holder}")
            yield

    @contextmanager
    def if_unlocked(self) -> Iterator[bool]:
        """Whether no process serves from this folder; if so, none can begin to before the block ends."""
        private_folder(self.path)
        with only_process(self.lock_file) as holder:
            yield not holder

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

    def rotate_keys(self, *, everything: bool) -> PartyCard:
        """A new cosigning key, or all keys of the card, and a card that names them, for the next agreement.

        What is in force goes on with the keys of its card. The key of the own state stays.
        """
        folder, card = private_folder(self.path / "keys"), self.card()
        identity, cosigning = self.keys().identity, SigningKey.generate()
        write_secret(next_file(folder, "cosigning", "key"), cosigning.seed())
        card = replace(card, cosigning=cosigning.public_bytes())
        if everything:
            identity, sealing = SigningKey.generate(), SealingKey.generate()
            write_secret(next_file(folder, "identity", "key"), identity.seed())
            write_secret(next_file(folder, "sealing", "key"), sealing.secret())
            card = replace(card, identity=identity.public_bytes(), sealing=sealing.public_bytes())
        next_file(self.path, "card", "json").write_bytes(card.signed(identity))
        return card

    def keys(self, card: PartyCard | None = None) -> PartyKeys:
        """Read the key files: those of our newest card, or of our card in an agreement.

        Raises StateError when one is missing or readable by others.
        """
        folder, cards = private_folder(self.path / "keys"), self._own_cards()
        wanted = card or (cards[-1] if cards else None)
        identity = [SigningKey(secret) for secret in secrets(folder, "identity", 32)]
        sealing = [SealingKey(secret) for secret in secrets(folder, "sealing", SECRET_LENGTH)]
        cosigning = [SigningKey(secret) for secret in secrets(folder, "cosigning", 32)]
        return PartyKeys(
            identity=of_public(identity, None if wanted is None else wanted.identity),
            sealing=of_public(sealing, None if wanted is None else wanted.sealing),
            cosigning=of_public(cosigning, None if wanted is None else wanted.cosigning),
            state=read_secret(folder / "state.key", 32),
            identities=tuple(dict.fromkeys(card.identity for card in cards)),
        )

    def card(self) -> PartyCard:
        """This company's own card; raises UsageError when there is none."""
        if not self.card_file.exists():
            raise UsageError(f"{self.path} holds no party yet: cleanroom party init NAME --home {self.path}")
        return PartyCard.from_file(self.card_file.read_bytes())

    def trust(self, card: PartyCard | CoordinatorCard, fingerprint: str, *, is_new: bool = False) -> str:
        """Keep a card whose fingerprint the operator confirmed; returns its name; raises UsageError.

        Another card under a name that is trusted already is refused unless it `is_new`: then it is what is proposed and
        signed from now on, and the one before serves for the agreement in force.
        """
        if isinstance(card, CoordinatorCard):
            name, file = "coordinator", self.coordinator_file
        else:
            name, file = str(card.name), self.path / "trusted" / f"party-{card.name}.json"
        if card.fingerprint() != fingerprint.strip().lower():
            raise UsageError(f"the card of {name} has another fingerprint; do not trust it, ask its owner again")
        data = canonical_bytes(card.body())
        private_folder(file.parent)
        if file.exists() and file.read_bytes() != data:
            if not is_new:
                raise UsageError(
                    f"another card of {name} is trusted already: {file}; if {name} has new keys and has read the"
                    " fingerprint out to you, add --replace"
                )
            former = private_folder(file.parent / "former") / file.name
            former.write_bytes(file.read_bytes())
        file.write_bytes(data)
        return name

    def check_trust(self, contract: Contract, *, in_force: bool = False) -> None:
        """The contract names this party with this card, and nobody whose card was not trusted here by hand.

        What is `in_force` may have the cards that were trusted before the present ones. Raises UsageError when this
        party is not in it, StateError that says whose card to confirm.
        """
        if (name := self.card().name) not in contract.cards:
            raise UsageError(f"the contract of room {contract.room} does not name {name}")
        trusted, former = self.trusted_cards(), self._former_cards() if in_force else []
        for party, card in contract.cards.items():
            if trusted.get(party) != card and card not in former:
                raise StateError(
                    f"the contract holds a card of {party} that this node does not trust: confirm its fingerprint"
                    f" {card.fingerprint()} with {party}, then: cleanroom party card trust FILE FINGERPRINT"
                )
        if self.coordinator() != contract.coordinator and contract.coordinator not in former:
            raise StateError("the contract names another coordinator than the one this node trusts")

    def trusted_cards(self) -> dict[PartyName, PartyCard]:
        """Own card and every trusted one, by name."""
        cards = {(own := self.card()).name: own}
        for file in sorted((self.path / "trusted").glob("party-*.json")):
            card = PartyCard.from_body(parse_canonical(file.read_bytes()))
            cards[card.name] = card
        return cards

    def _own_cards(self) -> list[PartyCard]:
        return [PartyCard.from_file(file.read_bytes()) for file in numbered(self.path, "card", "json")]

    def _former_cards(self) -> list[PartyCard | CoordinatorCard]:
        """Own cards before the newest, and those of others that were trusted before."""
        cards: list[PartyCard | CoordinatorCard] = [*self._own_cards()]
        for file in sorted((self.path / "trusted" / "former").glob("*.json")):
            body = parse_canonical(file.read_bytes())
            cards.append((CoordinatorCard if file.stem == "coordinator" else PartyCard).from_body(body))
        return cards

    def coordinator(self) -> CoordinatorCard:
        """The coordinator's trusted card; raises UsageError when there is none."""
        if not self.coordinator_file.exists():
            raise UsageError("no coordinator is trusted yet: cleanroom party card trust FILE FINGERPRINT")
        return CoordinatorCard.from_body(parse_canonical(self.coordinator_file.read_bytes()))
