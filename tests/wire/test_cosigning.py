"""Heads travel to cosigners and cosignatures back, parties' and an auditor's; nobody's polls are in another's way."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import grpc
import pytest

from cleanroom.cosigner.cosigner import Cosigner
from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.room_check import RoomCheck
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, PeerError, UnavailableError
from cleanroom.ids import PartyName
from cleanroom.querylog.log_policy import cosigner_key, log_policy, question_quorum
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.transparency.checkpoint import open_checkpoint, parse_checkpoint
from cleanroom.transparency.cosignature import cosign, cosigned_at
from cleanroom.transparency.folder import verify_folder
from cleanroom.transparency.note import SignatureLine, SignedNote, parse_note
from cleanroom.transparency.proof_file import verify_proof
from cleanroom.transparency.witness_message import COSIGNED, INCONSISTENT, WitnessAnswer, cosigned_answer, parse_request
from cleanroom.transport.client import CoordinatorClient
from cleanroom.wire.messages import Published
from tests.rooms import DOMAIN, Room, Running, build_room, running
from tests.wire.raw import HEALTH, READ, certificate, raw_channel, read_request, status_of

TIME = 1_800_000_000
EVERYBODY = ("shop", "brand", "airline", "eye")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Three parties and an auditor whom the contract requires."""
    return build_room(tmp_path, ("shop", "brand", "airline"), auditors={"eye": True})


@pytest.fixture
def served(room: Room) -> Iterator[Running]:
    """The room, served in this process."""
    with running(room) as server:
        yield server


def cosigner(room: Room, name: str, client: CoordinatorClient) -> tuple[Cosigner, Mirror]:
    """The product's own cosigner of a party or an auditor."""
    folder = room.cosigner(name).folder / "mirror"
    folder.mkdir(mode=0o700)
    mirror = Mirror(folder / "log.sqlite", log_policy(room.contract), name=name, begun=False)
    made = Cosigner(
        mirror,
        client,
        name=name,
        key=room.cosigner(name).cosigning,
        clock=lambda: TIME,
        check=RoomCheck(mirror, lambda: RoomRules(room.contract, room.hash)),
        changed=lambda: None,
    )
    return made, mirror


def until(holds: Callable[[], object], step: Callable[[], object]) -> None:
    """Step until something holds."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never came"
        step()


def line(room: Room, name: str, note: bytes, key: SigningKey | None = None) -> WitnessAnswer:
    """A cosigner's answer for the head in a note."""
    parsed = parse_note(note)
    head = parse_checkpoint(parsed.text)
    known = cosigner_key(room.contract, PartyName(name))
    signature = cosign(head, name=known.name, key=key or room.cosigner(name).cosigning, time=TIME)
    named = SignatureLine(known.name, known.key_id, signature.signature)
    return cosigned_answer(SignedNote(parsed.text, (named,)))


def newest(client: CoordinatorClient, size: int) -> bytes:
    """The log-signed note of the head of this size, once it is the newest."""
    found = b""

    def look() -> bool:
        nonlocal found
        request = client.poll_checkpoint(0, 0, 100).request
        found = parse_request(request).checkpoint if request else b""
        return bool(found) and parse_checkpoint(parse_note(found).text).size == size

    until(look, lambda: None)
    return found


def test_every_cosigner_can_prove_an_entry_from_its_own_mirror_and_the_folder_verifies(
    room: Room, served: Running
) -> None:
    cosigners = [cosigner(room, name, room.client(name, served.address)) for name in EVERYBODY]
    statement = room.statement("shop", "incident", "one")
    assert room.client("shop", served.address).append(statement) == 0
    quorum = question_quorum(room.contract, asker=PartyName("shop"), owner=PartyName("brand"))

    def step() -> None:
        for one, _ in cosigners:
            one.step(10)

    until(lambda: all(mirror.proof(statement, quorum) for _, mirror in cosigners), step)
    for _, mirror in cosigners:
        proof = mirror.proof(statement, quorum)
        assert proof is not None
        index, head = verify_proof(proof, statement, log_policy(room.contract).with_quorum(quorum))
        assert (index, head.checkpoint.size) == (0, 1)
        mirror.close()
    served.server.stop()
    folder = room.home.log_folder(room.contract.room)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    verified = verify_folder(files, log_policy(room.contract))
    assert verified.contents.entries == (statement,)
    assert set(verified.head.cosigned_at) >= {"shop", "eye"}


