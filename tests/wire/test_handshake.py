"""Which certificates get as far as a handler: none but a member's own, over TLS 1.3."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from cleanroom.errors import UnavailableError
from cleanroom.transport.authority import Authority
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import make_request, new_tls_key
from cleanroom.transport.retry import Patience
from tests.rooms import DOMAIN, Room, Running
from tests.wire.raw import READ, certificate, raw_channel, read_request, status_of

ADMITTED = "calls_admitted_total"
HANDSHAKES = "handshakes_started_total"


def stranger() -> Authority:
    """Another authority with the same name."""
    return Authority.create(new_tls_key(), DOMAIN, now=datetime.now(UTC))


def test_a_member_s_certificate_reaches_the_handler(room: Room, served: Running) -> None:
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        assert status_of(channel, READ, read_request(room, "shop")) == (grpc.StatusCode.OK, "")
    assert served.server.counters.total(ADMITTED) == 1


@pytest.mark.parametrize(
    "defect", ["no certificate", "another authority", "expired", "not yet valid", "for servers only"]
)
def test_the_handshake_refuses_a_certificate_that_is(defect: str, room: Room, served: Running) -> None:
    """Row 12: refused by TLS, the handshake counted, no handler reached."""
    authority = room.home.authority()
    pairs: dict[str, tuple[bytes, bytes] | None] = {
        "no certificate": None,
        "another authority": certificate(stranger()),
        "expired": certificate(authority, start=timedelta(days=-2), end=timedelta(days=-1)),
        "not yet valid": certificate(authority, start=timedelta(hours=2)),
        "for servers only": certificate(authority, purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
    }
    pair = pairs[defect]
    with raw_channel(room, served.address, pair) as channel:
        code, _ = status_of(channel, READ, read_request(room, "shop"))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert served.server.counters.total(HANDSHAKES) >= 1
    assert served.server.counters.total(ADMITTED) == 0


@pytest.mark.parametrize(
    "defect",
    [
        "a common name only",
        "two URIs",
        "an authority's certificate",
        "a key that may sign certificates",
        "another trust domain",
        "a party outside the contract",
        "an auditor outside the contract",
        "the role of the coordinator",
        "longer than ninety days",
    ],
)
def test_the_interceptor_refuses(defect: str, room: Room, served: Running) -> None:
    """Row 13: TLS accepts these, so our own rules must not."""
    more = {
        "a common name only": {"uris": (), "common_name": "shop"},
        "two URIs": {"uris": (f"cleanroom://{DOMAIN}/party/shop", f"cleanroom://{DOMAIN}/party/brand")},
        "an authority's certificate": {"is_authority": True},
        "a key that may sign certificates": {"may_sign_certificates": True},
        "another trust domain": {"uris": ("cleanroom://elsewhere.test/party/shop",)},
        "a party outside the contract": {"uris": (f"cleanroom://{DOMAIN}/party/nobody",)},
        "an auditor outside the contract": {"uris": (f"cleanroom://{DOMAIN}/auditor/nobody",)},
        "the role of the coordinator": {"uris": (f"cleanroom://{DOMAIN}/coordinator/shop",)},
        "longer than ninety days": {"end": timedelta(days=91)},
    }[defect]
    pair = certificate(room.home.authority(), **more)  # type: ignore[arg-type] # a table of unlike defects
    with raw_channel(room, served.address, pair) as channel:
        code, _ = status_of(channel, READ, read_request(room, "shop"))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert served.server.counters.total(ADMITTED) == 0


def test_a_replaced_certificate_is_denied_on_its_open_connection(room: Room, served: Running) -> None:
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        assert status_of(channel, READ, read_request(room, "shop"))[0] is grpc.StatusCode.OK
        request = make_request(new_tls_key(), Peer("party", "shop"), DOMAIN)
        room.home.sign(request, replace=True, now=datetime.now(UTC))
        assert status_of(channel, READ, read_request(room, "shop"))[0] is grpc.StatusCode.PERMISSION_DENIED


def test_the_server_takes_up_a_renewed_certificate_without_a_restart(room: Room, served: Running) -> None:
    before = room.home.leaf().serial
    room.home.renew(now=datetime.now(UTC))
    assert room.home.leaf().serial != before
    assert room.client("shop", served.address).read_log(0).entries == ()


def test_a_party_s_certificate_cannot_stand_in_for_the_coordinator(room: Room) -> None:
    """A party listens at the coordinator's address with its own certificate; a node does not talk to it."""
    credentials = grpc.ssl_server_credentials([room.member("brand").tls_pair()])
    impostor = grpc.server(ThreadPoolExecutor(1))
    port = impostor.add_secure_port("127.0.0.1:0", credentials)
    impostor.start()
    client = room.client("shop", f"127.0.0.1:{port}", patience=Patience(total_s=0.0))
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
        client.read_log(0)
    client.close()
    impostor.stop(0).wait()
