"""An auditor's folder: a cosigning key, and where a room names its domain a TLS key and its certificate.

keys/cosigning.key   the key behind the auditor's line under a log's head: 0600, never leaves this folder
tls/                 key, request and certificate for talking to the coordinator
card.toml            name and public key, as they go into a room file         mirrors/   the logs that it cosigns
"""

import base64
from dataclasses import dataclass
from pathlib import Path

from cleanroom.crypto.key_files import private_folder, read_secret, write_secret
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import UsageError
from cleanroom.ids import PartyName, party_name
from cleanroom.question.card import auditor_fingerprint

_CARD = """# The card of auditor {name}. Read its fingerprint out on another channel before it is signed:
# {fingerprint}
# required = true: nothing is answered before this auditor has cosigned; false: may read and cosign.
[auditors.{name}]
key = "{key}"
required = {required}
"""


@dataclass(frozen=True, slots=True)
class AuditorHome:
    """Paths below one folder."""

    path: Path

    @property
    def card_file(self) -> Path:
        return self.path / "card.toml"

    @property
    def tls_folder(self) -> Path:
        return self.path / "tls"

    @property
    def request_file(self) -> Path:
        return self.path / "request.csr"

    def create(self, name: PartyName, *, required: bool) -> str:
        """A new key and the card; its fingerprint. Raises UsageError when the folder holds an auditor already."""
        if self.card_file.exists() or (self.path / "keys").exists():
            raise UsageError(f"{self.path} already holds an auditor; choose another folder")
        private_folder(self.path)
        private_folder(self.path / "keys")
        key = SigningKey.generate()
        write_secret(self.path / "keys" / "cosigning.key", key.seed())
        (self.path / "name").write_text(f"{name}\n", encoding="ascii")
        public = base64.b64encode(key.public_bytes()).decode("ascii")
        text = _CARD.format(
            name=name, key=public, fingerprint=self.fingerprint(), required="true" if required else "false"
        )
        self.card_file.write_text(text, encoding="ascii")
        return self.fingerprint()

    def name(self) -> PartyName:
        """Whose folder this is; raises UsageError when it is nobody's."""
        try:
            return party_name((self.path / "name").read_text(encoding="ascii").strip())
        except (OSError, UnicodeError):
            raise UsageError(f"{self.path} holds no auditor: cleanroom audit init NAME --out {self.path}") from None

    def cosigning_key(self) -> SigningKey:
        """The secret key; raises StateError when it is missing or readable by others."""
        return SigningKey(read_secret(self.path / "keys" / "cosigning.key", 32))

    def fingerprint(self) -> str:
        """What is read out by telephone."""
        return auditor_fingerprint(self.name(), self.cosigning_key().public_bytes())

    def tls_pair(self) -> tuple[bytes, bytes]:
        """Key and certificate, PEM; raises UsageError that says how to get them."""
        certificate = self.tls_folder / "tls.pem"
        if not certificate.exists():
            raise UsageError(
                f"{self.path} has no certificate yet: have {self.request_file} signed by the coordinator's operator,"
                f" then: cleanroom audit accept CERTIFICATE --home {self.path} --agreement FILE"
            )
        return read_secret(self.tls_folder / "tls.key"), certificate.read_bytes()
