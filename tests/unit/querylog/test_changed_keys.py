"""What a change of keys may say, how a log goes on from the one before, and what was said there still counts."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import ConflictError, PeerError, StateError
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.querylog.former_logs import former_entries
from cleanroom.querylog.log_policy import former_head, log_key
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.querylog.rotation import check_rotation, keys_of, rotation
from cleanroom.querylog.statement import verify_statement
from cleanroom.question.contract import Contract
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.tree import Tree
from cleanroom.wire.contract_file import contract_hash
from tests.audited_room import Story
from tests.unit.question import agreements

SHOP, BRAND, BANK = agreements.SHOP, agreements.BRAND, agreements.BANK
COORDINATOR = SigningKey(agreements.seed("identity coordinator"))
NEW_LOG_KEY = SigningKey(agreements.seed("another log key"))


def follows(entries: list[bytes]) -> str:
    """The head over these entries, as a contract names it."""
    tree = Tree(leaf_hash(entry) for entry in entries)
    return f"{tree.size} {b64encode(tree.root()).decode()}"


def next_log(entries: list[bytes], number: int = 2) -> Contract:
    """The contract of the log that goes on from these entries."""
    card = replace(agreements.coordinator(), log_key=NEW_LOG_KEY.public_bytes())
    return agreements.contract(coordinator=card, log_number=number, follows=follows(entries))


def beginning(contract: Contract, **more: Any) -> bytes:
    """The coordinator's first entry of a log that follows another."""
    story, head = Story(contract), former_head(contract)
    assert head is not None
    fields = {"comes": [log_key(contract).vkey()], "goes": ["old"], "follows": head.text()}
    return story.say("coordinator", "key.rotated", story.hash, key=COORDINATOR, **{**fields, **more})


def rules(contract: Contract, former: list[bytes] | None = None) -> RoomRules:
    return RoomRules(contract, contract_hash(contract), former)


def before() -> Story:
    """A log in which one question was debited and is open, one is answered."""
    story = Story()
    story.answer()
    story.debit(story.ask())
    return story


