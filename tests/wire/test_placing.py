"""Two tag lists become one placement, or the match ends; nothing in between (row 23, the coordinator's part)."""

import os
import sqlite3
import struct
from pathlib import Path
from typing import Any

import pytest

from cleanroom.coordinator.placement import placement_hash
from cleanroom.errors import AuthenticationError, CleanroomError, PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import open_statement
from cleanroom.transport.client import CoordinatorClient
from cleanroom.wire.messages import Aborted, Placement
from tests.rooms import Room, Running, build_room, running

SHOP, BRAND = PartyName("shop"), PartyName("brand")
SHARED = 40


def tag_lists() -> tuple[bytes, bytes]:
    """Tags for the shop's 120 rows and the brand's 100, the first 40 of both the same."""
    shared = os.urandom(16 * SHARED)
    return shared + os.urandom(16 * (120 - SHARED)), shared + os.urandom(16 * (100 - SHARED))


def opened(room: Room, served: Running) -> tuple[bytes, CoordinatorClient, CoordinatorClient]:
    """A new match of the shop's and both clients."""
    match_id = os.urandom(32)
    shop, brand = room.client("shop", served.address), room.client("brand", served.address)
    shop.append(room.match_opened(match_id, "shop", "brand"))
    return match_id, shop, brand


def slots(placement: Placement) -> tuple[int, ...]:
    """As numbers."""
    return struct.unpack(f"<{len(placement.slots) // 4}I", placement.slots)


def placed(client: CoordinatorClient) -> Placement:
    """The one placement in a mailbox."""
    (delivery,) = client.poll(0, 10_000)
    assert isinstance(delivery.item, Placement)
    return delivery.item


def aborted(client: CoordinatorClient) -> Aborted:
    """The one abort in a mailbox."""
    (delivery,) = client.poll(0, 10_000)
    assert isinstance(delivery.item, Aborted)
    return delivery.item


def test_equal_tags_share_a_slot_and_different_tags_do_not(room: Room, served: Running) -> None:
    match_id, shop, brand = opened(room, served)
    of_shop, of_brand = tag_lists()
    shop.submit_tags(match_id, BRAND, bytes(32), of_brand)
    brand.submit_tags(match_id, SHOP, bytes(32), of_shop)
    first, second = slots(placed(shop)), slots(placed(brand))
    assert len(set(first)) == 120
    assert len(set(second)) == 100
    assert max(first + second) < 220
    assert first[:SHARED] == second[:SHARED]
    assert not set(first[SHARED:]) & set(second)


def test_the_log_holds_a_salted_hash_of_each_party_s_slots(room: Room, served: Running) -> None:
    match_id, shop, brand = opened(room, served)
    of_shop, of_brand = tag_lists()
    shop.submit_tags(match_id, BRAND, b"t" * 32, of_brand)
    brand.submit_tags(match_id, SHOP, b"t" * 32, of_shop)
    mine, theirs = placed(shop), placed(brand)
    statement = shop.read_log(0).entries[1].statement
    assert statement == mine.statement == theirs.statement
    body = open_statement("match.placed", statement, room.contract.coordinator.identity)
    assert body["subject"] == match_id.hex()
    assert body["transcript"] == (b"t" * 32).hex()
    assert body["slots"] == {
        "shop": placement_hash(mine.salt, match_id, SHOP, mine.slots).hex(),
        "brand": placement_hash(theirs.salt, match_id, BRAND, theirs.slots).hex(),
    }
    assert mine.salt != theirs.salt


def test_no_tag_and_no_slot_is_left_when_both_parties_have_theirs(room: Room, served: Running) -> None:
    """Deleted from the database, its write-ahead file included, as soon as the placement is made and acknowledged."""
    match_id, shop, brand = opened(room, served)
    of_shop, of_brand = tag_lists()
    shop.submit_tags(match_id, BRAND, bytes(32), of_brand)
    brand.submit_tags(match_id, SHOP, bytes(32), of_shop)
    for client in (shop, brand):
        placed(client)
        assert client.poll(1, 0) == []
    path: Path = room.home.database(room.contract.room)
    served.server.stop()
    stored = b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())
    for tags in (of_shop, of_brand):
        assert not any(tags[start : start + 16] in stored for start in range(0, len(tags), 16))
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM tag_piece WHERE tags IS NOT NULL").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM mailbox").fetchone() == (0,)


@pytest.mark.parametrize("rows", [99, 101, 0])
def test_a_list_of_another_length_than_the_capacity_is_refused(rows: int, room: Room, served: Running) -> None:
    """Row 23: 100 is the brand's capacity."""
    match_id, shop, _ = opened(room, served)
    if rows == 0:
        with pytest.raises(PeerError):
            shop.submit_tags(match_id, BRAND, bytes(32), os.urandom(16 * 99) + b"half a t")
    else:
        with pytest.raises(PeerError, match="malformed"):
            shop.submit_tags(match_id, BRAND, bytes(32), os.urandom(16 * rows))


def test_a_tag_that_is_twice_in_a_list_ends_the_match_for_both(room: Room, served: Running) -> None:
    """Row 23: nobody is counted twice."""
    match_id, shop, brand = opened(room, served)
    of_shop, of_brand = tag_lists()
    shop.submit_tags(match_id, BRAND, bytes(32), of_brand[:-16] + of_brand[:16])
    brand.submit_tags(match_id, SHOP, bytes(32), of_shop)
    assert aborted(shop) == aborted(brand)


