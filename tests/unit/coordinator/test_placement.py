"""Statements about a placement, and what is refused before one is made."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cleanroom.coordinator.placement import MatchTags, check_length, pieces, placed_statement, placement_hash, slots_of
from cleanroom.coordinator.tag_lists import piece_sizes
from cleanroom.errors import PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.statement import verify_statement
from tests.rooms import build_room

SHOP, BRAND = PartyName("shop"), PartyName("brand")


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [(100, (1, 1_600)), (65_536, (1, 1 << 20)), (65_537, (2, 16)), (1 << 24, (256, 1 << 20))],
)
def test_the_capacity_fixes_number_and_sizes_of_pieces(capacity: int, expected: tuple[int, int]) -> None:
    assert piece_sizes(capacity) == expected


@pytest.mark.parametrize("length", [1_599, 1_601, 0, 1_584, 1_616])
def test_a_list_of_another_length_is_refused(length: int) -> None:
    check_length(bytes(1_600), 100)
    with pytest.raises(PeerError):
        check_length(bytes(length), 100)


def test_the_hash_binds_salt_match_party_and_every_slot() -> None:
    base = (bytes(32), bytes(32), SHOP, bytes(8))
    changed = [
        (b"\x01" * 32, bytes(32), SHOP, bytes(8)),
        (bytes(32), b"\x01" * 32, SHOP, bytes(8)),
        (bytes(32), bytes(32), BRAND, bytes(8)),
        (bytes(32), bytes(32), SHOP, bytes(7) + b"\x01"),
    ]
    assert len({placement_hash(*parts) for parts in (base, *changed)}) == 5


def test_slots_travel_in_pieces_of_one_mebibyte() -> None:
    made = pieces(bytes(32), bytes((1 << 20) + 4), bytes(32), b"statement")
    assert [(piece.index, piece.count, len(piece.slots)) for piece in made] == [(0, 2, 1 << 20), (1, 2, 4)]


def test_the_statement_is_the_coordinator_s_own_and_verifies(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    tags = MatchTags(bytes(32), b"t" * 32, SHOP, BRAND, bytes(3_200), bytes(3_200))
    slots = {SHOP: bytes(800), BRAND: bytes(800)}
    statement = placed_statement(
        tags,
        slots,
        {SHOP: b"1" * 32, BRAND: b"2" * 32},
        contract=room.contract,
        contract_hash=room.hash,
        identity=room.home.identity(),
        now=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )
    verified = verify_statement(statement, room.contract, room.hash)
    assert (verified.kind, verified.actor, verified.subject) == ("match.placed", "coordinator", "00" * 32)
    assert verified.body["at"] == "2026-03-01T12:00:00Z"
    assert verified.body["slots"]["shop"] == placement_hash(b"1" * 32, bytes(32), SHOP, bytes(800)).hex()


def test_a_kernel_that_returns_too_few_slots_is_not_believed(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    tags = MatchTags(bytes(32), bytes(32), SHOP, BRAND, bytes(3_200), bytes(3_200))

    def short(tags_a: bytes, tags_b: bytes, /, *, seed: bytes) -> tuple[bytes, bytes]:
        return bytes(800), bytes(796)

    with pytest.raises(PeerError):
        slots_of(tags, room.contract, bytes(32), short)
