"""An auditor needs nothing of ours: aics-tlog verifies our folders, aics-witness judges heads as our witness does."""

from pathlib import Path

import pytest

from cleanroom.transparency.checkpoint import Checkpoint, sign_checkpoint
from cleanroom.transparency.consistency import prove_consistency
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.note import SignatureLine, SignedNote
from cleanroom.transparency.witness_message import WitnessRequest
from tests.built_log import (
    COSIGNERS,
    LOG_KEY,
    LOG_SEED,
    ORIGIN,
    checkpoint_of,
    files_of,
    signed,
    some_entries,
    tree_of,
)
from tests.interop.counterparts import AUDIT, Counterparts, install, judged

pytestmark = pytest.mark.slow

TREES = """
import json, sys
from aics_tlog.tree import MerkleTree
entries = [bytes.fromhex(entry) for entry in json.load(sys.stdin)]
tree = MerkleTree(entries)
sizes = range(len(entries) + 1)
print(json.dumps({
    "roots": [tree.root(size).hex() for size in sizes],
    "inclusion": [[[part.hex() for part in tree.inclusion_proof(i, n)] for i in range(n)] for n in sizes],
    "consistency": [[[p.hex() for p in tree.consistency_proof(m, n)] for m in range(1, n + 1)] for n in sizes],
}))
"""


@pytest.fixture(scope="module")
def counterparts(tmp_path_factory: pytest.TempPathFactory) -> Counterparts:
    return install(tmp_path_factory.mktemp("counterparts") / "environment")


def write_log(folder: Path, count: int) -> list[bytes]:
    entries = some_entries(count)
    for path, data in files_of(entries).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return entries


def keys(*cosigners: str) -> list[str]:
    return ["--log-key", LOG_KEY.vkey(), *(f"--witness-key={COSIGNERS[name].vkey()}" for name in cosigners)]


@pytest.mark.parametrize("count", [1, 256, 300, 1000])
def test_aics_tlog_verifies_a_folder_of_ours(counterparts: Counterparts, tmp_path: Path, count: int) -> None:
    entries = write_log(tmp_path, count)
    found = counterparts.tlog("verify-checkpoint", "--tiles", tmp_path, *keys("asker", "owner"), "--quorum", "2")
    assert (found["ok"], found["size"], found["cosignatures"]) == (True, count, 2)
    audited = counterparts.python(AUDIT, [str(tmp_path), count, tree_of(entries).root().hex()])
    assert audited["bundles"] == -(-count // 256)


def test_aics_tlog_finds_one_entry_and_the_growth_of_a_log(counterparts: Counterparts, tmp_path: Path) -> None:
    entries = write_log(tmp_path / "log", 300)
    (tmp_path / "entry").write_bytes(entries[123])
    (tmp_path / "older").write_bytes(signed(checkpoint_of(entries[:200])).to_bytes())
    (tmp_path / "forked").write_bytes(signed(checkpoint_of(some_entries(200, first=1))).to_bytes())
    where: list[str | Path] = ["--tiles", tmp_path / "log", *keys()]
    assert counterparts.tlog("verify-inclusion", "--leaf", tmp_path / "entry", "--index", "123", *where)["ok"]
    assert not counterparts.tlog("verify-inclusion", "--leaf", tmp_path / "entry", "--index", "124", *where)["ok"]
    assert counterparts.tlog("verify-consistency", "--old-checkpoint", tmp_path / "older", *where)["ok"]
    assert not counterparts.tlog("verify-consistency", "--old-checkpoint", tmp_path / "forked", *where)["ok"]


def test_aics_tlog_refuses_what_ours_refuses(counterparts: Counterparts, tmp_path: Path) -> None:
    entries = write_log(tmp_path, 300)
    too_few = counterparts.tlog("verify-checkpoint", "--tiles", tmp_path, *keys("asker", "auditor"), "--quorum", "2")
    assert not too_few["ok"]
    bundle = tmp_path / "tile" / "entries" / "000"
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(bytes(data))
    assert "refused" in counterparts.python(AUDIT, [str(tmp_path), 300, tree_of(entries).root().hex()])


def test_roots_and_all_proofs_of_all_sizes_are_those_of_aics_tlog(counterparts: Counterparts) -> None:
    entries = some_entries(40)
    theirs = counterparts.python(TREES, [entry.hex() for entry in entries])
    tree = tree_of(entries)
    assert theirs["roots"] == [tree.root(size).hex() for size in range(41)]
    for size in range(41):
        ours = [[part.hex() for part in prove_inclusion(tree, index, size)] for index in range(size)]
        assert theirs["inclusion"][size] == ours
        grown = [[part.hex() for part in prove_consistency(tree, old, size)] for old in range(1, size + 1)]
        assert theirs["consistency"][size] == grown


def asked(old_size: int, entries: list[bytes], note: SignedNote | None = None) -> bytes:
    proof = prove_consistency(tree_of(entries), min(old_size, len(entries)), len(entries))
    return WitnessRequest(old_size, proof, (note or signed(checkpoint_of(entries))).to_bytes()).to_bytes()


def requests() -> list[tuple[str, bytes, int]]:
    """In this order, from a witness that has signed nothing; the expected status."""
    honest, forked = some_entries(300), some_entries(300, first=1)
    text = checkpoint_of(honest).text() + "extension\n"
    extended = SignedNote(text, (SignatureLine(ORIGIN, LOG_KEY.key_id, LOG_SEED.sign(text.encode())),))
    stranger = SignedNote(checkpoint_of(honest).text(), (SignatureLine("stranger", b"\0\0\0\0", bytes(64)),))
    autumn = sign_checkpoint(Checkpoint("coordinator.example/autumn/log/1", 300, bytes(32)), LOG_SEED)
    no_proof = WitnessRequest(3, (bytes(32),), signed(checkpoint_of(honest)).to_bytes()).to_bytes()
    return [
        ("the first head", asked(0, honest[:3]), 200),
        ("a proof that fails", no_proof, 422),
        ("a log that grew", asked(3, honest), 200),
        ("the same request again", asked(3, honest), 409),
        ("the same head again", asked(300, honest), 200),
        ("another root for this size", asked(300, forked), 422),
        ("a smaller head", asked(300, honest[:3]), 400),
        ("a smaller head from its own size", asked(3, honest[:3]), 409),
        ("another log", asked(300, honest, autumn), 404),
        ("nobody's signature", asked(300, honest, stranger), 403),
        ("an extension line", asked(300, honest, extended), 400),
        ("a size with a leading zero", asked(300, honest).replace(b"old 300", b"old 0300"), 400),
        ("64 proof lines", b"old 300\n" + (b"A" * 43 + b"=\n") * 64 + asked(300, honest).split(b"\n", 1)[1], 400),
        ("CRLF", asked(300, honest).replace(b"\n", b"\r\n"), 400),
    ]


def test_aics_witness_cosigns_our_log_and_refuses_in_the_same_words_as_ours(
    counterparts: Counterparts, tmp_path: Path
) -> None:
    evidence = judged(counterparts, tmp_path / "witness.json", LOG_KEY, requests())
    assert len(evidence) == 2
