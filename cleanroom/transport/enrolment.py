"""How a party or an auditor gets its TLS certificate, from its own side.

The key is made here and stays here; a request travels to the coordinator's operator, a certificate comes back and is
accepted only if it is for this key, from the authority on the coordinator's card, and for this name and role.
"""

import os
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from cleanroom.crypto.key_files import private_folder, read_secret, write_secret
from cleanroom.errors import AuthenticationError, PeerError, UsageError
from cleanroom.ids import PartyName
from cleanroom.question.card import CoordinatorCard
from cleanroom.transport.certificates import Leaf, read_leaf
from cleanroom.transport.names import Peer, Role
from cleanroom.transport.requests import make_request, new_tls_key, public_der, tls_key

MAX_CERTIFICATE_BYTES = 16_384
KEY_FILE = "tls.key"
NEXT_KEY_FILE = "tls-next.key"
CERTIFICATE_FILE = "tls.pem"


def request_certificate(folder: Path, name: PartyName, domain: str, *, role: Role = "party") -> bytes:
    """Make the first TLS key and return its request (PEM); raises UsageError when there is a key already."""
    write_secret(folder / KEY_FILE, new_tls_key())
    return make_request(read_secret(folder / KEY_FILE), Peer(role, name), domain)


def request_renewal(folder: Path, name: PartyName, domain: str, *, role: Role = "party") -> bytes:
    """Make the next key beside the one in use, or take the one made before, and return its request (PEM)."""
    private_folder(folder)
    if not (folder / NEXT_KEY_FILE).exists():
        write_secret(folder / NEXT_KEY_FILE, new_tls_key())
    return make_request(read_secret(folder / NEXT_KEY_FILE), Peer(role, name), domain)


def accept_certificate(
    folder: Path, name: PartyName, pem: bytes, card: CoordinatorCard, *, now: datetime, role: Role = "party"
) -> Leaf:
    """Check a certificate and put it into use, with the next key if it is for that one.

    Raises AuthenticationError when authority, name, domain or validity is wrong, UsageError when it is for a key that
    is not in the folder. The certificate is written last; after a crash in between, accepting it again mends it.
    """
    leaf = checked_certificate(name, pem, card, now=now, role=role)
    wanted = _public_key(pem)
    for file in (NEXT_KEY_FILE, KEY_FILE):
        path = folder / file
        if path.exists() and public_der(tls_key(read_secret(path)).public_key()) == wanted:
            os.replace(path, folder / KEY_FILE)
            _replace(folder / CERTIFICATE_FILE, pem)
            return leaf
    raise UsageError("this certificate is for a key that is not in this folder")


def checked_certificate(
    name: PartyName, pem: bytes, card: CoordinatorCard, *, now: datetime, role: Role = "party"
) -> Leaf:
    """A certificate from the card's authority for this name, valid now; raises AuthenticationError or PeerError."""
    if len(pem) > MAX_CERTIFICATE_BYTES:
        raise PeerError("a certificate is too long")
    leaf = read_leaf(pem, card.domain)
    try:
        x509.load_pem_x509_certificate(pem).verify_directly_issued_by(x509.load_der_x509_certificate(card.authority))
    except (InvalidSignature, ValueError, TypeError) as error:
        raise AuthenticationError("this certificate is not from the authority on the coordinator's card") from error
    if leaf.peer != Peer(role, name):
        raise AuthenticationError("this certificate is for another name")
    if not leaf.not_before <= now <= leaf.not_after:
        raise AuthenticationError("this certificate is outside its validity")
    return leaf


def _public_key(pem: bytes) -> bytes:
    key = x509.load_pem_x509_certificate(pem).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise AuthenticationError("a peer's key is ECDSA P-256")
    return public_der(key)


def _replace(path: Path, data: bytes) -> None:
    """Write beside the file, make it durable, then take its place."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
