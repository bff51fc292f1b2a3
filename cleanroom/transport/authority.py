"""The room's certificate authority. It vouches for TLS connections and for nothing else.

What parties say is signed by identity keys that never pass through here, so an authority that lies can disturb a
room and cannot speak for a member of it. Leaves live at most 90 days; the authority itself ten years.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cleanroom.errors import AuthenticationError, StateError
from cleanroom.transport.certificates import MAX_VALIDITY
from cleanroom.transport.names import Peer, coordinator_host
from cleanroom.transport.requests import tls_key

AUTHORITY_VALIDITY = timedelta(days=3652)
_BACKDATE = timedelta(minutes=5)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Authority:
    """The authority's certificate and its secret key."""

    certificate: x509.Certificate
    _secret: ec.EllipticCurvePrivateKey
    domain: str

    @staticmethod
    def create(key_pem: bytes, domain: str, *, now: datetime) -> "Authority":
        """A new self-signed authority for one trust domain, allowed to sign leaves only (path length 0)."""
        secret = tls_key(key_pem)
        name = _subject(f"clean room {domain}"[:64])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(secret.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATE)
            .not_valid_after(now + AUTHORITY_VALIDITY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), critical=False)
            .sign(secret, hashes.SHA256())
        )
        return Authority(certificate, secret, domain)

    @staticmethod
    def load(certificate_pem: bytes, key_pem: bytes, domain: str) -> "Authority":
        """The authority of a coordinator's home; raises StateError when key and certificate do not belong together."""
        secret = tls_key(key_pem)
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        if certificate.public_key() != secret.public_key():
            raise StateError("the authority's key file does not belong to its certificate")
        return Authority(certificate, secret, domain)

    def der(self) -> bytes:
        """The certificate as the coordinator's card carries it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def pem(self) -> bytes:
        """The certificate as TLS libraries read it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, peer: Peer, key: ec.EllipticCurvePublicKey, *, now: datetime, validity: timedelta) -> bytes:
        """A leaf, PEM. Parties and auditors are clients only; the coordinator is a server and gets its DNS name."""
        if not timedelta(0) < validity <= MAX_VALIDITY - _BACKDATE:
            raise AuthenticationError("a certificate is valid for less than 90 days")
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(peer.uri(self.domain))]
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH
        if peer.role == "coordinator":
            names.append(x509.DNSName(coordinator_host(self.domain)))
            purpose = ExtendedKeyUsageOID.SERVER_AUTH
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._secret.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(_subject("clean room peer"))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATE)
            .not_valid_after(now + validity)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(self._secret, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    def __repr__(self) -> str:
        return "Authority(redacted)"


def default_validity() -> timedelta:
    """As long as the rules allow once the start is dated back for slow clocks."""
    return MAX_VALIDITY - _BACKDATE
