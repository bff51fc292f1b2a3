"""The calling half: a channel to the one coordinator whose authority stands on the card in the contract."""

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cleanroom.question.card import CoordinatorCard
from cleanroom.transport.options import channel_options, require_compiled_protobuf


def open_channel(card: CoordinatorCard, address: str, key_pem: bytes, certificate_pem: bytes) -> grpc.Channel:
    """A channel to `address` (host:port); connects when first used. The card's authority is the only one trusted."""
    require_compiled_protobuf()
    authority = x509.load_der_x509_certificate(card.authority).public_bytes(Encoding.PEM)
    credentials = grpc.ssl_channel_credentials(authority, key_pem, certificate_pem)
    return grpc.secure_channel(address, credentials, options=channel_options(card.domain))
