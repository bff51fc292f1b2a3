"""What two parties derive for a match: the same on both sides, different for every use."""

import hashlib
import hmac

import pytest

from cleanroom.crypto.match_secret import Ephemeral, MatchSecret
from cleanroom.errors import PeerError
from tests.reference.curve25519 import x25519

TRANSCRIPT = bytes(range(32))


def agreed() -> tuple[MatchSecret, MatchSecret]:
    """Both sides of one exchange."""
    one, other = Ephemeral(), Ephemeral()
    return one.agree(other.share(), TRANSCRIPT), other.agree(one.share(), TRANSCRIPT)


def expand(secret: bytes, label: bytes) -> bytes:
    """One block of HKDF-Expand, RFC 5869 section 2.3."""
    return hmac.digest(secret, label + b"\x01", "sha256")


def test_keys_follow_rfc_5869_by_label() -> None:
    secret = MatchSecret(b"k" * 32)
    assert secret.tag_key() == expand(b"k" * 32, b"cleanroom/v1/tag")
    dummy = expand(b"k" * 32, b"cleanroom/v1/dummy")
    assert secret.shared_dummies(2) == b"".join(hmac.digest(dummy, bytes([0, 0, 0, i]), "sha256") for i in (0, 1))
    confirm = expand(b"k" * 32, b"cleanroom/v1/confirm")
    assert secret.confirmation("shop", TRANSCRIPT) == hmac.digest(confirm, b"shop\x00" + TRANSCRIPT, "sha256")


def test_the_secret_is_extracted_from_the_exchange_with_the_transcript_as_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    scalar = hashlib.sha256(b"scalar").digest()
    monkeypatch.setattr("os.urandom", lambda length: scalar[:length])
    one = Ephemeral()
    monkeypatch.undo()
    base = (9).to_bytes(32, "little")
    other = hashlib.sha256(b"other").digest()
    assert one.share() == x25519(scalar, base)
    shared = x25519(scalar, x25519(other, base))
    extracted = hmac.digest(TRANSCRIPT, shared, "sha256")
    expected = MatchSecret(expand(extracted, b"cleanroom/v1/match-secret"))
    assert one.agree(x25519(other, base), TRANSCRIPT).tag_key() == expected.tag_key()


def test_both_sides_derive_the_same() -> None:
    one, other = agreed()
    assert one.tag_key() == other.tag_key()
    assert one.shared_dummies(4) == other.shared_dummies(4)
    other.check_confirmation("initiator", TRANSCRIPT, one.confirmation("initiator", TRANSCRIPT))


def test_another_transcript_or_exchange_gives_another_secret() -> None:
    one, other = Ephemeral(), Ephemeral()
    keys = {one.agree(other.share(), salt).tag_key() for salt in (TRANSCRIPT, bytes(32))}
    keys |= {secret.tag_key() for secret in agreed()}
    assert len(keys) == 3


def test_every_use_has_its_own_key() -> None:
    secret = agreed()[0]
    outputs = {secret.tag_key(), secret.shared_dummies(1), secret.confirmation("a", TRANSCRIPT)}
    assert len(outputs) == 3


def test_a_confirmation_is_for_one_role_one_transcript_and_whole() -> None:
    one, other = agreed()
    sent = one.confirmation("initiator", TRANSCRIPT)
    for role, transcript, received in (
        ("responder", TRANSCRIPT, sent),
        ("initiator", bytes(32), sent),
        ("initiator", TRANSCRIPT, sent[:-1]),
        ("initiator", TRANSCRIPT, sent + b"\x00"),
        ("initiator", TRANSCRIPT, sent[:-1] + bytes([sent[-1] ^ 1])),
        ("initiator", TRANSCRIPT, b""),
    ):
        with pytest.raises(PeerError, match="same match secret"):
            other.check_confirmation(role, transcript, received)


@pytest.mark.parametrize("tau", [1, 82, 1052])
def test_two_tau_shared_dummies_are_distinct(tau: int) -> None:
    dummies = agreed()[0].shared_dummies(2 * tau)
    assert len({dummies[place : place + 32] for place in range(0, len(dummies), 32)}) == 2 * tau
    assert len(dummies) == 64 * tau


def test_fewer_dummies_are_the_first_of_more() -> None:
    secret = agreed()[0]
    assert secret.shared_dummies(8)[:128] == secret.shared_dummies(4)


P = 2**255 - 19
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)  # the two points of order 8, as listed at cr.yp.to/ecdh.html


@pytest.mark.parametrize("u", [0, 1, *ORDER_8, P - 1, P, P + 1], ids=hex)
def test_a_share_of_small_order_is_refused(u: int) -> None:
    with pytest.raises(PeerError, match="not a usable"):
        Ephemeral().agree(u.to_bytes(32, "little"), TRANSCRIPT)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_share_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(PeerError):
        Ephemeral().agree(b"\x09" * length, TRANSCRIPT)


def test_secrets_show_and_compare_nothing() -> None:
    assert repr(MatchSecret(b"k" * 32)) == "MatchSecret(redacted)"
    assert repr(Ephemeral()) == "Ephemeral(redacted)"
    assert MatchSecret(b"k" * 32) != MatchSecret(b"k" * 32)
