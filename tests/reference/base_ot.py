"""One instance of the base OTs, step by step (Masny and Rindal, ePrint 2019/706, on ristretto255)."""

from __future__ import annotations

from tests.reference import ristretto as group
from tests.reference.labels import key, wide


def scalar(uniform: bytes) -> int:
    """64 uniform bytes, little-endian, modulo the order of the group."""
    return int.from_bytes(uniform, "little") % group.GROUP_ORDER


def mask(setup_id: bytes, instance: int, message: int, other: bytes) -> group.Element:
    """H(j, i, r_{1-i})."""
    return group.from_uniform_bytes(wide("base-ot-point", setup_id, bytes([instance, message]), other))


def offer(setup_id: bytes, instance: int, choice: int, randomness: bytes) -> tuple[bytes, bytes]:
    """The owner's r_0 || r_1 and scalar, from 128 random bytes."""
    a = scalar(randomness[:64])
    other = group.encode(group.from_uniform_bytes(randomness[64:]))
    hidden = group.negate(mask(setup_id, instance, choice, other))
    chosen = group.encode(group.add(group.multiply(a, group.GENERATOR), hidden))
    points = (chosen, other) if choice == 0 else (other, chosen)
    return b"".join(points), a.to_bytes(32, "little")


def seed(setup_id: bytes, instance: int, message: int, offered: bytes, sent: bytes, shared: group.Element) -> bytes:
    """k_i."""
    return key("base-ot-key", setup_id, bytes([instance, message]), offered, sent, group.encode(shared))


def reply(setup_id: bytes, instance: int, offered: bytes, randomness: bytes) -> tuple[bytes, bytes]:
    """The asker's S and k_0 || k_1, from 64 random bytes."""
    s = scalar(randomness)
    sent = group.encode(group.multiply(s, group.GENERATOR))
    r = (offered[:32], offered[32:])
    seeds = []
    for message in (0, 1):
        base = group.add(group.decode(r[message]), mask(setup_id, instance, message, r[1 - message]))
        seeds.append(seed(setup_id, instance, message, offered, sent, group.multiply(s, base)))
    return sent, b"".join(seeds)


def finish(setup_id: bytes, instance: int, choice: int, offered: bytes, secret: bytes, sent: bytes) -> bytes:
    """The owner's k_b."""
    shared = group.multiply(int.from_bytes(secret, "little"), group.decode(sent))
    return seed(setup_id, instance, choice, offered, sent, shared)
