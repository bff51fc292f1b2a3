"""Slot trees, masked rows and openings, one node and one word at a time, for small set-ups."""

from __future__ import annotations

from tests.reference.labels import aes, key, xor
from tests.reference.ot_extension import split

Leaves = list[bytes | None]


def children(setup_id: bytes, node: bytes) -> list[bytes]:
    """pi_L(x) xor x and pi_R(x) xor x."""
    return [xor(aes(key(side, setup_id), node), node) for side in ("tree-left", "tree-right")]


def levels(setup_id: bytes, top: list[bytes], depth: int) -> list[list[bytes]]:
    """The nodes of levels 1 to depth, grown from the two of level 1."""
    grown = [top]
    for _ in range(1, depth):
        grown.append([child for node in grown[-1] for child in children(setup_id, node)])
    return grown


def corrections(setup_id: bytes, outputs: list[tuple[bytes, bytes]], depth: int) -> bytes:
    """e^0 || e^1 for levels 2 to depth of one slot; outputs[i] are v^0 and v^1 of level i + 1."""
    grown = levels(setup_id, list(outputs[0]), depth)
    return b"".join(
        xor(output, *nodes[side::2])
        for nodes, pair in zip(grown[1:], outputs[1:], strict=True)
        for side, output in enumerate(pair)
    )


def regrow(setup_id: bytes, siblings: list[bytes], category: int) -> Leaves:
    """All leaves but the category's, from the nodes beside its path; None where the asker knows nothing."""
    depth = len(siblings)
    nodes: Leaves = [None]
    for level, sibling in enumerate(siblings, start=1):
        nodes = [child for node in nodes for child in (children(setup_id, node) if node else [None, None])]
        nodes[(category >> depth - level) ^ 1] = sibling
    return nodes


def siblings(setup_id: bytes, chosen_outputs: list[bytes], sent: bytes, category: int) -> list[bytes]:
    """The nodes beside one slot's path, from the OT outputs the asker chose and the owner's corrections."""
    depth = len(chosen_outputs)
    found = [chosen_outputs[0]]
    for level in range(2, depth + 1):
        known: Leaves = [None]
        for upper, sibling in enumerate(found, start=1):
            known = [child for node in known for child in (children(setup_id, node) if node else [None, None])]
            known[(category >> depth - upper) ^ 1] = sibling
        below = [child for node in known for child in (children(setup_id, node) if node else [None, None])]
        side = 1 - (category >> depth - level & 1)
        correction = split(sent, 16)[2 * (level - 2) + side]
        others = [node for node in below[side::2] if node is not None]
        found.append(xor(correction, chosen_outputs[level - 1], *others))
    return found


def mask_words(leaf: bytes, question: int, slot: int, plane: int, words: int, width: int) -> list[int]:
    """r_{u,j}: m words of 8 * width bits."""
    head = question.to_bytes(8, "big") + slot.to_bytes(4, "big") + bytes([plane])
    blocks = -(-words * width // 16)
    stream = aes(leaf, b"".join(head + counter.to_bytes(3, "big") for counter in range(blocks)))
    return [int.from_bytes(word, "little") for word in split(stream[: words * width], width)]
