"""What a peer's certificate must look like before anything it says is read.

The rules (SPIFFE X509-SVID section 4), each refused with AuthenticationError:

* the connection is TLS 1.3 and shows exactly one leaf certificate;
* the leaf has exactly one URI name, of our trust domain; other kinds of name are allowed and never read;
* the leaf is not an authority (CA:FALSE) and may not sign certificates or revocation lists;
* the key may sign (digitalSignature) and is an ECDSA P-256 key;
* the time is within its validity, and its serial number is not on the deny list.

Left out: the signature chain and the extended key usage, which the TLS library has checked against our one authority
before the connection existed; the common name, which means nothing here.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cleanroom.errors import AuthenticationError
from cleanroom.transport.names import Peer, peer_of_uri

MAX_VALIDITY = timedelta(days=90)
WARN_BELOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What we read of one certificate: who, its serial number, and from when to when it is valid (UTC)."""

    peer: Peer
    serial: int
    not_before: datetime
    not_after: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days of validity left; negative when it has expired."""
        return (self.not_after - now) // timedelta(days=1)

    def warning(self, now: datetime) -> str | None:
        """One line for the operator when 30 days or fewer are left (day 60 of 90), else None."""
        if self.not_after - now > WARN_BELOW:
            return None
        days = self.days_left(now)
        left = "has expired" if days < 0 else f"expires in {days} days"
        return f"the certificate of {self.peer.role} {self.peer.name} {left}: renew it"


@lru_cache(maxsize=256)
def read_leaf(pem: bytes, domain: str) -> Leaf:
    """The leaf in these PEM bytes, checked by every rule but time and deny list; raises AuthenticationError."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        return _checked(certificate, domain)
    except (ValueError, x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType) as error:
        raise AuthenticationError("a certificate is malformed or lacks a required extension") from error


def _checked(certificate: x509.Certificate, domain: str) -> Leaf:
    extensions = certificate.extensions
    uris = extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.UniformResourceIdentifier
    )
    if len(uris) != 1:
        raise AuthenticationError("a certificate has exactly one URI name")
    peer = peer_of_uri(uris[0], domain)
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise AuthenticationError("a certificate of an authority does not name a peer")
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    if usage.key_cert_sign or usage.crl_sign or not usage.digital_signature:
        raise AuthenticationError("a peer's certificate may sign messages and nothing else")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise AuthenticationError("a peer's key is ECDSA P-256")
    leaf = Leaf(peer, certificate.serial_number, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    if leaf.not_after - leaf.not_before > MAX_VALIDITY:
        raise AuthenticationError("a certificate is valid for longer than 90 days")
    return leaf


def _one(context: Mapping[str, Sequence[bytes]], name: str) -> bytes:
    values = context.get(name, ())
    if len(values) != 1:
        raise AuthenticationError("a connection does not show who is at the other end")
    return values[0]


def check_peer(
    auth_context: Mapping[str, Sequence[bytes]], domain: str, *, now: datetime, denied: Container[int] = ()
) -> Peer:
    """Who is at the other end of this connection, by gRPC's `auth_context`; raises AuthenticationError."""
    if _one(auth_context, "ssl_tls_version") != b"TLSv1.3":
        raise AuthenticationError("a connection is not TLS 1.3")
    leaf = read_leaf(_one(auth_context, "x509_pem_cert"), domain)
    if not leaf.not_before <= now <= leaf.not_after:
        raise AuthenticationError("a certificate is outside its validity")
    if leaf.serial in denied:
        raise AuthenticationError("a certificate has been withdrawn")
    return leaf.peer
