"""What the coordinator exports and hands to cosigners, before a verifier and a witness that nobody here wrote."""

import base64
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from cleanroom.querylog.log_policy import cosigner_key, log_key, log_policy
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.proof_file import parse_proof
from cleanroom.transparency.witness import Advance, consider, nothing_held
from cleanroom.transparency.witness_message import WitnessRequest, parse_request
from tests.audit_command import audit
from tests.coordinators_log import CoordinatorsLogs, write_logs
from tests.interop.counterparts import AUDIT, Counterparts, install, judged

SIZES = (3, 300, 1000)
COSIGNERS = ("shop", "brand", "eye")


@pytest.fixture(scope="module")
def counterparts(tmp_path_factory: pytest.TempPathFactory) -> Counterparts:
    return install(tmp_path_factory.mktemp("counterparts") / "environment")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> CoordinatorsLogs:
    return write_logs(tmp_path_factory.mktemp("coordinator"), SIZES)


def keys(logs: CoordinatorsLogs, *names: str) -> list[str]:
    contract = logs.room.contract
    witnesses = [cosigner_key(contract, logs.room.cosigner(name).name).vkey() for name in names]
    return ["--log-key", log_key(contract).vkey(), *(f"--witness-key={key}" for key in witnesses)]


def root_of(folder: Path) -> str:
    """The signed one."""
    return base64.b64decode(parse_note((folder / "checkpoint").read_bytes()).text.split("\n")[2]).hex()


def wire_bundle(proof: bytes) -> dict[str, Any]:
    """A receipt of ours in the form that their offline verifier reads: the same index, hashes, entry and note."""
    read = parse_proof(proof)
    assert read.extra is not None

    def unpadded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")

    return {
        "entry_bytes": unpadded(read.extra),
        "index": read.index,
        "inclusion_proof": [base64.b64encode(part).decode("ascii") for part in read.hashes],
        "checkpoint_note": unpadded(read.checkpoint),
        "envelope": None,
        "body_or_ct": None,
    }


@pytest.mark.slow
@pytest.mark.parametrize("count", SIZES[1:])
def test_aics_tlog_verifies_what_the_coordinator_exported(
    counterparts: Counterparts, logs: CoordinatorsLogs, count: int
) -> None:
    folder = logs.at[count]
    found = counterparts.tlog("verify-checkpoint", "--tiles", folder, *keys(logs, *COSIGNERS), "--quorum", "3")
    assert (found["ok"], found["size"], found["cosignatures"]) == (True, count, 3)
    audited = counterparts.python(AUDIT, [str(folder), count, root_of(folder)])
    assert audited["bundles"] == -(-count // 256)
    assert audit("verify", folder, "--agreement", logs.room.agreement_file, "--max-age", "1d").status == 0


@pytest.mark.slow
def test_aics_tlog_sees_that_the_export_only_grew_and_that_one_changed_bit_is_one_too_many(
    counterparts: Counterparts, logs: CoordinatorsLogs, tmp_path: Path
) -> None:
    older: list[str | Path] = ["--old-checkpoint", logs.at[300] / "checkpoint"]
    assert counterparts.tlog("verify-consistency", *older, "--tiles", logs.at[1000], *keys(logs))["ok"]
    (tmp_path / "forked").write_bytes(parse_request(logs.forked).checkpoint)
    forked: list[str | Path] = ["--old-checkpoint", tmp_path / "forked"]
    assert not counterparts.tlog("verify-consistency", *forked, "--tiles", logs.at[1000], *keys(logs))["ok"]
    copy = shutil.copytree(logs.at[1000], tmp_path / "copy")
    bundle = copy / "tile" / "entries" / "002"
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert "refused" in counterparts.python(AUDIT, [str(copy), 1000, root_of(copy)])
    assert audit("verify", copy, "--agreement", logs.room.agreement_file).status == 1


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 255, 256, 997])
def test_aics_tlog_checks_a_receipt_that_audit_prove_wrote_and_needs_no_folder(
    counterparts: Counterparts, logs: CoordinatorsLogs, tmp_path: Path, index: int
) -> None:
    agreement, out = logs.room.agreement_file, tmp_path / "receipts"
    proved = audit("prove", logs.at[1000], logs.subject(index), "--agreement", agreement, "--out", out)
    assert proved.status == 0, proved.error
    (proof,) = out.glob("*.proof")
    body, file = wire_bundle(proof.read_bytes()), tmp_path / "bundle.json"
    assert body["index"] == index
    verify: list[str | Path] = [
        "verify-bundle",
        "--offline",
        "--bundle",
        file,
        *keys(logs, *COSIGNERS),
        "--quorum",
        "3",
    ]
    file.write_text(json.dumps(body), encoding="ascii")
    assert counterparts.tlog(*verify)["ok"]
    file.write_text(json.dumps({**body, "index": index ^ 1}), encoding="ascii")
    assert not counterparts.tlog(*verify)["ok"]


def bad_proof(request: bytes) -> bytes:
    """The same with a hash of its proof changed."""
    read = parse_request(request)
    spoiled = hashlib.sha256(read.proof[0]).digest()
    return WitnessRequest(read.old_size, (spoiled, *read.proof[1:]), read.checkpoint).to_bytes()


def requests(logs: CoordinatorsLogs) -> list[tuple[str, bytes, int]]:
    """In this order, to a witness that has signed nothing; the status that each ends in."""
    return [
        ("the first head", logs.first, 200),
        ("a log that grew", logs.second, 200),
        ("replay", logs.second, 409),
        ("a proof that fails", bad_proof(logs.grown), 422),
        ("a log that grew again", logs.grown, 200),
        ("replay of what grew", logs.grown, 409),
        ("rollback: yesterday's database", logs.rolled_back, 400),
        ("fork: another history from the middle on", logs.forked, 409),
        ("fork: another history that is longer", logs.fork_grown, 422),
        ("fork: another root for this size", logs.same_size, 422),
    ]


def test_our_own_witness_ends_so_with_every_request_of_a_small_room(tmp_path: Path) -> None:
    logs = write_logs(tmp_path, (1, 3, 5))
    policy = log_policy(logs.room.contract)
    held = nothing_held(policy.log_keys[0].name)
    for name, body, status in requests(logs):
        decision = consider(body, held, policy.log_keys, int(time.time()))
        assert (name, 200 if isinstance(decision, Advance) else decision.answer.status) == (name, status)
        if isinstance(decision, Advance):
            held = decision.held


@pytest.mark.slow
def test_aics_witness_cosigns_what_our_coordinator_hands_out_and_refuses_as_our_cosigners_do(
    counterparts: Counterparts, logs: CoordinatorsLogs, tmp_path: Path
) -> None:
    (known,) = log_policy(logs.room.contract).log_keys
    evidence = judged(counterparts, tmp_path / "witness.json", known, requests(logs))
    assert len(evidence) == 4, "three forks and the proof that failed"