def test_different_transcripts_end_the_match_for_both(room: Room, served: Running) -> None:
    """Row 23: the transcript binds room, match, parties and capacities."""
    match_id, shop, brand = opened(room, served)
    of_shop, of_brand = tag_lists()
    shop.submit_tags(match_id, BRAND, b"1" * 32, of_brand)
    brand.submit_tags(match_id, SHOP, b"2" * 32, of_shop)
    assert aborted(shop) == aborted(brand)


def test_every_abort_says_the_same_whatever_the_reason(room: Room, served: Running) -> None:
    bodies: list[dict[str, Any]] = []
    for spoil in ("duplicate", "transcript"):
        match_id, shop, brand = opened(room, served)
        of_shop, of_brand = tag_lists()
        broken = of_brand[:-16] + of_brand[:16] if spoil == "duplicate" else of_brand
        shop.submit_tags(match_id, BRAND, bytes(32), broken)
        brand.submit_tags(match_id, SHOP, bytes(32) if spoil == "duplicate" else b"2" * 32, of_shop)
        (delivery,) = brand.poll(len(bodies), 10_000)
        assert isinstance(delivery.item, Aborted)
        body = open_statement("match.aborted", delivery.item.statement, room.contract.coordinator.identity)
        assert body.pop("subject") == match_id.hex()
        body.pop("at")
        bodies.append(body)
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("when", ["while tags are missing", "after the placement"])
def test_a_shuffled_resend_is_refused(when: str, room: Room, served: Running) -> None:
    """Row 23: the same tags in another order are other bytes under a known name."""
    match_id, shop, brand = opened(room, served)
    of_shop, of_brand = tag_lists()
    shop.submit_tags(match_id, BRAND, bytes(32), of_brand)
    if when == "after the placement":
        brand.submit_tags(match_id, SHOP, bytes(32), of_shop)
        placed(shop)
    shop.submit_tags(match_id, BRAND, bytes(32), of_brand)
    with pytest.raises(PeerError, match="other bytes are stored"):
        shop.submit_tags(match_id, BRAND, bytes(32), of_brand[16:] + of_brand[:16])


def test_tags_of_a_match_that_was_never_opened_are_refused(room: Room, served: Running) -> None:
    """Row 23: without the logged `match.opened` there is no match."""
    shop = room.client("shop", served.address)
    with pytest.raises(AuthenticationError, match="unknown, or not yours"):
        shop.submit_tags(os.urandom(32), BRAND, bytes(32), os.urandom(1600))


def test_tags_for_one_s_own_rows_are_refused(room: Room, served: Running) -> None:
    """Row 23: only the other party's rows; else a party could make up its own matches."""
    match_id, shop, _ = opened(room, served)
    with pytest.raises(AuthenticationError):
        shop.submit_tags(match_id, SHOP, bytes(32), os.urandom(16 * 120))


def test_an_aborted_match_takes_no_tags(room: Room, served: Running) -> None:
    match_id, shop, brand = opened(room, served)
    brand.append(room.statement("brand", "match.aborted", match_id.hex()))
    with pytest.raises(PeerError, match="this is over"):
        shop.submit_tags(match_id, BRAND, bytes(32), os.urandom(1600))


def test_a_match_id_cannot_be_taken_for_another_pair(room: Room, served: Running) -> None:
    match_id, _, _ = opened(room, served)
    with pytest.raises(PeerError, match="other bytes are stored"):
        room.client("airline", served.address).append(room.match_opened(match_id, "airline", "brand"))


def test_a_placement_that_a_crash_interrupted_is_made_at_the_next_start(room: Room) -> None:
    """Both lists were stored, the process died before it placed them."""
    of_shop, of_brand = tag_lists()

    def dies(tags_a: bytes, tags_b: bytes, /, *, seed: bytes) -> tuple[bytes, bytes]:
        raise MemoryError

    with running(room, place=dies) as first:
        match_id, shop, brand = opened(room, first)
        shop.submit_tags(match_id, BRAND, bytes(32), of_brand)
        brand.submit_tags(match_id, SHOP, bytes(32), of_shop)
        assert shop.poll(0, 0) == []
    with running(room) as second:
        assert len(slots(placed(room.client("shop", second.address)))) == 120


def test_a_list_longer_than_one_piece_is_placed_in_its_order(tmp_path: Path) -> None:
    rows = 70_000
    large = build_room(tmp_path, capacities={"shop": rows, "brand": 100})
    with running(large) as served:
        match_id, shop, brand = opened(large, served)
        of_shop, of_brand = os.urandom(16 * rows), os.urandom(1600)
        brand.submit_tags(match_id, SHOP, bytes(32), of_shop)
        shop.submit_tags(match_id, BRAND, bytes(32), of_brand)
        assert len(set(slots(placed(shop)))) == rows


def test_a_party_may_open_eight_matches_that_are_not_placed_and_no_ninth(room: Room, served: Running) -> None:
    for _ in range(8):
        match_id, shop, _ = opened(room, served)
    with pytest.raises(CleanroomError, match="its turn has not come"):
        opened(room, served)
    shop.append(room.statement("shop", "match.aborted", match_id.hex()))
    opened(room, served)