def test_a_new_log_begins_with_the_head_that_all_agreed_on_and_with_nothing_else() -> None:
    old = before()
    contract = next_log(old.entries)
    taken = rules(contract, old.entries)
    for wrong in (
        Story(contract).say("shop", "incident", "ab" * 32, sender="brand", message="match.points"),
        beginning(contract, follows="room.test/spring/log/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
        beginning(contract, follows=7),
    ):
        with pytest.raises(PeerError, match=r"rule beginning|signature|rule rotation"):
            taken.take(wrong)
        assert taken.size == 0
    head = former_head(contract)
    assert head is not None
    fields: dict[str, Any] = {"comes": [keys_of(contract, "shop")[0]], "goes": [], "follows": head.text()}
    with pytest.raises(PeerError, match="rule beginning"):
        taken.take(Story(contract).say("shop", "key.rotated", Story(contract).hash, **fields))
    taken.take(beginning(contract))
    assert taken.size == 1


def test_a_first_log_begins_as_it_likes() -> None:
    story = before()
    taken = rules(story.contract)
    for entry in story.entries:
        taken.take(entry)


def test_what_was_said_once_in_the_log_before_is_not_said_again_in_the_next_one() -> None:
    old = before()
    contract = next_log(old.entries)
    taken = rules(contract, old.entries)
    taken.take(beginning(contract))
    with pytest.raises(ConflictError, match="rule twice"):
        taken.take(old.entries[1])
    again = Story(contract)
    subject = Story().ask().hash()
    with pytest.raises(ConflictError, match="rule once"):
        taken.take(again.say("brand", "answer.released", subject, consumer="shop", digest="ab" * 32))


def open_debit(old: Story) -> str:
    """The subject of the question that was debited last."""
    return str(peek_statement(old.entries[-1])["subject"])


def test_a_debit_of_the_log_before_is_voided_in_the_next_one_and_no_other_is() -> None:
    old = before()
    contract, subject = next_log(old.entries), open_debit(old)
    taken = rules(contract, old.entries)
    taken.take(beginning(contract))
    story = Story(contract)
    with pytest.raises(PeerError, match="rule void: there is no debit"):
        taken.take(story.say("brand", "budget.voided", "cd" * 32, consumer="shop"))
    with pytest.raises(PeerError, match="rule void: there is no debit"):
        taken.take(story.say("brand", "budget.voided", subject, consumer="bank"))
    taken.take(story.say("brand", "budget.voided", subject, consumer="shop"))
    with pytest.raises(PeerError, match="was voided before"):
        taken.take(story.say("brand", "budget.voided", subject, consumer="shop"))


def test_who_joined_later_cannot_say_that_a_void_has_no_debit() -> None:
    contract = next_log(before().entries)
    taken = rules(contract, None)
    taken.take(beginning(contract))
    story = Story(contract)
    taken.take(story.say("brand", "budget.voided", "cd" * 32, consumer="shop"))
    with pytest.raises(PeerError, match="rule release: there is no debit"):
        taken.take(story.say("brand", "answer.released", "ef" * 32, consumer="shop", digest="ab" * 32))


def test_a_debit_that_was_signed_with_an_earlier_identity_key_can_be_voided() -> None:
    old = before()
    card = replace(agreements.card("brand"), identity=SigningKey(bytes(range(32))).public_bytes())
    contract = agreements.contract(cards={**agreements.contract().cards, BRAND: card})
    taken = rules(contract)
    for entry in old.entries:
        taken.take(entry)

    def voided(subject: str) -> bytes:
        body = {
            "actor": "brand", "at": "2026-03-03T09:00:00Z", "consumer": "shop",
            "contract": contract_hash(contract).hex(),
            "kind": "budget.voided", "room": contract.room, "subject": subject, "v": 1,
        }  # fmt: skip
        return sign_statement("budget.voided", body, SigningKey(bytes(range(32))))

    with pytest.raises(PeerError, match="rule void"):
        taken.take(voided("cd" * 32))
    taken.take(voided(open_debit(old)))


def test_a_change_of_keys_brings_keys_of_the_contract_and_takes_none_of_them() -> None:
    card = replace(agreements.card("brand"), cosigning=SigningKey(bytes(range(32))).public_bytes())
    old, new = agreements.contract(), agreements.contract(cards={**agreements.contract().cards, BRAND: card})
    story = Story(new)
    said = rotation(new, "brand", before=keys_of(old, "brand"))
    assert said is not None
    assert [len(said[name]) for name in ("comes", "goes")] == [1, 1]
    assert rotation(new, "brand", before=keys_of(new, "brand")) is None
    rules(new).take(story.say("brand", "key.rotated", story.hash, **said))
    for wrong in (
        {"comes": said["goes"], "goes": said["comes"]},
        {"comes": [], "goes": said["goes"]},
        {"comes": said["comes"], "goes": said["comes"]},
        {"comes": said["comes"][0], "goes": []},
        {"comes": said["comes"] * 17, "goes": []},
        {"comes": said["comes"], "goes": ["x" * 401]},
        {"comes": list(keys_of(new, "shop")), "goes": []},
    ):
        with pytest.raises(PeerError, match="rule rotation"):
            rules(new).take(story.say("brand", "key.rotated", story.hash, **wrong))
    with pytest.raises(PeerError, match="rule rotation"):
        rules(new).take(story.say("brand", "key.rotated", "ab" * 32, **said))
    stranger = verify_statement(
        story.say("coordinator", "key.rotated", story.hash, key=COORDINATOR, **said), new, contract_hash(new)
    )
    with pytest.raises(PeerError, match="rule rotation"):
        check_rotation(stranger, new)


def chain() -> tuple[Contract, dict[int, list[bytes]]]:
    """The third log's contract, and the entries of the logs before; each has one that came after its last good head."""
    first = before().entries
    second = next_log(first)
    middle = [beginning(second), Story(second).say("shop", "incident", "ab" * 32, sender="brand", message="x")]
    return next_log(middle, 3), {1: [*first, b"later"], 2: [*middle, b"later"]}


def test_the_logs_before_are_read_up_to_their_last_good_heads_oldest_first() -> None:
    contract, logs = chain()
    found = former_entries(contract, lambda number, size: logs[number])
    assert found == [*logs[1][:-1], *logs[2][:-1]]


@pytest.mark.parametrize(
    "change",
    [
        lambda logs: logs[1].pop(0),
        lambda logs: logs[2].pop(0),
        lambda logs: logs[1].__setitem__(0, b"other"),
        lambda logs: logs[2].clear(),
        lambda logs: logs[1].reverse(),
    ],
)
def test_a_log_before_that_is_another_one_or_too_short_is_not_gone_on_from(
    change: Callable[[dict[int, list[bytes]]], object],
) -> None:
    contract, logs = chain()
    change(logs)
    with pytest.raises(StateError, match="is no head of the"):
        former_entries(contract, lambda number, size: logs[number])


def test_a_log_in_the_middle_that_names_no_head_is_not_gone_on_from() -> None:
    middle = [sign_statement("incident", {"kind": "incident", "actor": "shop"}, agreements.identity("shop"))]
    contract = next_log(middle, 3)
    with pytest.raises(StateError, match="does not say from which head"):
        former_entries(contract, lambda number, size: middle)
