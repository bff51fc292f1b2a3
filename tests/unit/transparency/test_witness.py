"""A witness never signs two heads of which one does not begin with the other, whatever it is asked and in which order.

hostile-inputs.md rows 38 and 40, and the order of refusals of C2SP tlog-witness.
"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError, StateError
from cleanroom.transparency.checkpoint import Checkpoint, sign_checkpoint
from cleanroom.transparency.consistency import prove_consistency
from cleanroom.transparency.cosignature import cosigned_at, with_cosignature
from cleanroom.transparency.note import SignatureLine, SignedNote, parse_note
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.witness import Advance, Held, Refusal, answer, consider, nothing_held
from cleanroom.transparency.witness_message import (
    INCONSISTENT,
    MALFORMED,
    OTHER_SIZE,
    UNKNOWN_LOG,
    UNSIGNED,
    WitnessAnswer,
    WitnessRequest,
    parse_request,
)
from tests.built_log import (
    COSIGNERS,
    LOG_KEY,
    LOG_SEED,
    ORIGIN,
    SEEDS,
    TIME,
    checkpoint_of,
    signed,
    some_entries,
    tree_of,
)
from tests.reference import merkle as oracle

HONEST = some_entries(12)
FORKED = [*HONEST[:5], *some_entries(7, first=100)]
KEY = COSIGNERS["owner"]


def request(old_size: int, entries: list[bytes], note: bytes | None = None) -> bytes:
    """What a writer sends for the log of these entries."""
    proof = prove_consistency(tree_of(entries), min(old_size, len(entries)), len(entries))
    return WitnessRequest(old_size, proof, note or signed(checkpoint_of(entries)).to_bytes()).to_bytes()


def held(entries: list[bytes], time: int = TIME) -> Held:
    return Held(checkpoint_of(entries), time)


def advance(decision: Advance | Refusal) -> Advance:
    assert isinstance(decision, Advance), decision
    return decision


def refusal(data: bytes, state: Held, now: int = TIME) -> Refusal:
    decision = consider(data, state, [LOG_KEY], now)
    assert isinstance(decision, Refusal), decision
    return decision


def test_a_log_that_grew_is_signed_with_the_time() -> None:
    decision = advance(consider(request(0, HONEST[:3]), nothing_held(ORIGIN), [LOG_KEY], TIME))
    assert decision.held == held(HONEST[:3])
    again = advance(consider(request(3, HONEST), decision.held, [LOG_KEY], TIME + 1))
    assert again.held == held(HONEST, TIME + 1)
    reply = answer(again, name=KEY.name, key=SEEDS["owner"])
    note = with_cosignature(signed(checkpoint_of(HONEST)), reply.body, KEY)
    assert (reply.status, cosigned_at(note, KEY)) == (200, TIME + 1)


def test_the_same_head_may_be_signed_again_later() -> None:
    assert advance(consider(request(3, HONEST[:3]), held(HONEST[:3]), [LOG_KEY], TIME + 9)).held.time == TIME + 9


def test_another_size_than_held_is_a_conflict_that_says_the_size() -> None:
    for old in (0, 2, 4):
        refused = refusal(request(old, HONEST), held(HONEST[:3]))
        assert (refused.answer.status, refused.answer.held_size()) == (OTHER_SIZE, 3)
        assert refused.evidence is None


def test_a_replayed_request_is_a_conflict() -> None:
    data = request(3, HONEST)
    after = advance(consider(data, held(HONEST[:3]), [LOG_KEY], TIME)).held
    assert refusal(data, after).answer.status == OTHER_SIZE


def test_one_size_with_two_roots_convicts_the_log() -> None:
    refused = refusal(request(12, FORKED), held(HONEST))
    assert (refused.answer.status, refused.is_fork) == (INCONSISTENT, True)
    assert refused.evidence is not None
    assert parse_note(refused.evidence.to_bytes()).text == checkpoint_of(FORKED).text()


def test_the_conviction_is_kept_even_when_the_request_is_refused_for_its_size() -> None:
    refused = refusal(request(0, FORKED), held(HONEST))
    assert (refused.answer.status, refused.is_fork, refused.evidence is None) == (OTHER_SIZE, True, False)


def test_a_fork_that_grew_is_refused_by_its_own_proof() -> None:
    refused = refusal(request(8, FORKED), held(HONEST[:8]))
    assert (refused.answer.status, refused.is_fork, refused.evidence is None) == (INCONSISTENT, False, False)


def test_a_fork_before_which_nothing_was_signed_is_not_seen_by_one_witness() -> None:
    """What one witness alone cannot know, two who compare do: that is why a question asks for both."""
    assert advance(consider(request(5, FORKED), held(HONEST[:5]), [LOG_KEY], TIME))


def test_a_smaller_head_is_refused() -> None:
    assert refusal(request(12, HONEST[:3]), held(HONEST)).answer.status == MALFORMED
    assert refusal(request(3, HONEST[:3]), held(HONEST)).answer.status == OTHER_SIZE


def test_a_proof_to_the_empty_log_is_refused() -> None:
    data = WitnessRequest(0, (bytes(32),), signed(checkpoint_of(HONEST)).to_bytes()).to_bytes()
    assert refusal(data, nothing_held(ORIGIN)).answer.status == INCONSISTENT


def test_an_empty_log_with_another_root_is_a_fork() -> None:
    data = WitnessRequest(0, (), signed(Checkpoint(ORIGIN, 0, bytes(32))).to_bytes()).to_bytes()
    assert refusal(data, nothing_held(ORIGIN)).is_fork


def test_another_log_is_not_known_even_when_it_is_rightly_signed() -> None:
    other = Checkpoint("coordinator.example/autumn/log/1", 3, bytes(32))
    data = request(3, HONEST, sign_checkpoint(other, LOG_SEED).to_bytes())
    assert refusal(data, held(HONEST[:3])).answer.status == UNKNOWN_LOG


@pytest.mark.parametrize(
    "lines",
    [
        (SignatureLine(ORIGIN, LOG_KEY.key_id, bytes(64)),),
        (SignatureLine("stranger.example", b"\0\0\0\0", bytes(64)),),
        (*signed(checkpoint_of(HONEST)).signatures, SignatureLine(ORIGIN, LOG_KEY.key_id, bytes(64))),
    ],
)
def test_a_head_that_the_log_did_not_sign_is_forbidden(lines: tuple[SignatureLine, ...]) -> None:
    note = SignedNote(checkpoint_of(HONEST).text(), lines).to_bytes()
    assert refusal(request(3, HONEST, note), held(HONEST[:3])).answer.status == UNSIGNED


def test_a_stranger_s_line_is_neither_stored_nor_signed() -> None:
    right = signed(checkpoint_of(HONEST), "asker")
    forged = SignatureLine(KEY.name, KEY.key_id, bytes(72))
    note = SignedNote(right.text, (forged, *right.signatures)).to_bytes()
    decision = advance(consider(request(3, HONEST, note), held(HONEST[:3]), [LOG_KEY], TIME))
    assert decision.note == signed(checkpoint_of(HONEST))


RIGHT = request(3, HONEST)
WRONG_REQUESTS = {
    "nothing": b"",
    "no old size": RIGHT.split(b"\n", 1)[1],
    "a negative size": RIGHT.replace(b"old 3", b"old -3"),
    "size 2^63": RIGHT.replace(b"old 3", b"old 9223372036854775808"),
    "two spaces": RIGHT.replace(b"old 3", b"old  3"),
    "capitals": RIGHT.replace(b"old 3", b"Old 3"),
    "CRLF": RIGHT.replace(b"\n", b"\r\n"),
    "64 proof lines": b"old 3\n" + (b"A" * 43 + b"=\n") * 64 + RIGHT[RIGHT.index(b"\n\n") + 1 :],
    "a hash of 33 bytes": b"old 3\n" + b"A" * 44 + b"\n" + RIGHT[RIGHT.index(b"\n\n") + 1 :],
    "no checkpoint": RIGHT[: RIGHT.index(b"\n\n") + 2],
    "an extension line": RIGHT.replace(b"\n12\n", b"\n12\nextension\n"),
    "more than any request": RIGHT + b"x" * 200_000,
}


@pytest.mark.parametrize("data", WRONG_REQUESTS.values(), ids=WRONG_REQUESTS.keys())
def test_a_request_has_one_form(data: bytes) -> None:
    assert refusal(data, held(HONEST[:3])).answer.status == MALFORMED


def test_63_proof_lines_are_read_and_judged() -> None:
    data = b"old 3\n" + (b"A" * 43 + b"=\n") * 63 + RIGHT[RIGHT.index(b"\n\n") + 1 :]
    assert len(parse_request(data).proof) == 63
    assert refusal(data, held(HONEST[:3])).answer.status == INCONSISTENT


def test_the_time_never_goes_back_and_a_clock_far_behind_stops_the_witness() -> None:
    assert advance(consider(RIGHT, held(HONEST[:3]), [LOG_KEY], TIME - 60)).held.time == TIME
    with pytest.raises(StateError, match="set the clock"):
        consider(RIGHT, held(HONEST[:3]), [LOG_KEY], TIME - 61)


def test_both_keys_of_a_log_that_changes_its_key_are_heard() -> None:
    new_seed = SigningKey(b"\x09" * 32)
    new_key = NoteKey(ORIGIN, KeyKind.LOG, new_seed.public_bytes())
    both = sign_checkpoint(checkpoint_of(HONEST), LOG_SEED)
    both = SignedNote(both.text, (*both.signatures, *sign_checkpoint(checkpoint_of(HONEST), new_seed).signatures))
    data = request(3, HONEST, both.to_bytes())
    for keys, lines in (([LOG_KEY], 1), ([new_key], 1), ([LOG_KEY, new_key], 2)):
        assert len(advance(consider(data, held(HONEST[:3]), keys, TIME)).note.signatures) == lines


@pytest.mark.parametrize(("status", "body"), [(200, b"x" * 131_073), (418, b""), (500, b"")])
def test_an_answer_that_the_specification_does_not_know_is_refused(status: int, body: bytes) -> None:
    with pytest.raises(PeerError):
        WitnessAnswer(status, body)


@pytest.mark.parametrize(("status", "body"), [(409, b"3"), (409, b"03\n"), (409, b"3\n\n"), (409, b""), (400, b"3\n")])
def test_the_size_in_a_conflict_has_one_form(status: int, body: bytes) -> None:
    with pytest.raises(PeerError):
        WitnessAnswer(status, body).held_size()


@pytest.mark.parametrize("time", [-1, 2**63])
def test_no_state_has_a_time_out_of_range(time: int) -> None:
    with pytest.raises(PeerError):
        Held(checkpoint_of(HONEST), time)


steps = st.lists(
    st.tuples(st.sampled_from([HONEST, FORKED]), st.integers(0, 12), st.integers(0, 12), st.integers(-30, 60)),
    max_size=25,
)


@settings(max_examples=150)
@given(steps, st.booleans())
def test_no_order_of_requests_makes_it_sign_two_histories(
    asked: list[tuple[list[bytes], int, int, int]], follow: bool
) -> None:
    """A writer with two histories, that asks for any head from any size; `follow` makes it ask from what is held."""
    state, now, last = nothing_held(ORIGIN), TIME, 0
    heads: list[list[bytes]] = []
    for branch, old, size, wait in asked:
        now += wait
        entries = branch[:size]
        start = state.checkpoint.size if follow else old
        if last - now > 60:
            continue
        decision = consider(request(start, entries), state, [LOG_KEY], now)
        if isinstance(decision, Advance):
            assert decision.held.time >= last
            state, last = decision.held, decision.held.time
            heads.append(entries)
    for earlier, later in pairwise(heads):
        assert later[: len(earlier)] == earlier
        assert oracle.tree_hash(later[: len(earlier)]) == oracle.tree_hash(earlier)
