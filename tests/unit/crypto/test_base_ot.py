"""After the base OTs the owner holds, of each pair of seeds, the one that its bit of delta names."""

from __future__ import annotations

import json
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest

from cleanroom.crypto import _kernel
from tests.reference import base_ot as oracle
from tests.reference import ristretto as group
from tests.reference.ot_extension import bits, split
from tests.unit.crypto.transfer_harness import stream

VECTOR_FILE = Path(__file__).parents[2] / "vectors" / "rfc9496_ristretto255.json"
VECTORS: dict[str, Any] = json.loads(VECTOR_FILE.read_text())
INVALID = [(why, each) for why, encodings in VECTORS["invalid_encodings"].items() for each in encodings]

SETUP_ID, DELTA = stream("id", 32), stream("delta", 16)
OFFER, SECRET = _kernel.base_ot_offer(SETUP_ID, DELTA, stream("offer", _kernel.OFFER_RANDOMNESS_BYTES))
REPLY, SEEDS = _kernel.base_ot_reply(SETUP_ID, OFFER, stream("reply", _kernel.REPLY_RANDOMNESS_BYTES))


def replying_to(offer: bytes) -> tuple[bytes, bytes]:
    return _kernel.base_ot_reply(SETUP_ID, offer, stream("reply", _kernel.REPLY_RANDOMNESS_BYTES))


def finishing(reply: bytes) -> bytes:
    return _kernel.base_ot_finish(SETUP_ID, DELTA, OFFER, SECRET, reply)


def replaced(message: bytes, at: int, piece: bytes) -> bytes:
    return message[:at] + piece + message[at + len(piece) :]


def agree_with_the_oracle(instances: range) -> None:
    randomness = split(stream("offer", _kernel.OFFER_RANDOMNESS_BYTES), 128)
    reply_randomness = split(stream("reply", _kernel.REPLY_RANDOMNESS_BYTES), 64)
    offers, secrets = split(OFFER, 64), split(SECRET, 32)
    replies, seeds, kept = split(REPLY, 32), split(SEEDS, 32), split(finishing(REPLY), 16)
    for j in instances:
        bit = bits(DELTA)[j]
        assert oracle.offer(SETUP_ID, j, bit, randomness[j]) == (offers[j], secrets[j])
        assert oracle.reply(SETUP_ID, j, offers[j], reply_randomness[j]) == (replies[j], seeds[j])
        assert oracle.finish(SETUP_ID, j, bit, offers[j], secrets[j], replies[j]) == kept[j]


def test_the_oracle_gives_the_published_multiples_of_the_generator() -> None:
    element = group.IDENTITY
    for encoding in VECTORS["multiples_of_the_generator"]:
        assert group.encode(element).hex() == encoding
        assert group.encode(group.decode(bytes.fromhex(encoding))).hex() == encoding
        element = group.add(element, group.GENERATOR)


@pytest.mark.parametrize("label", VECTORS["from_sha512_of_label"])
def test_the_oracle_gives_the_published_element_of_a_hash(label: str) -> None:
    element = group.from_uniform_bytes(sha512(label.encode()).digest())
    assert group.encode(element).hex() == VECTORS["from_sha512_of_label"][label]


def test_the_oracles_typed_constants_are_the_roots_they_claim_to_be() -> None:
    assert group.SQRT_AD_MINUS_ONE**2 % group.P == (-group.D - 1) % group.P
    assert group.INVSQRT_A_MINUS_D**2 * (-1 - group.D) % group.P == 1


def test_offer_reply_and_seeds_are_the_oracles_in_the_first_and_last_instances() -> None:
    agree_with_the_oracle(range(6))
    agree_with_the_oracle(range(122, 128))


@pytest.mark.slow
def test_offer_reply_and_seeds_are_the_oracles_in_every_instance() -> None:
    agree_with_the_oracle(range(128))


@pytest.mark.parametrize("delta", [bytes(16), b"\xff" * 16, DELTA], ids=["zeros", "ones", "mixed"])
def test_the_owner_holds_the_seed_its_bit_names_and_not_the_other(delta: bytes) -> None:
    offer, secret = _kernel.base_ot_offer(SETUP_ID, delta, stream(1, _kernel.OFFER_RANDOMNESS_BYTES))
    reply, seeds = _kernel.base_ot_reply(SETUP_ID, offer, stream(2, _kernel.REPLY_RANDOMNESS_BYTES))
    kept = split(_kernel.base_ot_finish(SETUP_ID, delta, offer, secret, reply), 16)
    for pair, bit, seed in zip(split(seeds, 32), bits(delta), kept, strict=True):
        assert pair[16 * bit :][:16] == seed
        assert pair[16 * (1 - bit) :][:16] != seed


def test_no_seed_repeats_across_instances_messages_or_set_ups() -> None:
    other = _kernel.base_ot_reply(bytes(32), OFFER, stream("reply", _kernel.REPLY_RANDOMNESS_BYTES))[1]
    assert len({*split(SEEDS, 16), *split(other, 16)}) == 512


def test_one_offer_or_reply_point_copied_to_another_instance_gives_an_unrelated_seed() -> None:
    copied = replaced(OFFER, 64, OFFER[:64])
    assert split(replying_to(copied)[1], 32)[1] != split(SEEDS, 32)[0]
    assert split(finishing(replaced(REPLY, 32, REPLY[:32])), 16)[1] not in split(SEEDS, 16)


@pytest.mark.parametrize(("why", "encoding"), INVALID, ids=lambda value: str(value)[:24])
def test_a_published_invalid_encoding_is_refused_in_offer_and_reply(why: str, encoding: str) -> None:
    point = bytes.fromhex(encoding)
    with pytest.raises(group.NotAnElement):
        group.decode(point)
    for at in (0, 32, 127 * 64 + 32):
        with pytest.raises(ValueError, match="not the canonical encoding"):
            replying_to(replaced(OFFER, at, point))
    with pytest.raises(ValueError, match="not the canonical encoding"):
        finishing(replaced(REPLY, 127 * 32, point))


def test_the_identity_is_refused_in_offer_and_reply() -> None:
    for at in (0, 32, 127 * 64 + 32):
        with pytest.raises(ValueError, match="the identity"):
            replying_to(replaced(OFFER, at, bytes(32)))
    with pytest.raises(ValueError, match="the identity"):
        finishing(replaced(REPLY, 0, bytes(32)))


def test_an_offer_made_to_cancel_its_own_mask_is_refused() -> None:
    """r_0 = -H(0, 0, r_1) would make the first seed a hash of the identity, known to anybody."""
    hidden = oracle.mask(SETUP_ID, 0, 0, OFFER[32:64])
    crafted = replaced(OFFER, 0, group.encode(group.negate(hidden)))
    with pytest.raises(ValueError, match="masked point is the identity"):
        replying_to(crafted)


@pytest.mark.parametrize("size", [0, 1, 63, 8191, 8193, 81920])
def test_an_offer_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="8192 bytes"):
        replying_to((OFFER * 10)[:size])


@pytest.mark.parametrize("size", [0, 1, 31, 4095, 4097, 40960])
def test_a_reply_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="4096 bytes"):
        finishing((REPLY * 10)[:size])


def test_too_little_or_too_much_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="16384 random bytes"):
        _kernel.base_ot_offer(SETUP_ID, DELTA, bytes(_kernel.OFFER_RANDOMNESS_BYTES - 1))
    with pytest.raises(ValueError, match="8192 random bytes"):
        _kernel.base_ot_reply(SETUP_ID, OFFER, bytes(_kernel.REPLY_RANDOMNESS_BYTES + 1))
