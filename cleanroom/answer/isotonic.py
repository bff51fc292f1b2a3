"""Isotonic regression: the sequence that never falls and is nearest, in squares, to a noisy one.

Numbers of people below ascending edges cannot fall, noisy ones do. Pool adjacent violators (Ayer, Brunk, Ewing,
Reid, Silverman, 1955): as long as a block's mean is below that of the block before it, the two become one. Noise that
points up in one place cancels noise that points down in the next; setting negative cells to 0 first would keep only
the noise that points up.
"""

from collections.abc import Sequence
from fractions import Fraction


def isotonic(values: Sequence[int]) -> tuple[Fraction, ...]:
    """As many numbers as `values`, never falling, exact; the sum is kept."""
    blocks: list[tuple[int, int]] = []  # (sum, length)
    for value in values:
        total, length = value, 1
        while blocks and blocks[-1][0] * length >= total * blocks[-1][1]:
            previous = blocks.pop()
            total, length = total + previous[0], length + previous[1]
        blocks.append((total, length))
    return tuple(Fraction(total, length) for total, length in blocks for _ in range(length))
