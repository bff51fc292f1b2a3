"""Release and opening against whole-number arithmetic: what the asker opens is the sum plus the noise."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.answer.opening import open_release, pack_release, parse_release, release, table
from cleanroom.errors import PeerError

WIDTHS = [24, 32, 48, 64]


@st.composite
def answers(draw: st.DrawFn) -> tuple[int, list[list[int]], list[list[int]], list[tuple[int, ...]], list[int]]:
    """Bits; the owner's sums and the true sums, per leaf and word; groups; noise per group and word."""
    bits, leaves, words = draw(st.sampled_from(WIDTHS)), draw(st.integers(2, 6)), draw(st.integers(1, 3))
    bound = 2 ** (bits - 1) // (2 * leaves)
    row = st.lists(st.integers(0, 2**64 - 1), min_size=words, max_size=words)
    true_row = st.lists(st.integers(-bound, bound - 1), min_size=words, max_size=words)
    sums = draw(st.lists(row, min_size=leaves, max_size=leaves))
    true = draw(st.lists(true_row, min_size=leaves, max_size=leaves))
    order = draw(st.permutations(range(1, leaves)))
    cut = draw(st.integers(1, len(order)))
    groups = [tuple(group) for group in (order[:cut], order[cut:]) if group]
    count = len(groups) * words
    return bits, sums, true, groups, draw(st.lists(st.integers(-bound, bound - 1), min_size=count, max_size=count))


@settings(max_examples=200, deadline=None)
@given(answers())
def test_what_is_opened_is_the_sum_of_the_group_plus_its_noise(
    case: tuple[int, list[list[int]], list[list[int]], list[tuple[int, ...]], list[int]],
) -> None:
    bits, sums, true, groups, noise = case
    words = len(sums[0])
    opened = [
        [(mask + value) % 2**64 for mask, value in zip(*rows, strict=True)] for rows in zip(sums, true, strict=True)
    ]
    released = release(noise, sums, groups, bits=bits)
    assert all(0 <= number < 2**bits for number in released)
    expected = [
        sum(true[leaf][word] for leaf in group) + noise[place * words + word]
        for place, group in enumerate(groups)
        for word in range(words)
    ]
    assert open_release(released, opened, groups, bits=bits) == expected


@pytest.mark.parametrize("bits", WIDTHS)
def test_cells_are_signed_and_wrap_at_half_the_width(bits: int) -> None:
    half = 2 ** (bits - 1)

    def opened(number: int) -> int:
        return open_release([number], [[0]], [(0,)], bits=bits)[0]

    assert [opened(number) for number in (0, 1, half - 1, half, 2 * half - 1)] == [0, 1, half - 1, -half, -1]
    assert open_release([2 * half - 1], [[2]], [(0,)], bits=bits) == [1]


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_released_number_is_noise_less_the_masks_modulo_the_width(bits: int) -> None:
    assert release([5], [[9], [7]], [(0,)], bits=bits) == [2**bits - 4]
    assert release([-5, 3], [[1], [2], [3]], [(0, 2), (1,)], bits=bits) == [2**bits - 9, 1]
    assert release([0], [[2**64 - 1]], [(0,)], bits=bits) == [1]


def test_cells_come_group_by_group_and_word_by_word() -> None:
    assert release([10, 20, 30, 40], [[1, 2], [3, 4]], [(1,), (0,)], bits=24) == [7, 16, 29, 38]
    assert open_release([7, 16, 29, 38], [[1, 2], [3, 4]], [(1,), (0,)], bits=24) == [10, 20, 30, 40]


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_release_of_another_number_of_cells_is_refused(count: int) -> None:
    with pytest.raises(PeerError, match="another number"):
        open_release([0] * count, [[0, 0], [0, 0]], [(0,), (1,)], bits=24)


def test_a_table_is_leaves_of_words() -> None:
    data = struct.pack("<6Q", 1, 2, 3, 4, 5, 2**64 - 1)
    assert table(data, leaves=3, words=2) == [[1, 2], [3, 4], [5, 2**64 - 1]]
    for other in (data[:-1], data + b"\x00", data[:40], b""):
        with pytest.raises(PeerError, match="length"):
            table(other, leaves=3, words=2)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_release_travels_as_numbers_below_the_width(bits: int) -> None:
    numbers = [0, 1, 2**bits - 1]
    assert pack_release(numbers) == struct.pack("<3Q", *numbers)
    assert parse_release(pack_release(numbers), cells=3, bits=bits) == numbers
    if bits < 64:
        with pytest.raises(PeerError, match="range"):
            parse_release(struct.pack("<3Q", 0, 2**bits, 0), cells=3, bits=bits)


@pytest.mark.parametrize("length", [0, 8, 15, 17, 24])
def test_a_release_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(PeerError, match="length"):
        parse_release(bytes(length), cells=2, bits=24)
