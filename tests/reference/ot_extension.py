"""The OT extension one bit string at a time (SoftSpokenOT, ePrint 2022/192, with k = 1), for small set-ups.

Columns are lists of blocks; bit s of a block is bit s % 8 of byte s / 8.
"""

from __future__ import annotations

from tests.reference.labels import aes, key, xor
from tests.reference.polyval import polyval

LANES = 128


def split(data: bytes, size: int) -> list[bytes]:
    """Consecutive pieces of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def bits(data: bytes) -> list[int]:
    """All bits, the lowest of each byte first."""
    return [byte >> bit & 1 for byte in data for bit in range(8)]


def pack(values: list[int]) -> bytes:
    """The inverse of `bits`."""
    return bytes(sum(bit << place for place, bit in enumerate(values[at : at + 8])) for at in range(0, len(values), 8))


def block_count(slots: int, depth: int) -> int:
    """Blocks of 128 OTs, without the sacrificed one."""
    return -(-slots // LANES) * depth


def column(setup_id: bytes, index: int, seed: bytes, blocks: int) -> list[bytes]:
    """G(seed) for one column."""
    counters = b"".join(counter.to_bytes(16, "big") for counter in range(blocks))
    return split(aes(key("ot-extension-column", setup_id, bytes([index]), seed), counters), 16)


def choices(categories: bytes, depth: int, pad: bytes) -> list[bytes]:
    """The asker's choice bits: one minus the bit of the category at each level, most significant first."""
    blocks = []
    for first in range(0, len(categories), LANES):
        part = categories[first : first + LANES]
        for level in range(1, depth + 1):
            chosen = [1 - (category >> depth - level & 1) for category in part]
            blocks.append(pack(chosen + [0] * (LANES - len(part))))
    return [*blocks, pad]


def matrix(setup_id: bytes, seeds: bytes, chosen: list[bytes]) -> bytes:
    """u_j = G(k_{j,0}) xor G(k_{j,1}) xor x, block after block."""
    keys = split(seeds, 16)
    pairs = [
        [column(setup_id, index, keys[2 * index + message], len(chosen)) for message in (0, 1)]
        for index in range(LANES)
    ]
    return b"".join(xor(zero[block], one[block], chosen[block]) for block in range(len(chosen)) for zero, one in pairs)


def digest(setup_id: bytes, challenge: bytes, blocks: list[bytes]) -> bytes:
    """POLYVAL of all blocks but the last, plus the last."""
    h = key("ot-extension-challenge", setup_id, challenge)
    return xor(polyval(h, blocks[:-1]), blocks[-1])


def answer(setup_id: bytes, seeds: bytes, chosen: list[bytes], challenge: bytes) -> bytes:
    """The asker's x~ || t~_0 || ... || t~_127."""
    keys = split(seeds, 16)
    columns = [column(setup_id, index, keys[2 * index], len(chosen)) for index in range(LANES)]
    return b"".join(digest(setup_id, challenge, blocks) for blocks in [chosen, *columns])


def owner_columns(setup_id: bytes, seeds: bytes, delta: bytes, sent: bytes) -> list[list[bytes]]:
    """q_j = G(k_{j,delta_j}) xor delta_j * u_j."""
    rows = split(sent, 16 * LANES)
    columns = []
    for index, (seed, bit) in enumerate(zip(split(seeds, 16), bits(delta), strict=True)):
        blocks = column(setup_id, index, seed, len(rows))
        if bit:
            blocks = [xor(block, row[16 * index :][:16]) for block, row in zip(blocks, rows, strict=True)]
        columns.append(blocks)
    return columns


def passes(setup_id: bytes, columns: list[list[bytes]], delta: bytes, challenge: bytes, answered: bytes) -> bool:
    """The owner's check: q~_j = t~_j xor delta_j * x~ for every column."""
    x, *t = split(answered, 16)
    expected = [xor(each, x) if bit else each for each, bit in zip(t, bits(delta), strict=True)]
    return [digest(setup_id, challenge, blocks) for blocks in columns] == expected


def row(columns: list[list[bytes]], depth: int, slot: int, level: int) -> bytes:
    """The 128 bits that a slot's OT at a level has in the columns."""
    block = slot // LANES * depth + level - 1
    place = slot % LANES
    return pack([column[block][place // 8] >> place % 8 & 1 for column in columns])


def output(setup_id: bytes, level: int, slot: int, ot_row: bytes) -> bytes:
    """pi(pi(x) xor t) xor pi(x), t = level || slot (ePrint 2019/074, TMMO)."""
    pi = key("ot-extension-output", setup_id)
    inner = aes(pi, ot_row)
    return xor(aes(pi, xor(inner, level.to_bytes(8, "big") + slot.to_bytes(8, "big"))), inner)
