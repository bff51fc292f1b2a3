"""A proof from the log counts only under the key on the coordinator's card, and only for the statement it is of."""

from dataclasses import replace

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError
from cleanroom.transport.client import CoordinatorClient
from tests.rooms import Room, Running


def opened(room: Room, address: str, log_key: bytes) -> CoordinatorClient:
    """Shop's client, to which the coordinator's card shows this log key."""
    card = replace(room.contract.coordinator, log_key=log_key)
    key, certificate = room.member("shop").tls_pair()
    return CoordinatorClient(
        replace(room.contract, coordinator=card),
        room.hash,
        room.member("shop").name,
        key_pem=key,
        certificate_pem=certificate,
        address=address,
    )


def test_a_proof_under_another_key_than_the_cards_is_refused(room: Room, served: Running) -> None:
    statement = room.match_opened(bytes(32), "shop", "brand")
    client = opened(room, served.address, SigningKey.generate().public_bytes())
    with pytest.raises(AuthenticationError):
        client.append(statement)
    with pytest.raises(AuthenticationError):
        client.read_log(0)
    client.close()
    client = opened(room, served.address, room.contract.coordinator.log_key)
    assert client.append(statement).index == 0
    client.close()
