"""One person more or less changes the noisy numbers and nothing else: no draw, no size, no message, no other field.

Record and replay through the whole room: run it on a table with frozen noise, then on a neighbouring table with the
noise that leads to the same released numbers. The whole answer must come out equal, the releases must be the same in
name, length, scale and sensitivity, the exact sums no further apart than that sensitivity, and everything that either
node or the coordinator saw of the same kinds and lengths. Zero tolerance.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.answers.shops import COLUMNS, Row, frame, shop_rows
from tests.live_room import (
    RecordingNoise,
    ScriptedNoise,
    Seen,
    live_room,
    quantity_of,
    read_database,
    room_file,
    write_csv,
)
from tests.reference.record_replay import Recorded, Recorder
from tests.reference.true_answer import Cells, true_parts

SHOP = shop_rows(range(10), seed=5)
BRAND = shop_rows(range(4, 16), seed=6)
SHARED, OWNERS_ONLY = "8", "15"
NOBODY_YET, ASKERS_ONLY = "99", "0"
QUESTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"by": "tier", "of": "colour"},
    {"by": "colour", "of": "returned"},
    {"of": "tier"},
    {"total": "spend"},
    {"by": "returned", "total": "spend"},
    {"by": "tier", "total": "orders"},
    {"mean": "dearest"},
    {"by": "tier", "mean": "dearest"},
    {"by": "size", "quantile": "dearest"},
    {"by": "colour", "quantile": "size"},
    {"base": "table"},
    {"base": "table", "by": "tier", "of": "colour"},
    {"base": "table", "by": "size", "total": "spend"},
    {"base": "table", "by": "colour", "mean": "dearest"},
    {"base": "table", "by": "tier", "quantile": "spend"},
)


@dataclass(frozen=True)
class Run:
    """One question in a fresh room: the answer, the releases, what was seen, and what was stored at the coordinator."""

    answer: dict[str, Any]
    releases: list[Recorded]
    draws: int
    seen: dict[str, list[Seen]]
    stored: dict[str, list[tuple[int, ...]]]
    truth: tuple[Cells, ...]

    @property
    def shown(self) -> dict[str, Any]:
        """The answer without the random ids in the plan's hash, without signatures and without the clock."""
        question = {key: value for key, value in self.answer["question"].items() if key != "plan"}
        return {**self.answer, "question": question, "receipt": sorted(self.answer["receipt"]), "seconds": {}}


def run(
    shop: Sequence[Row], brand: Sequence[Row], question: dict[str, Any], released: list[list[int]] | None = None
) -> Run:
    """Shop asks brand. Without `released` the noise is a fixed list for each part; with it, whatever leads to these.

    A person whose rows say so in the column `opted_out` is on the owner's opt-out list.
    """
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder, recorder = Path(name), Recorder()
        patch.setattr("parties.answering.noisy", recorder)
        opted_out = [row for row in brand if "opted_out" in row]
        listed = [{"email": row["email"]} for row in opted_out] or [{"email": "stranger@example.org"}]
        parties: dict[str, dict[str, Any]] = {
            "shop": {"people": plain(shop), "columns": COLUMNS},
            "brand": {
                "people": plain(brand),
                "columns": COLUMNS,
                "opt_out": str(write_csv(folder / "out.csv", listed)),
            },
        }
        terms = room_file(folder, parties, capacity=100, overlap={"epsilon": "8", "delta": "1e-9", "matches": 1})
        noise = RecordingNoise(ScriptedNoise([]))
        room = live_room(folder, terms, noise={"brand": noise})
        kept = [row for row in brand if row["person"] not in {out["person"] for out in opted_out}]
        frames = {"shop": frame(shop), "brand": frame(kept or [{**brand[0], "person": "nobody"}])}
        about = {name: column for name, column in question.items() if name not in ("by", "base")}
        truth = true_parts(
            room.contract,
            frames,
            "shop",
            "brand",
            question.get("by", ""),
            quantity_of(**about),
            question.get("base", "match"),
        )
        exact = [list(part.values()) for part in truth]
        wanted = [
            [after - before for after, before in zip(numbers, part, strict=True)]
            for numbers, part in zip(released or [], exact, strict=bool(released))
        ]
        # Large and positive in the first cell of a count, so that no mean of these few people is undefined throughout.
        usual = [[(-1) ** at * 3 * at or 150 for at in range(len(part))] for part in exact]
        noise.source = ScriptedNoise(list(wanted or usual))
        with room:
            answer = room.ask("shop", "brand", **question)
            seen = {name: list(party.taps[0].seen) for name, party in room.parties.items()}
        stored = {table: sizes(room.coordinator_database, table) for table in ("log", "sent", "match", "tag_piece")}
        stored["counter"] = [tuple(row) for row in read_database(room.coordinator_database, "SELECT last FROM counter")]
    return Run(answer, recorder.records, len(noise.draws), seen, stored, truth)


