"""The folder that the real coordinator exported, in the hands of somebody who changes it: nothing passes unsaid.

A room of three parties and a required auditor, all of whom cosigned: any two of the parties are enough, so single
lines of them are not needed. Older partial tiles lie in the folder as they do in service.
"""

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.audit.files import read_log
from cleanroom.querylog.log_policy import log_policy
from cleanroom.transparency.bundle import decode_bundle, encode_bundle
from cleanroom.transparency.folder import verify_folder
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.tile import places
from tests.audit_command import Said, audit
from tests.coordinators_log import write_logs
from tests.flipped_bits import entry_at, flipped, pieces

PARTIES = ("shop", "brand", "airline")
SMALL = 5


@dataclass(frozen=True)
class Exported:
    """A folder of the coordinator's, with what an auditor holds against it."""

    folder: Path
    agreement: Path
    policy: Policy
    files: dict[str, bytes]
    size: int

    @property
    def needed(self) -> list[str]:
        """Names of the files without which there is no log of this size."""
        return ["checkpoint", *(place.path for place in places(self.size))]


def exported(folder: Path, sizes: tuple[int, int, int]) -> Exported:
    """At the middle size."""
    logs = write_logs(folder, sizes, PARTIES)
    size = sizes[1]
    policy = log_policy(logs.room.contract)
    return Exported(logs.at[size], logs.room.agreement_file, policy, read_log(logs.at[size]), size)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(tmp_path_factory.mktemp("exported"), (3, SMALL, SMALL + 1))


def judged(log: Exported, files: dict[str, bytes], copy: Path) -> Said:
    """`audit verify` on a folder with these files."""
    shutil.rmtree(copy, ignore_errors=True)
    for name, data in files.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    return audit("verify", copy, "--agreement", log.agreement)


