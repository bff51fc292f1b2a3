"""A party's folder: keys made once and private, cards kept only under the fingerprint that was confirmed."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cleanroom.errors import StateError, UsageError
from cleanroom.question.card import PartyCard
from cleanroom.question.contract import Contract
from parties.home import Home
from tests.unit.question.agreements import BRAND, SHOP, card, contract, coordinator


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """shop's folder."""
    made = Home(tmp_path / "shop")
    made.create(SHOP)
    return made


def test_a_new_party_has_private_keys_that_fit_its_card(home: Home) -> None:
    keys, own = home.keys(), home.card()
    assert own == PartyCard(SHOP, keys.identity.public_bytes(), keys.sealing.public_bytes(), own.cosigning)
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (home.path / "keys").iterdir()}
    assert files == dict.fromkeys(("identity.key", "sealing.key", "cosigning.key", "state.key"), 0o600)
    for folder in (home.path, home.path / "keys", home.path / "trusted"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_keys_show_and_compare_nothing(home: Home) -> None:
    assert repr(home.keys()) == "PartyKeys(redacted)"
    with pytest.raises(TypeError):
        home.keys() == home.keys()  # noqa: B015
    with pytest.raises(TypeError):
        hash(home.keys())


def test_a_party_is_made_once(home: Home) -> None:
    before = home.card()
    with pytest.raises(UsageError, match="already holds a party"):
        home.create(BRAND)
    assert home.card() == before


def test_two_parties_share_no_key(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "brand")
    other.create(BRAND)
    assert home.keys().state != other.keys().state
    assert home.card().identity != other.card().identity
    assert home.card().cosigning != other.card().cosigning


@pytest.mark.parametrize("name", ["identity.key", "sealing.key", "state.key"])
def test_a_missing_or_open_key_stops_the_node(home: Home, name: str) -> None:
    key = home.path / "keys" / name
    key.chmod(0o640)
    with pytest.raises(StateError, match="chmod 600"):
        home.keys()
    key.unlink()
    with pytest.raises(StateError, match="cannot be read"):
        home.keys()


def test_a_folder_without_a_party_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="party init"):
        Home(tmp_path).card()


def test_a_card_is_trusted_under_its_fingerprint(home: Home) -> None:
    assert home.trust(card("brand"), f" {card('brand').fingerprint().upper()}\n") == "brand"
    assert home.trust(coordinator(), coordinator().fingerprint()) == "coordinator"
    assert home.trusted_cards() == {SHOP: home.card(), BRAND: card("brand")}
    assert home.coordinator() == coordinator()


def test_a_card_of_another_fingerprint_is_not_kept(home: Home) -> None:
    for wrong in ("", card("bank").fingerprint(), card("brand").fingerprint()[:-1], coordinator().fingerprint()):
        with pytest.raises(UsageError, match="another fingerprint"):
            home.trust(card("brand"), wrong)
    assert set(home.trusted_cards()) == {SHOP}
    with pytest.raises(UsageError, match="no coordinator is trusted"):
        home.coordinator()


def test_another_card_under_a_trusted_name_is_refused(home: Home) -> None:
    home.trust(card("brand"), card("brand").fingerprint())
    home.trust(card("brand"), card("brand").fingerprint())
    other = replace(card("brand"), sealing=card("bank").sealing)
    with pytest.raises(UsageError, match="another card of brand is trusted already"):
        home.trust(other, other.fingerprint())
    assert home.trusted_cards()[BRAND] == card("brand")


def room_of(home: Home) -> Contract:
    """A room of shop's present card and everybody else's first ones."""
    return contract(cards={**contract().cards, SHOP: home.card()})


def trust_everybody(home: Home) -> None:
    for one in (card("brand"), card("bank"), coordinator()):
        home.trust(one, one.fingerprint())


def test_new_keys_are_proposed_and_the_old_ones_serve_the_agreement_in_force(home: Home) -> None:
    trust_everybody(home)
    old, before = room_of(home), home.keys()
    for everything in (False, True):
        card_before, keys_before = home.card(), home.keys()
        made = home.rotate_keys(everything=everything)
        assert made == home.card() == PartyCard.from_file(home.card_file.read_bytes())
        assert made.cosigning == home.keys().cosigning.public_bytes() != card_before.cosigning
        assert made.identity == home.keys().identity.public_bytes()
        assert (made.identity == card_before.identity) is not everything
        assert (made.sealing == card_before.sealing) is not everything
        kept = home.keys(card_before)
        assert kept.cosigning.public_bytes() == keys_before.cosigning.public_bytes()
        assert kept.identity.public_bytes() == keys_before.identity.public_bytes()
        assert home.keys().state == before.state
    assert home.keys().identities == (before.identity.public_bytes(), home.card().identity)
    home.check_trust(old, in_force=True)
    home.check_trust(room_of(home))
    with pytest.raises(StateError, match="a card of shop that this node does not trust"):
        home.check_trust(old)


def test_a_partners_new_card_is_proposed_and_its_old_one_serves_the_agreement_in_force(home: Home) -> None:
    trust_everybody(home)
    old = room_of(home)
    newer = replace(card("brand"), cosigning=bytes(range(1, 33)))
    moved = replace(coordinator(), log_key=bytes(range(2, 34)))
    for one in (newer, moved):
        home.trust(one, one.fingerprint(), is_new=True)
    assert home.trusted_cards()[BRAND] == newer
    assert home.coordinator() == moved
    home.check_trust(old, in_force=True)
    for wrong in (old, replace(old, coordinator=moved), replace(old, cards={**old.cards, BRAND: newer})):
        with pytest.raises(StateError, match=r"does not trust|another coordinator"):
            home.check_trust(wrong)
    home.check_trust(replace(old, coordinator=moved, cards={**old.cards, BRAND: newer}))


def test_whoever_finds_a_home_taken_is_told_by_which_process_and_how_to_end_it(home: Home) -> None:
    number = os.getpid()
    with home.locked(), pytest.raises(StateError) as refused, home.locked():
        pass
    assert str(refused.value) == (
        f"a node or a command works in {home.path} already: process {number}, which ends with: kill {number}"
    )
    with home.locked(), home.if_unlocked() as free:
        assert not free
