"""The coordinator, searched: all that it stores and all that passes through it, in a run with canaries.

Two companies match, segment, and ask a count, a cross-tab and a sum. Every request and reply is captured where the
coordinator's handlers see it, in both directions; its folder is copied at several moments, raw (free pages and
write-ahead log included) and row by row; its log and both nodes' logs are kept. Nothing of the people, their values,
their hashes, single masks, keys, the noise or the exact numbers is in any of it, and what is planted is found.
"""

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from cleanroom.coordinator.servicers import MatchingServicer, QueryLogServicer, RelayServicer
from cleanroom.crypto import _kernel
from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.match_secret import MatchSecret
from cleanroom.crypto.signatures import SigningKey
from cleanroom.querylog.dsse import sign_statement
from cleanroom.rpc.v1 import room_pb2
from parties.setup_rows import SetupRows
from tests.live_room import ScriptedNoise
from tests.reference.matching import large_binary
from tests.simulation.leak_search import (
    Spelling,
    digests,
    encodings,
    found,
    json_inside,
    number_spellings,
    numbers,
    text_spellings,
)
from tests.simulation.stepped_room import SteppedRoom, stepped_room

CAPACITY = 1200
SHOP, BRAND = range(620), range(50, 700)
BOTH = range(50, 620)
MARK = "kanarie"
COUNT_NOISE = [1_000_003]
TABLE_NOISE = [1_299_709, 1_299_721, 1_299_743, 1_299_763, 1_299_791, 1_299_811, 1_299_817, 1_299_821, 1_299_827]
SUM_NOISE = [912_345_678_901]
VERBS = {
    RelayServicer: ("Send", "Poll"),
    MatchingServicer: ("SubmitTags",),
    QueryLogServicer: ("Append", "Read", "PollCheckpoint", "SubmitCosignature"),
}


def email(i: int) -> str:
    """Person i."""
    return f"{MARK}.{i}.{i * i * 7919 % 9973}@vogels.example"


def spend(i: int) -> int:
    """What person i spent, below the contract's bound; 570 of them add up to 13 digits."""
    return 2_100_000_000 + 7_919 * i


def tier(i: int) -> str:
    """The asker's column; one value is declared by nobody and must not travel."""
    return ("gold", "silver", f"{MARK}-tier")[(i * 31 % 100) % 3]


def colour(i: int) -> str:
    """The owner's column."""
    return ("red", "blue", f"{MARK}-colour")[(i * 17 % 90) % 3]


def parties() -> dict[str, dict[str, Any]]:
    """shop asks, brand owns."""
    columns = {
        "tier": {"role": "dimension", "from": "tier", "reduce": "most_frequent", "values": ["gold", "silver"]},
        "colour": {"role": "dimension", "from": "colour", "reduce": "most_frequent", "values": ["red", "blue"]},
        "spend": {
            "role": "measure",
            "from": "spend",
            "reduce": "sum",
            "unit": "cents",
            "decimals": 0,
            "low": "0",
            "high": "2147480000",
            "step": "1",
        },
    }

    def rows(people: range) -> list[dict[str, str]]:
        return [{"email": email(i), "tier": tier(i), "colour": colour(i), "spend": str(spend(i))} for i in people]

    return {
        "shop": {"people": rows(SHOP), "columns": columns},
        "brand": {"people": rows(BRAND), "columns": columns},
    }


@dataclass
class Secrets:
    """What the nodes knew and drew, learned by standing inside them."""

    match_keys: list[bytes] = field(default_factory=list)
    match_secrets: list[bytes] = field(default_factory=list)
    tag_keys: list[bytes] = field(default_factory=list)
    setup_state: list[tuple[str, bytes]] = field(default_factory=list)
    sealed_texts: list[tuple[str, bytes]] = field(default_factory=list)
    key_files: list[bytes] = field(default_factory=list)


