"""A party accepts a certificate only if it is its own, and changes keys without a gap."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.crypto.key_files import read_secret
from cleanroom.errors import AuthenticationError, StateError, UsageError
from cleanroom.ids import PartyName
from cleanroom.transport.enrolment import (
    CERTIFICATE_FILE,
    KEY_FILE,
    NEXT_KEY_FILE,
    accept_certificate,
    request_certificate,
    request_renewal,
)
from cleanroom.transport.names import Peer
from cleanroom.transport.requests import make_request, new_tls_key

DOMAIN = "room.test"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP, BRAND = PartyName("shop"), PartyName("brand")


@pytest.fixture
def home(tmp_path: Path) -> CoordinatorHome:
    """A coordinator."""
    return CoordinatorHome.create(tmp_path / "coordinator", DOMAIN, "127.0.0.1:7443", now=NOW)


def test_a_party_enrols(home: CoordinatorHome, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    peer, _, pem = home.sign(request_certificate(folder, SHOP, DOMAIN), replace=False, now=NOW)
    leaf = accept_certificate(folder, SHOP, pem, home.card(), now=NOW)
    assert leaf.peer == peer
    assert (folder / CERTIFICATE_FILE).read_bytes() == pem
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_is_never_made_twice(tmp_path: Path) -> None:
    request_certificate(tmp_path / "shop", SHOP, DOMAIN)
    with pytest.raises(UsageError, match="never overwritten"):
        request_certificate(tmp_path / "shop", SHOP, DOMAIN)


def test_a_renewal_changes_key_and_certificate_together(home: CoordinatorHome, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    _, _, first = home.sign(request_certificate(folder, SHOP, DOMAIN), replace=False, now=NOW)
    accept_certificate(folder, SHOP, first, home.card(), now=NOW)
    key, later = read_secret(folder / KEY_FILE), NOW + timedelta(days=61)
    request = request_renewal(folder, SHOP, DOMAIN)
    assert request_renewal(folder, SHOP, DOMAIN) != b""
    assert read_secret(folder / KEY_FILE) == key
    _, _, second = home.sign(request, replace=True, now=later)
    accept_certificate(folder, SHOP, second, home.card(), now=later)
    assert read_secret(folder / KEY_FILE) != key
    assert not (folder / NEXT_KEY_FILE).exists()


@pytest.mark.parametrize("defect", ["another name", "another authority", "expired", "another key"])
def test_a_certificate_is_not_accepted_with(defect: str, home: CoordinatorHome, tmp_path: Path) -> None:
    folder, signer, now = tmp_path / "shop", home, NOW
    request = request_certificate(folder, SHOP, DOMAIN)
    if defect == "another name":
        request = request_certificate(tmp_path / "brand", BRAND, DOMAIN)
    if defect == "another authority":
        signer = CoordinatorHome.create(tmp_path / "stranger", DOMAIN, "127.0.0.1:7443", now=NOW)
    if defect == "another key":
        request = request_certificate(tmp_path / "other", SHOP, DOMAIN)
    if defect == "expired":
        now = NOW + timedelta(days=91)
    _, _, pem = signer.sign(request, replace=False, now=NOW)
    with pytest.raises((AuthenticationError, UsageError)):
        accept_certificate(folder, SHOP, pem, home.card(), now=now)
    assert not (folder / CERTIFICATE_FILE).exists()


def test_a_name_is_signed_for_one_key_unless_it_is_replaced(home: CoordinatorHome, tmp_path: Path) -> None:
    first = request_certificate(tmp_path / "first", SHOP, DOMAIN)
    second = request_certificate(tmp_path / "second", SHOP, DOMAIN)
    home.sign(first, replace=False, now=NOW)
    home.sign(first, replace=False, now=NOW)
    with pytest.raises(UsageError, match="--replace"):
        home.sign(second, replace=False, now=NOW)
    assert home.denied() == frozenset()
    home.sign(second, replace=True, now=NOW)
    assert len(home.denied()) == 1


def test_nobody_else_becomes_a_coordinator(home: CoordinatorHome) -> None:
    with pytest.raises(AuthenticationError):
        home.sign(make_request(new_tls_key(), Peer("coordinator", "x"), DOMAIN), replace=False, now=NOW)


def test_a_key_that_others_can_read_is_refused(home: CoordinatorHome) -> None:
    (home.folder / "log.key").chmod(0o640)
    with pytest.raises(StateError, match="chmod 600"):
        home.log_key()
