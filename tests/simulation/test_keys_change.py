"""A room gets new keys while it lives: what was said before holds, old keys are worth nothing, and budgets go on.

Nodes and coordinator in this process, over TLS; the same by real processes and commands is among the slow tests.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.errors import PeerError, StateError, UsageError
from cleanroom.querylog.log_policy import log_key, log_policy
from cleanroom.question.agreement import Agreement
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.transparency.checkpoint import Checkpoint, sign_checkpoint
from cleanroom.transparency.head import read_head
from cleanroom.transparency.spelling import base64_text
from parties.agreeing import check_before_signing, contract_of, put_in_force, sign
from parties.command.log_heads import follows, held_heads
from tests.command_line import cleanroom, said
from tests.live_room import LiveRoom, live_room, read_log, room_file
from tests.simulation.stepped_room import small_parties


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LiveRoom]:
    """Two companies that have asked and answered once."""
    with live_room(tmp_path, room_file(tmp_path / "room", small_parties())) as running:
        running.ask("shop", "brand")
        yield running


def hub(room: LiveRoom) -> CoordinatorHome:
    return CoordinatorHome(room.state.coordinator_home)


def trust_new_cards(room: LiveRoom) -> None:
    """By telephone, everywhere."""
    cards: list[PartyCard | CoordinatorCard] = [party.home.card() for party in room.parties.values()]
    cards.append(hub(room).card())
    for party in room.parties.values():
        for card in cards:
            if card != party.home.card():
                party.home.trust(card, card.fingerprint(), is_new=True)


def proposed(room: LiveRoom, **terms: object) -> Agreement:
    """What shop would propose; raises what keeps it from signing."""
    home = room.parties["shop"].home
    agreement = Agreement(contract_of(replace(room.state.room, **terms), home), {})  # type: ignore[arg-type]
    check_before_signing(agreement, home, None)
    return agreement


def agree(room: LiveRoom, **terms: object) -> None:
    """Propose, sign everywhere, and go on under it."""
    agreement = proposed(room, **terms)
    for party in room.parties.values():
        check_before_signing(agreement, party.home, None)
        agreement = sign(agreement, party.home)
    room.state.agreement_file.write_bytes(agreement.file_bytes())
    for party in room.parties.values():
        put_in_force(agreement, party.home)
        party.stop()
    room.stop_coordinator()
    room.start_coordinator()
    for party in room.parties.values():
        party.start()


def spent(room: LiveRoom) -> int:
    ((units,),) = room.parties["brand"].look("SELECT SUM(units) FROM ledger WHERE kind = 'reserve'")
    return int(units)


def test_a_room_goes_on_with_new_keys_and_until_then_restarts_with_the_old_ones(room: LiveRoom) -> None:
    before, old = room.contract, room.parties["brand"].node.watch.mirror.head()
    hub(room).rotate_log_key()
    room.parties["brand"].home.rotate_keys(everything=False)
    trust_new_cards(room)
    room.parties["brand"].restart()
    room.parties["shop"].restart()
    room.ask("shop", "brand", by="colour")

    agree(room)
    assert room.contract.coordinator.log_key != before.coordinator.log_key
    assert room.contract.cards["brand"].cosigning != before.cards["brand"].cosigning  # type: ignore[index]
    room.ask("shop", "brand", by="colour", epsilon="2")
    assert [body["actor"] for body in room.log() if body["kind"] == "key.rotated"] == ["coordinator"]
    head = room.parties["shop"].node.watch.mirror.head()
    assert {"shop", "brand"} <= set(read_head(head, log_policy(room.contract)).cosigned_at)
    read_head(old, log_policy(before))
    for party in room.parties.values():
        with pytest.raises(PeerError, match="not signed by the log"):
            party.node.watch.mirror.compare(old)
    room.stop_coordinator()
    exported = hub(room).log_folder(room.contract.room) / "checkpoint"
    read_head(exported.read_bytes(), log_policy(before))


def test_a_lost_copy_of_the_log_is_made_anew_for_a_new_cosigning_key_only(room: LiveRoom) -> None:
    brand = room.parties["brand"]
    size = brand.node.watch.mirror.size
    brand.stop()
    for file in brand.home.mirror_folder.glob("spring-1.sqlite*"):
        file.unlink()
    with pytest.raises(StateError, match="retire the key"):
        brand.start()
    brand.home.rotate_keys(everything=False)
    trust_new_cards(room)
    with pytest.raises(StateError, match="catch up with the log before serving again"):
        agree(room)
    said(cleanroom("party", "ledger", "replay", "--home", brand.home.path))
    for party in room.parties.values():
        if not party.running:
            party.start()
    room.ask("shop", "brand", by="colour")
    assert brand.node.watch.mirror.size > size


def test_after_a_stolen_log_key_only_a_head_of_ones_own_copy_is_gone_on_from(room: LiveRoom) -> None:
    thief, before, paid = hub(room).log_key(), room.contract, spent(room)
    shop = room.parties["shop"].home
    good = next(head for head in held_heads(shop.mirror_folder, before) if len(head.cosigned_at) == 2)
    with pytest.raises(UsageError, match="would have the key of log 1"):
        proposed(room, log_number=2, follows=follows(good))
    hub(room).rotate_log_key()
    trust_new_cards(room)
    for terms, words in (
        ({"log_number": 3, "follows": follows(good)}, "the next one is log 2"),
        ({"log_number": 2, "follows": f"{good.checkpoint.size} {base64_text(bytes(32))}"}, "is no head of the"),
        ({"log_number": 2, "follows": "9" + follows(good)}, "is no head of the"),
    ):
        with pytest.raises((UsageError, StateError), match=words):
            proposed(room, **terms)

    agree(room, log_number=2, follows=follows(good))
    room.ask("shop", "brand", by="colour")
    assert spent(room) > paid, "the ledger went on"
    entries = read_log(hub(room).database(room.contract.room, 2))
    assert entries[0]["kind"] == "key.rotated"
    assert entries[0]["follows"] == good.checkpoint.text()
    with pytest.raises(UsageError, match="another head than the parties agreed on"):
        proposed(room, log_number=2, follows=f"0 {base64_text(bytes(32))}")
    for contract in (before, room.contract):
        forged = sign_checkpoint(Checkpoint(log_key(contract).name, 1, bytes(32)), thief).to_bytes()
        for party in room.parties.values():
            with pytest.raises(PeerError, match="not signed by the log"):
                party.node.watch.mirror.compare(forged)

    room.parties["brand"].stop()
    (room.parties["brand"].home.mirror_folder / "spring-1.sqlite").unlink()
    with pytest.raises(StateError, match=r"spring-1.sqlite is gone"):
        room.parties["brand"].start()