def test_a_waiting_cosigner_hears_of_a_new_head_at_once(room: Room, served: Running) -> None:
    heard: list[Published] = []
    eye = room.client("eye", served.address)
    poll = Waiting(lambda: heard.append(eye.poll_checkpoint(0, 0, 20_000)))
    until_admitted(served, 1)
    started = time.monotonic()
    room.client("shop", served.address).append(room.statement("shop", "incident", "one"))
    poll.join()
    assert time.monotonic() - started < 5
    (news,) = heard
    request = parse_request(news.request)
    assert (request.old_size, request.proof, news.notes) == (0, (), ())
    head = open_checkpoint(parse_note(request.checkpoint), log_policy(room.contract).log_keys)
    assert head.size == 1


def test_cosignatures_are_passed_on_and_come_once(room: Room, served: Running) -> None:
    shop, eye = room.client("shop", served.address), room.client("eye", served.address)
    shop.append(room.statement("shop", "incident", "one"))
    note = newest(shop, 1)
    shop.submit_cosignature(1, line(room, "shop", note))
    eye.submit_cosignature(1, line(room, "eye", note))
    news = shop.poll_checkpoint(1, 0, 0)
    assert news.request == b""
    (grown,) = news.notes
    keys = {name: cosigner_key(room.contract, PartyName(name)) for name in ("shop", "eye", "brand")}
    times = {name: cosigned_at(parse_note(grown), key) for name, key in keys.items()}
    assert times == {"shop": TIME, "eye": TIME, "brand": None}
    assert shop.poll_checkpoint(1, news.version, 0).notes == ()
    shop.submit_cosignature(1, line(room, "shop", note))
    assert shop.poll_checkpoint(1, news.version, 0).notes == ()
    assert shop.poll_checkpoint(1, news.version + 7, 0).notes == (grown,)


@pytest.mark.parametrize("forged", ["another's line", "a line that does not verify", "no line", "junk"])
def test_a_line_that_does_not_hold_never_enters_a_note(forged: str, room: Room, served: Running) -> None:
    """Row 39: the stored state is not poisoned, and the true line is taken afterwards."""
    brand = room.client("brand", served.address)
    brand.append(room.statement("brand", "incident", "one"))
    note = newest(brand, 1)
    answers = {
        "another's line": line(room, "shop", note),
        "a line that does not verify": line(room, "brand", note, SigningKey.generate()),
        "no line": WitnessAnswer(COSIGNED, b""),
        "junk": WitnessAnswer(COSIGNED, b"\xff\xfe"),
    }
    with pytest.raises(PeerError):
        brand.submit_cosignature(1, answers[forged])
    assert brand.poll_checkpoint(1, 0, 0).notes == ()
    brand.submit_cosignature(1, line(room, "brand", note))
    assert len(brand.poll_checkpoint(1, 0, 0).notes) == 1


def test_a_refusal_is_heard_and_a_head_that_was_never_published_is_not_spoken_of(room: Room, served: Running) -> None:
    eye = room.client("eye", served.address)
    eye.submit_cosignature(0, WitnessAnswer(INCONSISTENT))
    assert '"event": "cosigner refuses"' in room.logged.getvalue()
    with pytest.raises(PeerError, match="malformed"):
        eye.submit_cosignature(1, WitnessAnswer(INCONSISTENT))


def test_whoever_holds_more_than_the_log_is_shown_the_log_s_own_word_for_it(room: Room, served: Running) -> None:
    """Row 36: a restored database is convicted by what its own log signs."""
    request = parse_request(room.client("brand", served.address).poll_checkpoint(5, 0, 0).request)
    head = open_checkpoint(parse_note(request.checkpoint), log_policy(room.contract).log_keys)
    assert (request.old_size, head.size) == (5, 0)


def test_an_auditor_of_the_contract_reads_and_may_not_append(room: Room, served: Running) -> None:
    room.client("shop", served.address).append(room.statement("shop", "incident", "one"))
    eye = room.client("eye", served.address)
    assert len(eye.read_log(0).entries) == 1
    with pytest.raises(AuthenticationError, match="unknown, or not yours"):
        eye.append(room.statement("shop", "incident", "two"))
    with pytest.raises(AuthenticationError):
        eye.poll(0, 0)