def plain(rows: Sequence[Row]) -> list[Row]:
    """Rows as they stand in the file."""
    return [{key: value for key, value in row.items() if key != "opted_out"} for row in rows]


def sizes(database: Path, table: str) -> list[tuple[int, ...]]:
    """The length of every text and blob of every row, rows in no order."""
    rows = read_database(database, f"SELECT * FROM {table}")  # noqa: S608 # a literal of this file
    return sorted(tuple(len(value) for value in row if isinstance(value, str | bytes)) for row in rows)


def assert_alike(one: Run, other: Run) -> None:
    """Every kind and length that either node or the coordinator sees is the same; each node says it in one order."""
    assert one.stored == other.stored
    for party, seen in one.seen.items():
        for_both = (seen, other.seen[party])
        sent, sent_too = ([item for item in items if item.way == "sent"] for items in for_both)
        assert sent == sent_too
        got, got_too = (sorted(repr(item) for item in items if item.way == "received") for items in for_both)
        assert got == got_too
        assert sent
        assert got
    assert one.draws == other.draws == len(one.truth)


def assert_hides_one_person(base: Run, neighbour: Run) -> None:
    """Recorded and replayed: same releases, close enough sums, equal answers."""
    assert base.shown == neighbour.shown
    shapes = [
        [(one.tag, len(one.vector), one.sensitivity, one.scale, one.law) for one in found.releases]
        for found in (base, neighbour)
    ]
    assert shapes[0] == shapes[1]
    for release, before, after in zip(base.releases, base.truth, neighbour.truth, strict=True):
        moved = [abs(before[cell] - after[cell]) for cell in before]
        assert sum(moved) <= release.sensitivity
        assert sum(distance > 0 for distance in moved) <= 1
    assert_alike(base, neighbour)


def units_of(found: Run) -> list[list[int]]:
    """The released numbers of each part in whole steps: truth plus the frozen noise."""
    return [
        [exact + extra for exact, extra in zip(part.values(), release.released, strict=True)]
        for part, release in zip(found.truth, found.releases, strict=True)
    ]


PRICES = ("-999999999", "999999999999999999", "49.99", "-20", "50", "NaN", "inf", "-0", "", "12,5", "1e9")
row_of_a_person = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["gold", "silver", "Ärmel", "never seen before", "NaN", "None", ""]),
        "colour": st.sampled_from(["red", "NA", "007", "nan", "other", "x" * 300]),
        "day": st.sampled_from(["2024-01-31", "9999-12-31", "1000-01-01", "0000-00-00", ""]),
        "state": st.sampled_from(["kept", "returned", "RETURNED"]),
        "price": st.sampled_from(PRICES),
        "size": st.sampled_from(["38", "40", "99", "-7", "36.5", "many", ""]),
    }
)
address = st.sampled_from([SHARED, ASKERS_ONLY, NOBODY_YET])


@pytest.mark.parametrize("examples", [4, pytest.param(16, marks=pytest.mark.slow)])
def test_nothing_but_the_noisy_numbers_tells_whether_one_person_was_there(examples: int) -> None:
    settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))(
        nothing_but_the_noisy_numbers
    )()


@given(
    question=st.sampled_from(QUESTIONS),
    person=address,
    rows=st.lists(row_of_a_person, min_size=1, max_size=4),
    repeats=st.sampled_from([1, 1, 250]),
    opts_out=st.booleans(),
)
def nothing_but_the_noisy_numbers(
    question: dict[str, Any], person: str, rows: list[Row], repeats: int, *, opts_out: bool
) -> None:
    """The person has any rows, up to a thousand of them, and is the asker's customer or not; or is on the opt-out
    list instead of absent."""
    without = [row for row in BRAND if row["person"] != person]
    theirs = [{"person": person, "email": f"person{person}@example.org", **row} for row in rows] * repeats
    present = run(SHOP, without + theirs, question)
    gone = without + [{**row, "opted_out": "yes"} for row in theirs] if opts_out else without
    assert_hides_one_person(present, run(SHOP, gone, question, released=units_of(present)))


