"""Cards: the public keys of a company, or of the coordinator, carried between companies by hand.

A card is signed with its own identity key, so it cannot be altered in part; that the *right* card arrived is what
the fingerprint is for, read out on another channel. The coordinator never hands out cards of parties: it could then
stand in for one of them.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from cleanroom.crypto.sealing import PUBLIC_LENGTH, sealing_public_key
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError
from cleanroom.ids import PartyName, party_name
from cleanroom.querylog.dsse import open_statement, peek_statement, sign_statement, strict_base64
from cleanroom.wire.canonical import canonical_bytes, labelled_hash

_PORT = re.compile(r"[0-9]{1,5}")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _key(body: dict[str, Any], name: str, length: int) -> bytes:
    data = strict_base64(body.get(name))
    if len(data) != length:
        raise PeerError(f"a card's {name} key has the wrong length")
    return data


def fingerprint(body: dict[str, Any]) -> str:
    """160 bits of a labelled hash, in groups of four hex digits, for reading aloud."""
    digits = labelled_hash("cleanroom/v1/card-fingerprint", canonical_bytes(body))[:20].hex()
    return "-".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def auditor_fingerprint(name: PartyName, key: bytes) -> str:
    """What an auditor reads out to every party before it signs: the name and the cosigning key in the room file."""
    public = base64.b64encode(key).decode("ascii")
    return fingerprint({"cosigning": public, "kind": "auditor-card", "name": name, "v": 1})


@dataclass(frozen=True, slots=True)
class PartyCard:
    """A company's name, identity key (32 bytes), sealing key (1,216) and cosigning key (32)."""

    name: PartyName
    identity: bytes
    sealing: bytes
    cosigning: bytes

    def __post_init__(self) -> None:
        party_name(self.name)
        sealing_public_key(self.sealing)

    def body(self) -> dict[str, Any]:
        """The JSON value that is signed and that stands in the contract."""
        return {
            "cosigning": _text(self.cosigning),
            "identity": _text(self.identity),
            "kind": "party-card",
            "name": self.name,
            "sealing": _text(self.sealing),
            "v": 1,
        }

    def signed(self, identity: SigningKey) -> bytes:
        """The card file."""
        return sign_statement("party-card", self.body(), identity)

    def fingerprint(self) -> str:
        """What two operators compare on the telephone."""
        return fingerprint(self.body())

    @staticmethod
    def from_body(body: object) -> "PartyCard":
        """Raises PeerError or UsageError."""
        if not isinstance(body, dict) or body.get("kind") != "party-card" or body.get("v") != 1:
            raise PeerError("this is not a party's card")
        card = PartyCard(
            name=party_name(body.get("name")),
            identity=_key(body, "identity", 32),
            sealing=_key(body, "sealing", PUBLIC_LENGTH),
            cosigning=_key(body, "cosigning", 32),
        )
        if card.body() != body:
            raise PeerError("a card has unknown fields")
        return card

    @staticmethod
    def from_file(data: bytes) -> "PartyCard":
        """A card file whose self-signature verifies; raises PeerError or AuthenticationError."""
        card = PartyCard.from_body(peek_statement(data))
        open_statement("party-card", data, card.identity)
        return card


@dataclass(frozen=True, slots=True)
class CoordinatorCard:
    """The coordinator's address (host:port), trust domain, TLS authority (DER certificate), identity and log key.

    The identity key (32 bytes) signs the card and what the coordinator itself states, the log key (32) the log's heads.
    """

    domain: str
    address: str
    authority: bytes
    identity: bytes
    log_key: bytes

    def __post_init__(self) -> None:
        host, _, port = self.address.rpartition(":")
        if not host or _PORT.fullmatch(port) is None or not 0 < int(port) < 65536:
            raise PeerError("a coordinator's address is host:port")
        try:
            x509.load_der_x509_certificate(self.authority)
        except (ValueError, x509.InvalidVersion) as error:
            raise PeerError("a coordinator's authority is not a certificate") from error

    def body(self) -> dict[str, Any]:
        """The JSON value that is signed and that stands in the contract."""
        return {
            "address": self.address,
            "authority": _text(self.authority),
            "domain": self.domain,
            "identity": _text(self.identity),
            "kind": "coordinator-card",
            "log_key": _text(self.log_key),
            "v": 1,
        }

    def signed(self, identity: SigningKey) -> bytes:
        """The card file."""
        return sign_statement("coordinator-card", self.body(), identity)

    def fingerprint(self) -> str:
        """What two operators compare on the telephone."""
        return fingerprint(self.body())

    @staticmethod
    def from_body(body: object) -> "CoordinatorCard":
        """Raises PeerError."""
        if not isinstance(body, dict) or body.get("kind") != "coordinator-card" or body.get("v") != 1:
            raise PeerError("this is not a coordinator's card")
        domain, address = body.get("domain"), body.get("address")
        if not isinstance(domain, str) or not isinstance(address, str):
            raise PeerError("a coordinator's card lacks its domain or address")
        card = CoordinatorCard(
            domain=party_domain(domain),
            address=address,
            authority=strict_base64(body.get("authority")),
            identity=_key(body, "identity", 32),
            log_key=_key(body, "log_key", 32),
        )
        if card.body() != body:
            raise PeerError("a card has unknown fields")
        return card

    @staticmethod
    def from_file(data: bytes) -> "CoordinatorCard":
        """A card file whose self-signature verifies; raises PeerError or AuthenticationError."""
        card = CoordinatorCard.from_body(peek_statement(data))
        open_statement("coordinator-card", data, card.identity)
        return card


def party_domain(text: str) -> str:
    """A trust domain: dot-separated plain names; raises PeerError."""
    labels = text.split(".")
    if len(text) > 253 or not all(
        label and all(c.isascii() and (c.isalnum() or c == "-") for c in label) for label in labels
    ):
        raise PeerError("a trust domain is dot-separated letters, digits and hyphens")
    return text