@pytest.mark.parametrize("name", ["stranger", "shop"])
def test_an_auditor_whom_the_contract_does_not_name_learns_whether_the_coordinator_is_healthy_and_no_more(
    name: str, room: Room, served: Running
) -> None:
    """The name of a party in an auditor's certificate is no party."""
    pair = certificate(room.home.authority(), uris=(f"cleanroom://{DOMAIN}/auditor/{name}",))
    with raw_channel(room, served.address, pair) as channel:
        assert status_of(channel, READ, read_request(room, name))[0] is grpc.StatusCode.PERMISSION_DENIED
        assert channel.unary_unary(HEALTH)(b"", timeout=5) == b"\x08\x01"


def test_an_auditor_under_another_contract_is_told_so(room: Room, served: Running) -> None:
    with raw_channel(room, served.address, room.cosigner("eye").tls_pair()) as channel:
        code, sentence = status_of(channel, READ, read_request(room, "eye", contract_hash=bytes(32)))
    assert (code, sentence) == (grpc.StatusCode.FAILED_PRECONDITION, "the room or the contract differs")


class Waiting(threading.Thread):
    """One long poll of either kind on a thread of its own."""

    def __init__(self, poll: Callable[[], object]) -> None:
        super().__init__()
        self._poll = poll
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Keep how it ended."""
        try:
            self._poll()
        except UnavailableError as error:
            self.error = error


def until_admitted(served: Running, count: int) -> None:
    """Until this many calls have passed the gate."""
    until(lambda: served.server.counters.total("calls_admitted_total") >= count, lambda: time.sleep(0.001))


def everybody_waits(room: Room, served: Running) -> tuple[Sequence[Waiting], dict[str, CoordinatorClient]]:
    """Every party holds a poll of its mailbox and one of the log, every auditor one of the log."""
    clients = {name: room.client(name, served.address) for name in EVERYBODY}
    before = served.server.counters.total("calls_admitted_total")
    polls = [Waiting(lambda one=client: one.poll_checkpoint(0, 0, 20_000)) for client in clients.values()]  # type: ignore[misc] # bound now
    polls += [
        Waiting(lambda one=clients[name]: one.poll(0, 20_000))  # type: ignore[misc] # bound now
        for name in EVERYBODY
        if name in room.members
    ]
    until_admitted(served, before + len(polls))
    return polls, clients


def test_a_poll_of_the_log_and_one_of_the_mailbox_do_not_end_each_other(room: Room, served: Running) -> None:
    mailbox = Waiting(lambda: room.client("brand", served.address).poll(0, 20_000))
    until_admitted(served, 1)
    older = Waiting(lambda: room.client("brand", served.address).poll_checkpoint(0, 0, 20_000))
    until_admitted(served, 2)
    newer = Waiting(lambda: room.client("brand", served.address).poll_checkpoint(0, 0, 20_000))
    older.join()
    assert "a newer poll" in str(older.error)
    room.client("brand", served.address).poll_checkpoint(0, 0, 0)
    assert mailbox.is_alive()
    assert newer.is_alive(), "who looks without waiting takes nobody's place"
    shop = room.client("shop", served.address)
    shop.send(room.envelope("shop", "brand", b"sealed"))
    shop.append(room.statement("shop", "incident", "one"))
    for poll in (mailbox, newer):
        poll.join()
        assert poll.error is None


def test_with_everybody_in_both_polls_ordinary_calls_are_answered_quickly(room: Room, served: Running) -> None:
    """Hostile inputs, section 4: each node holds two long polls, one node's polls break off, calls stay < 100 ms."""
    polls, clients = everybody_waits(room, served)
    ghost = room.client("airline", served.address)
    broken = [Waiting(lambda: ghost.poll_checkpoint(0, 0, 20_000)), Waiting(lambda: ghost.poll(0, 20_000))]
    ghost.close()
    taken = []
    for _ in range(10):
        for client in clients.values():
            started = time.monotonic()
            client.read_log(0)
            taken.append(time.monotonic() - started)
    clients["shop"].send(room.envelope("shop", "brand", os.urandom(100)))
    assert median(taken) < 0.1
    assert max(taken) < 1.0
    served.server.stop()
    for poll in (*polls, *broken):
        poll.join()
