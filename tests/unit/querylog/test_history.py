"""What an auditor reads from a log: records made of believed entries, and everything else left aside and named."""

import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto.signatures import SigningKey
from cleanroom.ids import PartyName
from cleanroom.querylog.event import UNCHECKED
from cleanroom.querylog.history import History, read_history
from tests.audited_room import Story, ordinary


def history(story: Story, *, terms: bool = True) -> History:
    return read_history(story.entries, {story.hash: story.contract} if terms else {})


def test_a_day_is_read_as_it_happened() -> None:
    found = history(ordinary())
    assert [(question.asker, question.owner, question.outcome) for question in found.questions] == [
        ("shop", "brand", "answered"),
        ("shop", "brand", "refused"),
        ("brand", "shop", "answered"),
        ("bank", "brand", "voided"),
        ("bank", "shop", "asked"),
    ]
    assert [match.outcome for match in found.matches] == ["debited"]
    assert [event.kind for event in (*found.stops, *found.incidents)] == ["room.paused", "incident"]
    assert found.strays == ()
    assert all(event.doubt == "" for event in found.events)


def test_every_entry_is_in_one_record_or_a_stray() -> None:
    story = ordinary()
    story.say("bank", "answer.released", "c" * 64, consumer="shop", digest="d")
    story.entries.append(b"no statement")
    found = history(story)
    records = [event for question in found.questions for event in question.events]
    records += [event for match in found.matches for event in match.events]
    indexes = [one.index for one in (*records, *found.stops, *found.terms, *found.incidents, *found.strays)]
    assert sorted(indexes) == list(range(len(story.entries)))


def test_without_an_agreement_everything_is_told_and_nothing_was_checked() -> None:
    found = history(ordinary(), terms=False)
    assert len(found.questions) == 5
    assert {event.doubt for event in found.events} == {UNCHECKED}


def test_a_release_that_its_owner_did_not_sign_answers_nothing() -> None:
    story = Story()
    plan = story.ask()
    story.debit(plan)
    story.say("brand", "answer.released", plan.hash(), key=SigningKey.generate(), consumer="shop", digest="x")
    found = history(story)
    assert found.questions[0].outcome == "charged"
    assert [stray.index for stray in found.strays] == [2]
    assert "signature" in found.strays[0].doubt


def test_what_somebody_else_says_about_a_question_is_no_part_of_it() -> None:
    story = Story()
    plan = story.ask("shop", "brand")
    story.say("bank", "question.refused", plan.hash(), rule="none", owner="bank", explanation="I say so", advice="go")
    found = history(story)
    assert found.questions[0].outcome == "asked"
    assert [stray.actor for stray in found.strays] == ["bank"]


def test_a_plan_under_another_hash_or_signed_by_another_asker_is_not_the_question() -> None:
    story = Story()
    plan = story.ask("shop", "brand")
    story.say("bank", "question.asked", plan.hash(), plan=plan.body(), owner="brand")
    story.say("shop", "question.asked", "e" * 64, plan=plan.body(), owner="brand")
    found = history(story)
    assert [question.plan == plan for question in found.questions] == [True]
    assert [stray.index for stray in found.strays] == [1, 2]


def test_an_entry_under_terms_that_were_not_given_is_told_with_its_doubt() -> None:
    story, other = Story(), Story()
    plan = story.ask()
    other.contract = type(story.contract)(
        **{name: getattr(story.contract, name) for name in story.contract.__dataclass_fields__} | {"purpose": "changed"}
    )
    found = read_history(story.entries, {other.hash: other.contract})
    assert found.questions[0].plan == plan
    assert "shop signed it, but under terms" in found.events[0].doubt
    assert found.events[0].believed


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_no_entry_whatever_ends_the_reading(data: st.DataObject) -> None:
    """Bytes, JSON of any shape, and well-signed statements with any fields at all."""
    story = ordinary()
    json_values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
        max_leaves=9,
    )
    kinds = st.sampled_from(["question.asked", "budget.debit", "match.debit", "answer.released", "incident", "x"])
    for _ in range(data.draw(st.integers(1, 4))):
        body: dict[str, Any] = data.draw(
            st.dictionaries(st.sampled_from(["plan", "units", "consumer", "at", "owner"]), json_values)
        )
        if data.draw(st.booleans()):
            story.say("shop", data.draw(kinds), data.draw(st.text(max_size=70)), **body)
        else:
            story.entries.append(data.draw(st.binary(min_size=1, max_size=80)))
    found = read_history(story.entries, {story.hash: story.contract})
    assert len(found.events) == len(story.entries)


def test_one_changed_letter_of_a_statement_is_not_believed() -> None:
    story = Story()
    story.ask()
    envelope = json.loads(story.entries[0])
    payload = base64.b64decode(envelope["payload"]).replace(b'"alice"', b'"alicf"')
    envelope["payload"] = base64.b64encode(payload).decode()
    story.entries[0] = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    found = history(story)
    assert found.questions == ()
    assert not found.strays[0].believed
    assert found.strays[0].actor == PartyName("shop")