@dataclass
class Capture:
    """All that the coordinator stores and relays, and what everybody logs."""

    relayed: list[tuple[str, Message]] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    rows: list[Any] = field(default_factory=list)
    coordinator_log: str = ""
    node_log: str = ""

    def parts(self) -> dict[str, bytes]:
        """Every byte string to search, under a name that says where it stood."""
        parts = {f"{number} {name}": message.SerializeToString() for number, (name, message) in enumerate(self.relayed)}
        parts |= self.stored
        for number, row in enumerate(self.rows):
            for place, value in enumerate(row):
                data = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
                parts[f"row {number} column {place}"] = data
        bodies = [json_inside(data) for data in parts.values()]
        bodies += [json_inside(value) for _, message in self.relayed for value in bytes_fields(message)]
        parts |= {f"statement {n}": json.dumps(body).encode() for n, body in enumerate(bodies) if body is not None}
        parts["the coordinator's log"] = self.coordinator_log.encode()
        parts["the nodes' logs"] = self.node_log.encode()
        return joined(parts)

    def values(self) -> set[int]:
        """Every number of every decoded field, row and log line."""
        seen: set[int] = set()
        for _, message in self.relayed:
            seen.update(numbers(message))
        seen.update(numbers(self.rows))
        for line in self.coordinator_log.splitlines():
            event = json.loads(line)
            seen.update(numbers({key: value for key, value in event.items() if key not in ("ms", "port", "at")}))
        return seen