def test_a_table_of_one_person_looks_like_a_table_of_nobody() -> None:
    only = [row for row in BRAND if row["person"] == SHARED]
    present = run(SHOP, only, {"by": "tier", "total": "orders"})
    nobody = [{**row, "opted_out": "yes"} for row in only]
    gone = run(SHOP, nobody, {"by": "tier", "total": "orders"}, released=units_of(present))
    assert set(present.truth[0].values()) > set(gone.truth[0].values()) == {0}
    assert_hides_one_person(present, gone)


@pytest.mark.parametrize("person", [OWNERS_ONLY, NOBODY_YET])
def test_one_person_more_at_the_asker_changes_no_size_and_no_message(person: str) -> None:
    luck = [{**row, "person": person, "email": f"person{person}@example.org"} for row in SHOP[:2]]
    assert_alike(run(SHOP, BRAND, QUESTIONS[1]), run(SHOP + luck, BRAND, QUESTIONS[1]))


def others(rows: Sequence[Row], first: int) -> list[Row]:
    """The same rows of other people, numbered from `first`."""
    return [
        {**row, "person": str(first + int(row["person"])), "email": f"person{first + int(row['person'])}@example.org"}
        for row in rows
    ]


IN_THE_FAST_SET = (QUESTIONS[1], QUESTIONS[5], QUESTIONS[8], QUESTIONS[9], QUESTIONS[14])


def every_kind(questions: Sequence[dict[str, Any]]) -> list[Any]:
    """The questions as parameters; those outside the fast set take longer and are slow."""
    return [
        pytest.param(question, id=str(question), marks=() if question in IN_THE_FAST_SET else pytest.mark.slow)
        for question in questions
    ]


@pytest.mark.parametrize("question", every_kind([one for one in QUESTIONS if "base" not in one]))
def test_nobody_shared_and_everybody_shared_look_like_any_overlap(question: dict[str, Any]) -> None:
    """Shop asks a brand of strangers, then a brand of its own customers only; both have as many as brand has."""
    some = run(SHOP, BRAND, question)
    strangers = run(SHOP, others(BRAND, 100), question)
    assert all(set(part.values()) == {0} for part in strangers.truth)
    everybody = run(BRAND, BRAND, question)
    for found in (strangers, everybody):
        assert found.answer["spent"] == some.answer["spent"]
        assert [one.scale for one in found.releases] == [one.scale for one in some.releases]
        assert_alike(some, found)


@pytest.mark.parametrize("question", every_kind(QUESTIONS))
def test_one_person_less_at_the_owner_looks_the_same_in_every_kind_of_question(question: dict[str, Any]) -> None:
    present = run(SHOP, BRAND, question)
    without = [row for row in BRAND if row["person"] != SHARED]
    assert_hides_one_person(present, run(SHOP, without, question, released=units_of(present)))


def ask_of_everybody_and_of_all_but_one(folder: Path, left_out: str) -> tuple[dict[str, list[Seen]], list[Any]]:
    """Shop asks, takes one person out of its table, and asks again; what was seen then, and the owner's ledger."""
    parties = {name: {"people": rows, "columns": COLUMNS} for name, rows in (("shop", SHOP), ("brand", BRAND))}
    terms = room_file(folder, parties, capacity=100, overlap={"epsilon": "8", "delta": "1e-9", "matches": 2})
    with live_room(folder, terms) as room:
        first = room.ask("shop", "brand", **QUESTIONS[1])
        shop, brand = room.parties["shop"], room.parties["brand"]
        brands_first = len(brand.taps[0].seen)
        write_csv(room.state.room.sources[shop.name].path, [row for row in SHOP if row["person"] != left_out])
        shop.restart()
        second = room.ask("shop", "brand", **QUESTIONS[1])
        assert (first["stored"], second["stored"]) == (False, False)
        assert first["spent"] == second["spent"]
        seen = {"shop": list(shop.taps[1].seen), "brand": brand.taps[0].seen[brands_first:]}
        return seen, brand.look("SELECT kind, units FROM ledger ORDER BY sequence")


def test_all_but_one_is_answered_and_charged_whether_or_not_the_one_is_shared(tmp_path: Path) -> None:
    """The asker's people without one of them are answered with noise of their own, never refused, always debited."""
    shared, ledger = ask_of_everybody_and_of_all_but_one(tmp_path / "shared", SHARED)
    alone, ledger_alone = ask_of_everybody_and_of_all_but_one(tmp_path / "alone", ASKERS_ONLY)
    assert [kind for kind, _ in ledger] == ["match_debit", "reserve", "share_sent"] * 2
    assert ledger == ledger_alone
    for party, seen in shared.items():
        assert sorted(map(repr, seen)) == sorted(map(repr, alone[party]))
        assert [item for item in seen if item.way == "sent"] == [item for item in alone[party] if item.way == "sent"]
