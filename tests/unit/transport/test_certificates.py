"""What `check_peer` accepts: one URI of our domain, TLS 1.3, within its validity, not denied."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.transport.authority import Authority, default_validity
from cleanroom.transport.certificates import check_peer, read_leaf
from cleanroom.transport.names import Peer, peer_of_uri
from cleanroom.transport.requests import make_request, new_tls_key, read_request, tls_key

DOMAIN = "room.test"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUTHORITY = Authority.create(new_tls_key(), DOMAIN, now=NOW)
SHOP = Peer("party", "shop")
KEY = tls_key(new_tls_key()).public_key()
PEM = AUTHORITY.issue(SHOP, KEY, now=NOW, validity=default_validity())


def context(**more: list[bytes]) -> dict[str, list[bytes]]:
    """What gRPC says of a connection."""
    return {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [PEM], **more}


def test_a_leaf_of_the_authority_names_its_peer() -> None:
    assert check_peer(context(), DOMAIN, now=NOW) == SHOP


@pytest.mark.parametrize(
    "more",
    [
        {"ssl_tls_version": [b"TLSv1.2"]},
        {"ssl_tls_version": []},
        {"x509_pem_cert": []},
        {"x509_pem_cert": [PEM, PEM]},
        {"x509_pem_cert": [b"no certificate"]},
        {"x509_pem_cert": [AUTHORITY.pem()]},
    ],
)
def test_a_connection_that_does_not_show_one_peer_over_tls_1_3_is_refused(more: dict[str, list[bytes]]) -> None:
    with pytest.raises(AuthenticationError):
        check_peer(context(**more), DOMAIN, now=NOW)


def test_another_domain_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="domain"):
        check_peer(context(), "room.test2", now=NOW)


@pytest.mark.parametrize(("days", "valid"), [(0, True), (89, True), (90, False), (-1, False)])
def test_a_certificate_ends_before_its_ninetieth_day_is_over(days: int, valid: bool) -> None:
    at = NOW + timedelta(days=days)
    if valid:
        assert check_peer(context(), DOMAIN, now=at) == SHOP
    else:
        with pytest.raises(AuthenticationError, match="validity"):
            check_peer(context(), DOMAIN, now=at)


def test_a_denied_serial_number_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="withdrawn"):
        check_peer(context(), DOMAIN, now=NOW, denied={read_leaf(PEM, DOMAIN).serial})


def test_the_operator_is_warned_from_day_sixty_on() -> None:
    leaf = read_leaf(PEM, DOMAIN)
    assert leaf.warning(leaf.not_after - timedelta(days=30, seconds=1)) is None
    assert leaf.warning(leaf.not_after - timedelta(days=30)) == (
        "the certificate of party shop expires in 30 days: renew it"
    )
    assert "has expired" in str(leaf.warning(leaf.not_after + timedelta(days=1)))
    assert leaf.days_left(NOW) == 89


@pytest.mark.parametrize(
    "uri",
    [
        "cleanroom://room.test/party/Shop",
        "cleanroom://room.test/party/shop/more",
        "cleanroom://room.test/party/",
        "cleanroom://room.test/admin/shop",
        "cleanroom://room.test.evil/party/shop",
        "spiffe://room.test/party/shop",
        "cleanroom://room.test//party/shop",
        "cleanroom://room.test/party/shop?x",
    ],
)
def test_a_name_in_any_other_spelling_is_refused(uri: str) -> None:
    with pytest.raises(AuthenticationError):
        peer_of_uri(uri, DOMAIN)


def extensions(peer: Peer) -> x509.Extensions:
    """Of a freshly issued leaf."""
    pem = AUTHORITY.issue(peer, KEY, now=NOW, validity=default_validity())
    return x509.load_pem_x509_certificate(pem).extensions


def test_a_party_s_leaf_is_for_clients_and_has_no_host_name() -> None:
    found = extensions(SHOP)
    purposes = found.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert list(names) == [x509.UniformResourceIdentifier("cleanroom://room.test/party/shop")]
    assert not found.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_coordinator_s_leaf_is_for_servers_and_has_one_host_name() -> None:
    found = extensions(Peer("coordinator", "coordinator"))
    purposes = found.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert names.get_values_for_type(x509.DNSName) == ["coordinator.room.test"]


def test_no_leaf_is_valid_for_more_than_ninety_days() -> None:
    with pytest.raises(AuthenticationError):
        AUTHORITY.issue(SHOP, KEY, now=NOW, validity=timedelta(days=90))


def test_a_request_says_who_and_for_which_key() -> None:
    key = new_tls_key()
    peer, public = read_request(make_request(key, SHOP, DOMAIN), DOMAIN)
    assert (peer, public) == (SHOP, tls_key(key).public_key())


@pytest.mark.parametrize("data", [b"", b"no request", b"x" * 16_385])
def test_bytes_that_are_no_request_are_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        read_request(data, DOMAIN)


def test_a_request_of_another_domain_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        read_request(make_request(new_tls_key(), SHOP, "elsewhere.test"), DOMAIN)
