"""Certificate requests: a new TLS key asks the authority for a certificate with one name.

Nothing of a request is trusted but its key and its one URI; the authority writes every other field by itself.
"""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cleanroom.errors import PeerError
from cleanroom.transport.names import Peer, peer_of_uri

MAX_REQUEST_BYTES = 16_384


def new_tls_key() -> bytes:
    """A fresh ECDSA P-256 key as unencrypted PKCS 8 PEM, for a 0600 key file."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def tls_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The key in a key file; raises PeerError when it is not ECDSA P-256."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise PeerError("a TLS key file does not hold a key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PeerError("a TLS key is ECDSA P-256")
    return key


def public_der(key: ec.EllipticCurvePublicKey) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo as 64 hex digits; what two operators compare."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public_der(key))
    return digest.finalize().hex()


def make_request(key_pem: bytes, peer: Peer, domain: str) -> bytes:
    """A PKCS 10 request, PEM, with an empty subject (a name there would mean nothing) and one URI."""
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(peer.uri(domain))])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=True)
    return builder.sign(tls_key(key_pem), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_request(pem: bytes, domain: str) -> tuple[Peer, ec.EllipticCurvePublicKey]:
    """Who asks, and for which key; raises PeerError or AuthenticationError."""
    if len(pem) > MAX_REQUEST_BYTES:
        raise PeerError("a certificate request is too long")
    try:
        request = x509.load_pem_x509_csr(pem)
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if not request.is_signature_valid:
            raise PeerError("a certificate request is not signed by its own key")
        key = request.public_key()
    except (ValueError, x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType) as error:
        raise PeerError("a certificate request is malformed") from error
    if len(names) != 1 or not isinstance(names[0], x509.UniformResourceIdentifier):
        raise PeerError("a certificate request carries exactly one name, a URI")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PeerError("a certificate request is for an ECDSA P-256 key")
    return peer_of_uri(names[0].value, domain), key