def assert_said(log: Exported, path: str, bit: int, said: Said) -> None:
    """A flipped bit ends `verify` with the right status, file and first wrong entry.

    Only a party's line that becomes a stranger's, where the others are enough, is no failure; then it is said.
    """
    if path != "checkpoint":
        index = entry_at(path, log.files[path], bit // 8)
        assert said.status == Outcome.INVALID
        assert said.error.startswith(f"error: {path}: entry {index}: "), said.error
    elif said.status == Outcome.OK:
        assert is_in_a_party_s_name_or_id(log, bit // 8)
        assert "not counted, of keys that these terms do not name: " in said.out
        named = next(line for line in said.out.splitlines() if line.startswith("cosigned  "))
        assert len(named.split(", ")) == len(PARTIES), "one of four is missing"
    else:
        assert said.status in (Outcome.INVALID, Outcome.TOO_FEW_COSIGNERS)
        assert said.error.startswith("error: checkpoint: ")
        if said.status == Outcome.TOO_FEW_COSIGNERS:
            assert said.error.rstrip().endswith("missing: eye"), "any two of the parties are enough"


def is_in_a_party_s_name_or_id(log: Exported, byte: int) -> bool:
    """Whether this byte of the checkpoint belongs to the name or to the key id of a party's line."""
    before = log.files["checkpoint"][:byte]
    line = log.files["checkpoint"].split(b"\n")[before.count(b"\n")]
    at, name = byte - (before.rfind(b"\n") + 1), line.split(b" ")[1]
    is_party = any(name.endswith(f"/cosigner/{party}".encode()) for party in PARTIES)
    return is_party and at < line.rindex(b" ") + 1 + 6


def test_it_holds_as_it_is_and_every_line_counts(log: Exported) -> None:
    said = audit("verify", log.folder, "--agreement", log.agreement)
    assert said.status == 0
    assert "not counted" not in said.out
    assert "not looked at" not in said.out
    assert set(log.files) > set(log.needed), "older partial tiles are there as well"


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_bit_that_is_flipped_is_noticed_and_said_where(
    log: Exported, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(log.files)))
    bit = data.draw(st.integers(0, len(log.files[path]) * 8 - 1))
    copy = tmp_path_factory.getbasetemp() / "flipped"
    assert_said(log, path, bit, judged(log, flipped(log.files, path, bit), copy))


def test_a_cosigner_s_line_under_another_name_or_id_never_passes_unsaid(log: Exported, tmp_path: Path) -> None:
    """The lowest bit of every byte of every line's name and key id: a needed cosigner is missing, another is said."""
    note, outcomes = log.files["checkpoint"], dict[bytes, set[int]]()
    at = note.index(b"\n\n") + 2
    for line in note[at:].splitlines(keepends=True):
        name = line.split(b" ")[1]
        for byte in range(4, line.rindex(b" ") + 6, 3):
            said = judged(log, flipped(log.files, "checkpoint", 8 * (at + byte)), tmp_path / "copy")
            assert_said(log, "checkpoint", 8 * (at + byte), said)
            outcomes.setdefault(name.rpartition(b"/")[2], set()).add(said.status)
        at += len(line)
    assert Outcome.OK not in outcomes[b"1"] | outcomes[b"eye"], "the log's own line and the required auditor's"
    assert all(Outcome.OK in outcomes[party.encode()] for party in PARTIES)


def test_two_parties_lines_gone_are_too_few_and_the_auditor_s_alone_is(log: Exported, tmp_path: Path) -> None:
    text, _, lines = log.files["checkpoint"].partition(b"\n\n")
    whole = lines.splitlines(keepends=True)

    def without(*names: str) -> Said:
        left = [line for line in whole if not any(f"/cosigner/{name} ".encode() in line for name in names)]
        return judged(log, {**log.files, "checkpoint": text + b"\n\n" + b"".join(left)}, tmp_path / "copy")

    assert without("airline").status == 0
    for names in (("airline", "brand"), ("eye",), PARTIES):
        said = without(*names)
        assert said.status == Outcome.TOO_FEW_COSIGNERS
        assert said.error.startswith(f"error: checkpoint: entry count {SMALL} is not cosigned by the quorum; missing: ")
        assert all(name in said.error for name in names)


def test_a_needed_file_that_is_gone_or_cut_off_is_named(log: Exported, tmp_path: Path) -> None:
    for path in log.needed:
        data = log.files[path]
        for changed in (None, b"", data[: len(data) // 2], data[:-1], data + b"\0"):
            files = {name: content for name, content in log.files.items() if name != path}
            said = judged(log, files if changed is None else {**files, path: changed}, tmp_path / "copy")
            assert said.status == Outcome.INVALID
            assert said.error.startswith(f"error: {path}: "), said.error


def test_an_older_partial_tile_may_be_gone_and_may_not_be_wrong(log: Exported, tmp_path: Path) -> None:
    for path in sorted(set(log.files) - set(log.needed)):
        files = {name: content for name, content in log.files.items() if name != path}
        assert judged(log, files, tmp_path / "copy").status == 0
        said = judged(log, {**files, path: log.files[path][:-1]}, tmp_path / "copy")
        assert said.status == Outcome.INVALID
        assert said.error.startswith(f"error: {path}: entry ")


def test_entries_in_another_order_left_out_or_twice_are_noticed(log: Exported, tmp_path: Path) -> None:
    bundle = next(path for path in log.needed if "entries" in path)
    one, *rest = decode_bundle(log.files[bundle], SMALL)
    for entries, first in (
        ([rest[0], one, *rest[1:]], 0),
        ([one, *rest[:-2], rest[-1], rest[-2]], SMALL - 2),
        ([one, *rest[1:], rest[0]], 1),
        ([one, *rest[:-1], one], SMALL - 1),
        ([one, *rest[:-1]], SMALL - 1),
        ([one, *rest, one], SMALL - 1),
    ):
        said = judged(log, {**log.files, bundle: encode_bundle(entries)}, tmp_path / "copy")
        assert said.status == Outcome.INVALID
        assert said.error.startswith(f"error: {bundle}: entry {first}: "), said.error


@pytest.mark.slow
def test_every_single_bit_of_the_whole_export_is_noticed_and_said_where(log: Exported) -> None:
    """Without the disk between, so that all of them can be tried; `Outcome` is the command's exit status."""
    for path, data in log.files.items():
        for bit in range(8 * len(data)):
            try:
                verify_folder(flipped(log.files, path, bit), log.policy)
            except AuditFailure as failure:
                said = Said(failure.outcome, "", f"error: {failure}")
            else:
                assert path == "checkpoint"
                assert is_in_a_party_s_name_or_id(log, bit // 8)
                continue
            assert_said(log, path, bit, said)


@pytest.mark.slow
def test_a_bit_of_every_entry_and_of_every_hash_of_a_larger_export_is_noticed_and_said_where(tmp_path: Path) -> None:
    """Of 300 entries, beyond a full tile."""
    log, draw = exported(tmp_path, (3, 300, 301)), random.Random(300)  # noqa: S311 # which bits are tried
    for path, data in log.files.items():
        if path == "checkpoint":
            continue
        for _, start, end in pieces(path, data):
            bit = draw.randrange(8 * start, 8 * end)
            with pytest.raises(AuditFailure) as refused:
                verify_folder(flipped(log.files, path, bit), log.policy)
            assert_said(log, path, bit, Said(refused.value.outcome, "", f"error: {refused.value}"))
