"""The coordinator's folder: its keys, its authority, its card and the certificates it has signed.

authority.key authority.pem   the TLS authority
identity.key                  signs the card and the coordinator's own statements
log.key log.2.key ...         sign the log's heads and nothing else; the card names the newest, see `log_keys`
tls.key tls.pem               the server's own leaf        card.json the signed card that parties get by hand
issued/<role>-<name>.pem      the newest certificate signed for each name
denied                        serial numbers (hex, one a line) of certificates that are no longer accepted
lock                          held while a coordinator serves from here, with the number of its process
rooms/<room>.sqlite           one database for each room's log; <room>.2.sqlite when the room began its second log
rooms/<room>.log/             the log as files for auditors: checkpoint and tiles
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cleanroom.crypto.key_files import private_folder, read_secret, write_secret
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, StateError, UsageError
from cleanroom.only_process import only_process
from cleanroom.question.card import CoordinatorCard, party_domain
from cleanroom.transport.authority import Authority, default_validity
from cleanroom.transport.certificates import Leaf, read_leaf
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import key_fingerprint, new_tls_key, read_request, tls_key
from cleanroom.whole_file import replace_file

_MAX_FILE_BYTES = 1 << 20
_MAX_DENIED = 10_000


class CoordinatorHome:
    """Reads and writes the folder; raises StateError when it is incomplete or open to others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def create(folder: Path, domain: str, address: str, *, now: datetime) -> "CoordinatorHome":
        """New keys, authority, leaf and card; raises UsageError when there is a coordinator in the folder already."""
        home = CoordinatorHome(private_folder(folder))
        for name in ("authority.key", "identity.key", "log.key", "tls.key", "card.json"):
            if (folder / name).exists():
                raise UsageError(f"{folder} holds a coordinator already; keys are never overwritten")
        identity, log_key, authority_key = SigningKey.generate(), SigningKey.generate(), new_tls_key()
        authority = Authority.create(authority_key, party_domain(domain), now=now)
        card = CoordinatorCard(domain, address, authority.der(), identity.public_bytes(), log_key.public_bytes())
        write_secret(folder / "authority.key", authority_key)
        write_secret(folder / "identity.key", identity.seed())
        write_secret(folder / "log.key", log_key.seed())
        write_secret(folder / "tls.key", new_tls_key())
        write_secret(folder / "authority.pem", authority.pem())
        home._write("card.json", card.signed(identity))
        home.renew(now=now)
        return home

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One serving coordinator for a home; raises StateError that names the one there is."""
        with only_process(self.folder / "lock") as holder:
            if holder:
                raise StateError(f"a coordinator is serving from {self.folder} already: {holder}")
            yield

    def card(self) -> CoordinatorCard:
        """The public card, its signature verified."""
        return CoordinatorCard.from_file(self._read("card.json"))

    def identity(self) -> SigningKey:
        """The secret key of the coordinator's own statements."""
        return SigningKey(read_secret(self.folder / "identity.key", 32))

    def log_keys(self) -> tuple[SigningKey, ...]:
        """The secret log keys, oldest first."""
        return tuple(SigningKey(read_secret(file, 32)) for _, file in self._log_key_files())

    def log_key(self, public: bytes | None = None) -> SigningKey:
        """The secret log key of this public key, the card's if left out; raises StateError."""
        wanted = self.card().log_key if public is None else public
        for key in self.log_keys():
            if key.public_bytes() == wanted:
                return key
        raise StateError("no log.key in this home is the key on the card: no head that it signs would be believed")

    def rotate_log_key(self) -> CoordinatorCard:
        """A new log key and a card that names it; the older ones stay until an operator deletes their files."""
        number = max((number for number, _ in self._log_key_files()), default=0) + 1
        key = SigningKey.generate()
        write_secret(self.folder / f"log.{number}.key", key.seed())
        card = replace(self.card(), log_key=key.public_bytes())
        self._write("card.json", card.signed(self.identity()))
        return card

    def check_card(self, contract_card: CoordinatorCard) -> None:
        """A card that this home gave out, with a log key that it has; raises UsageError or StateError."""
        if replace(self.card(), log_key=contract_card.log_key) != contract_card:
            raise UsageError("the contract names another coordinator's card than the one in this home")
        self.log_key(contract_card.log_key)

    def _log_key_files(self) -> list[tuple[int, Path]]:
        """By number; `log.key` is the first."""
        found = [(1, self.folder / "log.key")] if (self.folder / "log.key").exists() else []
        for file in self.folder.glob("log.*.key"):
            number = file.name.removeprefix("log.").removesuffix(".key")
            if number.isascii() and number.isdigit():
                found.append((int(number), file))
        return sorted(found)

    def authority(self) -> Authority:
        """The TLS authority with its secret key."""
        return Authority.load(
            self._read("authority.pem"), read_secret(self.folder / "authority.key"), self.card().domain
        )

    def authority_pem(self) -> bytes:
        """The authority's certificate alone."""
        return self._read("authority.pem")

    def tls_pair(self) -> tuple[bytes, bytes]:
        """Key and certificate (PEM) of the server's leaf, as they are now."""
        return read_secret(self.folder / "tls.key"), self._read("tls.pem")

    def leaf(self) -> Leaf:
        """What the server's own certificate says."""
        return read_leaf(self._read("tls.pem"), self.card().domain)

    def renew(self, *, now: datetime) -> Leaf:
        """A new certificate for the server's key; a running server takes it up at the next handshake."""
        key = tls_key(read_secret(self.folder / "tls.key")).public_key()
        peer = Peer("coordinator", "coordinator")
        self._write("tls.pem", self.authority().issue(peer, key, now=now, validity=default_validity()))
        return self.leaf()

    def sign(self, request: bytes, *, replace: bool, now: datetime) -> tuple[Peer, str, bytes]:
        """Sign a party's or auditor's request: who, key fingerprint (hex), certificate (PEM).

        A name that has a certificate for another key is refused (UsageError) unless `replace`; then the older one is
        denied from now on. The same key may be signed again at any time: that is a renewal.
        """
        peer, key = read_request(request, self.card().domain)
        if peer.role == "coordinator":
            raise AuthenticationError("nobody else is signed as a coordinator")
        name = f"issued/{peer.role}-{peer.name}.pem"
        if (self.folder / name).exists():
            self._check_replacement(self._read(name), peer, key_fingerprint(key), replace=replace)
        certificate = self.authority().issue(peer, key, now=now, validity=default_validity())
        private_folder(self.folder / "issued")
        self._write(name, certificate)
        return peer, key_fingerprint(key), certificate

    def _check_replacement(self, older: bytes, peer: Peer, fingerprint: str, *, replace: bool) -> None:
        certificate = x509.load_pem_x509_certificate(older)
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey) and key_fingerprint(key) == fingerprint:
            return
        if not replace:
            raise UsageError(
                f"{peer.role} {peer.name} has a certificate for another key; ask the company, then use --replace"
            )
        self._write("denied", self._denied_text() + f"{certificate.serial_number:x}\n".encode("ascii"))

    def denied(self) -> frozenset[int]:
        """Serial numbers that are refused although they are still valid; raises StateError when unreadable."""
        lines = self._denied_text().decode("ascii", "replace").split("\n")
        try:
            serials = frozenset(int(line, 16) for line in lines if line)
        except ValueError as error:
            raise StateError(f"{self.folder / 'denied'} holds something that is no serial number") from error
        if len(serials) > _MAX_DENIED:
            raise StateError(f"{self.folder / 'denied'} is too long")
        return serials

    def database(self, room: str, log_number: int = 1) -> Path:
        """Where the database of a room's log is; a room whose log begins anew has a new one beside the old."""
        return self.folder / "rooms" / f"{_numbered(room, log_number)}.sqlite"

    def log_folder(self, room: str, log_number: int = 1) -> Path:
        """Where a room's log is as files."""
        return self.folder / "rooms" / f"{_numbered(room, log_number)}.log"

    def _denied_text(self) -> bytes:
        return self._read("denied") if (self.folder / "denied").exists() else b""

    def _read(self, name: str) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                data = file.read(_MAX_FILE_BYTES + 1)
        except OSError as error:
            raise StateError(f"{self.folder / name} cannot be read: {error.strerror}") from None
        if len(data) > _MAX_FILE_BYTES:
            raise StateError(f"{self.folder / name} is too long")
        return data

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        replace_file(path, data, mode=0o600, draft=path.with_name(f"{path.name}.draft"))


def _numbered(room: str, log_number: int) -> str:
    return room if log_number == 1 else f"{room}.{log_number}"
