"""A sealed message opens with one key, in one context, unchanged; secret keys show nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto.sealing import ML_KEM_PUBLIC_LENGTH, PUBLIC_LENGTH, seal, sealing_public_key
from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.crypto.unsealing import SECRET_LENGTH, SealingKey
from cleanroom.errors import AuthenticationError, PeerError

KEY = SealingKey(bytes(range(96)))
INFO = b"room, match, type, place"
SEALED = seal(KEY.public_bytes(), b"masked points", INFO)


def test_a_message_opens_for_its_reader() -> None:
    assert KEY.open(SEALED, INFO) == b"masked points"
    assert SealingKey(KEY.secret()).open(SEALED, INFO) == b"masked points"


def test_sizes_are_those_of_the_hybrid() -> None:
    """ML-KEM-768: key 1184, ciphertext 1088 (FIPS 203 table 3); X25519: 32 each; AES-GCM's tag: 16."""
    assert (ML_KEM_PUBLIC_LENGTH, PUBLIC_LENGTH, SECRET_LENGTH) == (1184, 1184 + 32, 64 + 32)
    assert len(KEY.public_bytes()) == PUBLIC_LENGTH
    assert len(SEALED) == 1088 + 32 + len(b"masked points") + 16


def test_the_same_message_is_never_sealed_to_the_same_bytes() -> None:
    assert seal(KEY.public_bytes(), b"masked points", INFO) != SEALED


@pytest.mark.parametrize("place", [0, 31, 64, 95])
def test_a_key_that_differs_in_either_half_does_not_open(place: int) -> None:
    secret = bytearray(KEY.secret())
    secret[place] ^= 8
    with pytest.raises(PeerError, match="does not open"):
        SealingKey(bytes(secret)).open(SEALED, INFO)


@pytest.mark.parametrize("info", [b"", INFO + b" ", INFO[:-1], INFO.upper(), b"\x00" + INFO])
def test_another_context_does_not_open(info: bytes) -> None:
    with pytest.raises(PeerError):
        KEY.open(SEALED, info)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 8 * len(SEALED) - 1))
def test_no_bit_may_change(bit: int) -> None:
    damaged = bytearray(SEALED)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PeerError):
        KEY.open(bytes(damaged), INFO)


@pytest.mark.parametrize("length", [0, 1, 1087, 1088, 1120, 1135, len(SEALED) - 1])
def test_a_cut_message_does_not_open(length: int) -> None:
    with pytest.raises(PeerError):
        KEY.open(SEALED[:length], INFO)


def test_a_longer_message_does_not_open() -> None:
    with pytest.raises(PeerError):
        KEY.open(SEALED + b"\x00", INFO)


@pytest.mark.parametrize("length", [0, 32, PUBLIC_LENGTH - 1, PUBLIC_LENGTH + 1])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(PeerError, match="length"):
        sealing_public_key(bytes(length))


def test_an_ml_kem_key_with_numbers_above_q_is_refused() -> None:
    """FIPS 203 section 7.2: the modulus check."""
    with pytest.raises(PeerError, match="malformed"):
        sealing_public_key(b"\xff" * PUBLIC_LENGTH)


@pytest.mark.parametrize("u", [0, 1, 2**255 - 20])
def test_an_x25519_half_of_small_order_is_refused_before_anything_is_sealed_to_it(u: int) -> None:
    """Such a card was once accepted, and the first message to its owner was no error of ours."""
    with pytest.raises(PeerError, match="malformed"):
        sealing_public_key(KEY.public_bytes()[:ML_KEM_PUBLIC_LENGTH] + u.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 64, 95, 97])
def test_a_secret_of_another_length_is_a_mistake(length: int) -> None:
    with pytest.raises(ValueError, match="96"):
        SealingKey(bytes(length))


@pytest.mark.parametrize("key", [KEY, SigningKey(bytes(range(32)))], ids=["sealing", "signing"])
def test_secret_keys_show_nothing_and_are_not_compared(key: SealingKey | SigningKey) -> None:
    assert repr(key) == f"{type(key).__name__}(redacted)"
    assert f"{key}" == repr(key)
    with pytest.raises(TypeError):
        key == key  # noqa: B015
    with pytest.raises(TypeError):
        hash(key)


RFC_8032 = {
    "seed": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "public": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "signature": "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
}


def test_signatures_are_those_of_rfc_8032() -> None:
    """RFC 8032 section 7.1, test 1."""
    key = SigningKey(bytes.fromhex(RFC_8032["seed"]))
    assert key.public_bytes().hex() == RFC_8032["public"]
    assert key.sign(b"").hex() == RFC_8032["signature"]
    assert SigningKey(key.seed()).sign(b"x") == key.sign(b"x")


def test_a_signature_is_for_one_key_and_one_message() -> None:
    key = SigningKey(bytes(32))
    signature = key.sign(b"message")
    verify(key.public_bytes(), signature, b"message")
    other = SigningKey(b"\x01" * 32).public_bytes()
    for public, signed, message in (
        (other, signature, b"message"),
        (key.public_bytes(), signature, b"massage"),
        (key.public_bytes(), signature[:-1], b"message"),
        (key.public_bytes(), bytes(64), b"message"),
        (key.public_bytes()[:-1], signature, b"message"),
    ):
        with pytest.raises(AuthenticationError):
            verify(public, signed, message)