def joined(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Short parts in one piece, each behind a line that no pattern crosses: searching is by the piece."""
    short = [b"\n--------" + name.encode() + b"--------\n" + data for name, data in parts.items() if len(data) < 4096]
    long = {name: data for name, data in parts.items() if len(data) >= 4096}
    return {**long, "short parts": b"".join(short)}


def bytes_fields(message: Message) -> Iterator[bytes]:
    """Every bytes field, however deep."""
    for _, value in message.ListFields():
        if isinstance(value, bytes):
            yield value
        elif isinstance(value, Message):
            yield from bytes_fields(value)
        elif not isinstance(value, str | int):
            for member in value:
                yield from (member,) if isinstance(member, bytes) else bytes_fields(member)


def tapping(
    capture: Capture, method: Callable[..., Any], name: str, after: Callable[[str], None]
) -> Callable[..., Any]:
    """The handler, with its request and its reply kept."""

    def handler(self: Any, request: Message, context: Any) -> Any:
        capture.relayed.append((f"request {name}", request))
        reply = method(self, request, context)
        capture.relayed.append((f"reply {name}", reply))
        after(name)
        return reply

    return handler


def snapshot(capture: Capture, folder: Path, moment: str) -> None:
    """Every file of the coordinator's folder as bytes, and every row of its database."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            capture.stored[f"{moment} {path.relative_to(folder)}"] = path.read_bytes()
    for database in folder.rglob("*.sqlite"):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            capture.rows.extend(connection.execute(f"SELECT * FROM {name}").fetchall())  # noqa: S608 # our own tables
        connection.close()


def instrument(patch: pytest.MonkeyPatch, secrets: Secrets) -> None:
    """Stand inside the nodes: learn a, b, the match secret, the tag key, and all state of the set-ups."""

    class SeenKey(MatchKey):
        __slots__ = ()

        def __init__(self, random_bytes: bytes) -> None:
            super().__init__(random_bytes)
            secrets.match_keys.append(random_bytes)

    patch.setattr("parties.matching.MatchKey", SeenKey)
    made, tag_key, keep = MatchSecret.__init__, MatchSecret.tag_key, SetupRows.keep

    def init(self: MatchSecret, secret: bytes) -> None:
        secrets.match_secrets.append(secret)
        made(self, secret)

    def seen_tag_key(self: MatchSecret) -> bytes:
        secrets.tag_keys.append(tag_key(self))
        return secrets.tag_keys[-1]

    def seen_keep(self: SetupRows, kind: str, identifier: str, data: bytes) -> None:
        secrets.setup_state.append((kind, data))
        keep(self, kind, identifier, data)

    patch.setattr(MatchSecret, "__init__", init)
    patch.setattr(MatchSecret, "tag_key", seen_tag_key)
    patch.setattr(SetupRows, "keep", seen_keep)


def watch_plaintexts(room: SteppedRoom, secrets: Secrets) -> None:
    """Keep the bulk of every message before it is sealed."""
    for party in room.parties.values():
        for kind in ("match.points", "match.dummies", "setup.base", "setup.matrix", "setup.answer",
                     "setup.corrections", "question.rows", "question.release"):  # fmt: skip

            def keep(header: dict[str, Any], blob: bytes, kind: str = kind) -> tuple[dict[str, Any], bytes]:
                secrets.sealed_texts.append((kind, blob))
                return header, blob

            party.tamper(kind, keep)


class Run:
    """One run, and everything known about it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.secrets, self.capture = Secrets(), Capture()
        instrument(patch, self.secrets)
        taken: list[str] = []
        home = folder / "state" / "coordinator"

        def after(name: str) -> None:
            if taken.count(name) < 1 or name == "SubmitTags":
                snapshot(self.capture, home, f"during {name} {len(taken)}")
            taken.append(name)

        for servicer, names in VERBS.items():
            for name in names:
                patch.setattr(servicer, name, tapping(self.capture, getattr(servicer, name), name, after))
        stream = _Lines()
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)
        logging.getLogger().addHandler(stream)
        noise = ScriptedNoise([COUNT_NOISE, TABLE_NOISE, SUM_NOISE])
        try:
            with stepped_room(folder, parties(), capacity=CAPACITY, noise=noise) as room:
                watch_plaintexts(room, self.secrets)
                room.match()
                snapshot(self.capture, home, "after the match")
                self.count = room.ask("shop", "brand").cells
                self.table = room.ask("shop", "brand", by="tier", of="colour").cells
                snapshot(self.capture, home, "after the table")
                self.total = room.ask("shop", "brand", total="spend").cells
                room.settle()
                self.capture.coordinator_log = room.coordinator_log.getvalue()
                self.secrets.key_files = [
                    path.read_bytes() for name in room.parties for path in (room[name].home.path).rglob("*.key")
                ]
        finally:
            logging.getLogger().removeHandler(stream)
            logging.getLogger().setLevel(level)
        self.capture.node_log = "\n".join(stream.lines)
        snapshot(self.capture, home, "afterwards")

    def truths(self) -> list[int]:
        """The exact numbers of the run: sizes, overlap, cells, sum."""
        cells = [
            sum(1 for i in BOTH if tier(i) == by and colour(i) == of)
            for by in ("gold", "silver", f"{MARK}-tier")
            for of in ("red", "blue", f"{MARK}-colour")
        ]
        return [len(SHOP), len(BRAND), len(BOTH), *cells, sum(spend(i) for i in BOTH)]

    def spellings(self) -> list[Spelling]:
        """Everything that must not be there, in every way it could be written."""
        everybody = [email(i) for i in (*SHOP, *BRAND)]
        some = [email(i) for i in (50, 51, 300, 619, 0, 699)]
        all_of_them: list[Spelling] = []
        for text in (MARK, f"{MARK}-tier", f"{MARK}-colour", *some, *(str(spend(i)) for i in (50, 300, 699))):
            all_of_them += text_spellings(f"text of a row: {text}", text)
        for i in (50, 300, 699):
            all_of_them += encodings("a person's value as eight bytes", spend(i).to_bytes(8, "little"))
        for text in everybody:
            for name, digest in digests(text):
                all_of_them += encodings(f"{name} of an identifier", digest)
        data, offsets = large_binary([b"\x00" + text.encode() for text in everybody])
        all_of_them += points("H(id)", _kernel.hash_to_curve(_kernel.HASH_TO_CURVE_DST, data, offsets))
        data, offsets = large_binary([text.encode() for text in everybody])
        all_of_them += points("H(id) without its tag", _kernel.hash_to_curve(_kernel.HASH_TO_CURVE_DST, data, offsets))
        for who, key in zip("ab", self.secrets.match_keys, strict=True):
            all_of_them += points(f"the single mask {who}·H(id)", _kernel.hash_and_mask(key, 0, data, offsets))
            all_of_them += encodings(f"match key {who}", key)
        for kind, keys in (("match secret", self.secrets.match_secrets), ("tag key", self.secrets.tag_keys)):
            for key in keys:
                all_of_them += encodings(kind, key)
        for kind, state in self.secrets.setup_state:
            all_of_them += encodings(f"state of a set-up: {kind}", state[64:128] if len(state) > 128 else state)
        for kind, plain in self.secrets.sealed_texts:
            for start in (0, len(plain) // 2 // 32 * 32):
                all_of_them += encodings(f"inside a sealed {kind}", bytes(plain[start : start + 32]))
        for key in self.secrets.key_files:
            all_of_them += encodings("a party's key file", middle(key))
        for kind, value in (
            ("the exact sum", self.truths()[-1]),
            ("the noise", SUM_NOISE[0]),
            ("a sum", self.total[0]),
        ):
            all_of_them += number_spellings(kind, value)
        return all_of_them

    def numbers(self) -> dict[str, set[int]]:
        """What must not stand in any field as a number."""
        noise = {*COUNT_NOISE, *TABLE_NOISE, *SUM_NOISE}
        answers = {*self.count, *self.table, *self.total}
        return {"exact numbers": set(self.truths()), "noise": noise, "answers": answers}


class _Lines(logging.Handler):
    """Every line that any part of the product logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(f"{record.name} {record.getMessage()}")


def middle(key: bytes) -> bytes:
    """32 bytes in the middle: what stands at the ends of a PEM file is the same in every one."""
    start = (len(key) - 32) // 2
    return key[start : start + 32]


def points(kind: str, packed: bytes) -> Iterator[Spelling]:
    """Half a point is enough to know it again."""
    for start in range(0, len(packed), 32):
        yield from encodings(kind, packed[start : start + 16])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The run that all tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        yield Run(tmp_path_factory.mktemp("run"), patch)


def test_the_run_was_a_real_one(run: Run) -> None:
    """Without this the search could pass because nothing happened."""
    *_, overlap = run.truths()[:3]
    cells, total = run.truths()[3:-1], run.truths()[-1]
    assert run.count == (overlap + COUNT_NOISE[0],)
    assert run.table == tuple(cell + noise for cell, noise in zip(cells, TABLE_NOISE, strict=True))
    assert run.total == (total + SUM_NOISE[0],)
    assert total >= 10**12
    assert len(run.secrets.match_keys) == len(run.secrets.match_secrets) == 2
    assert {name for name, _ in run.capture.relayed} == {
        f"{way} {name}" for way in ("request", "reply") for names in VERBS.values() for name in names
    }
    lists = {f"list {n}": blob for n, (kind, blob) in enumerate(run.secrets.sealed_texts) if kind == "match.points"}
    masks = [one for one in run.spellings() if one.kind.startswith("the single mask") and one.way == "raw"]
    assert len(found(lists, masks)) == len(SHOP) + len(BRAND), "each list holds its sender's masks, so masks are right"
    kinds = {kind for kind, _ in run.secrets.sealed_texts}
    assert {"match.points", "setup.matrix", "question.rows", "question.release"} <= kinds
    assert any(name.endswith("sqlite-wal") for name in run.capture.stored)
    assert "work mask took" in run.capture.node_log, "the nodes did log their steps"


def test_nothing_of_the_people_is_stored_relayed_or_logged(run: Run) -> None:
    """The issue's second "done when": no identifier, hash, mask, key, state, noise or exact sum in any encoding."""
    hits = found(run.capture.parts(), run.spellings())
    assert {(hit.kind, hit.way, where) for hit, where in hits.items()} == set()


def test_no_field_holds_the_noise_an_exact_number_or_an_answer(run: Run) -> None:
    """By value, in every decoded protobuf field, JSON statement, stored row and log line."""
    seen = run.capture.values()
    for kind, forbidden in run.numbers().items():
        assert not forbidden & seen, kind


def test_tags_are_gone_from_the_disk_when_the_match_is_placed(run: Run) -> None:
    """Tags pass through the coordinator and are deleted with the placement, from free pages and journal as well."""
    tags = [message.tags for name, message in run.capture.relayed if isinstance(message, room_pb2.SubmitTagsRequest)]
    assert len(tags) == 2
    spellings = [Spelling("a tag", "raw", tag[start : start + 16]) for tag in tags for start in range(0, len(tag), 16)]
    later = {name: data for name, data in run.capture.stored.items() if name.startswith(("after", "afterwards"))}
    assert found(later, spellings) == {}
    during = {name: data for name, data in run.capture.stored.items() if name.startswith("during SubmitTags")}
    assert found(during, spellings), "they were there before, so this search can see them"


def test_every_planted_leak_is_found(run: Run) -> None:
    """The search works: each kind in each way of writing, planted between bytes of a sealed message, is found."""
    spellings = run.spellings()
    sealed = next(m.envelope.sealed for _, m in run.capture.relayed if isinstance(m, room_pb2.SendRequest))
    filler = [sealed[n % 500 : n % 500 + 5 + n % 11] for n in range(len(spellings))]
    planted = b"".join(fill + spelling.data for fill, spelling in zip(filler, spellings, strict=True))
    assert set(found({"planted": planted}, spellings)) == set(spellings)


@pytest.mark.parametrize("place", ["an envelope", "a statement", "a stored row", "a deleted row", "a log line"])
def test_a_leak_is_found_wherever_it_is_planted(run: Run, place: str, tmp_path: Path) -> None:
    """One of each kind, written in hex, in every place that is captured."""
    kinds = {spelling.kind: spelling for spelling in run.spellings() if spelling.way == "hex"}
    for spelling in kinds.values():
        capture = planted_in(place, spelling.data.decode(), tmp_path)
        assert spelling in found(capture.parts(), [spelling])


@pytest.mark.parametrize("place", ["a statement", "a stored row", "a log line"])
def test_a_number_is_found_wherever_it_is_planted(run: Run, place: str, tmp_path: Path) -> None:
    """Each forbidden number, as a number and as text."""
    for forbidden in run.numbers().values():
        for value in forbidden:
            assert value in planted_in(place, value, tmp_path).values()
            assert value in planted_in(place, str(value), tmp_path).values()


def test_a_number_in_a_protobuf_field_is_found() -> None:
    """By value: `count` of an envelope here."""
    capture = Capture(relayed=[("request Send", room_pb2.SendRequest(envelope=room_pb2.Envelope(count=570)))])
    assert 570 in capture.values()


def planted_in(place: str, leak: str | int, folder: Path) -> Capture:
    """A capture with one leak in it."""
    if place == "an envelope":
        sealed = os.urandom(33) + str(leak).encode() + os.urandom(7)
        return Capture(relayed=[("request Send", room_pb2.SendRequest(envelope=room_pb2.Envelope(sealed=sealed)))])
    if place == "a statement":
        statement = sign_statement("incident", {"kind": "incident", "leak": leak}, SigningKey.generate())
        return Capture(relayed=[("request Append", room_pb2.AppendRequest(statement=statement))])
    if place == "a log line":
        return Capture(coordinator_log=json.dumps({"event": "call", "note": leak}))
    path = folder / f"{os.urandom(8).hex()}.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete=OFF")
    connection.execute("CREATE TABLE planted (leak)")
    connection.execute("INSERT INTO planted VALUES (?)", (leak,))
    connection.commit()
    if place == "a deleted row":
        connection.execute("DELETE FROM planted")
        connection.commit()
    connection.close()
    capture = Capture()
    sub = folder / path.stem
    sub.mkdir()
    path.rename(sub / path.name)
    snapshot(capture, sub, "planted")
    return capture
