"""A small log as its writer and cosigners would leave it: files by name, keys from fixed seeds, a policy that fits."""

from collections.abc import Sequence

from cleanroom.crypto.signatures import SigningKey
from cleanroom.ids import RoomName
from cleanroom.transparency.checkpoint import Checkpoint, log_origin, sign_checkpoint
from cleanroom.transparency.cosignature import cosign
from cleanroom.transparency.export import CHECKPOINT_PATH, exported
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.note import SignedNote
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.policy import Policy, all_of
from cleanroom.transparency.tile import places
from cleanroom.transparency.tree import Tree

ORIGIN = log_origin("coordinator.example", RoomName("spring"), 1)
TIME = 1_700_000_000
LOG_SEED = SigningKey(bytes(32))
LOG_KEY = NoteKey(ORIGIN, KeyKind.LOG, LOG_SEED.public_bytes())
SEEDS = {name: SigningKey(bytes([number]) * 32) for number, name in enumerate(("asker", "owner", "auditor"), start=1)}
COSIGNERS = {
    name: NoteKey(f"{name}.example/cosigner", KeyKind.COSIGNER, seed.public_bytes()) for name, seed in SEEDS.items()
}
POLICY = Policy((LOG_KEY,), COSIGNERS, all_of("asker", "owner"))


def some_entries(count: int, first: int = 0) -> list[bytes]:
    """Entries of different lengths, none like another."""
    return [b'{"i":%d,"x":"%b"}' % (number, b"y" * (number % 5)) for number in range(first, first + count)]


def tree_of(entries: Sequence[bytes]) -> Tree:
    return Tree(leaf_hash(entry) for entry in entries)


def checkpoint_of(entries: Sequence[bytes]) -> Checkpoint:
    return Checkpoint(ORIGIN, len(entries), tree_of(entries).root())


def signed(checkpoint: Checkpoint, *cosigners: str, time: int = TIME) -> SignedNote:
    """The log's note with these cosigners' lines."""
    note = sign_checkpoint(checkpoint, LOG_SEED)
    lines = [cosign(checkpoint, name=COSIGNERS[name].name, key=SEEDS[name], time=time) for name in cosigners]
    return SignedNote(note.text, (*note.signatures, *lines))


def files_of(
    entries: Sequence[bytes], cosigners: Sequence[str] = ("asker", "owner"), time: int = TIME
) -> dict[str, bytes]:
    """The log's folder at this size."""
    tree = tree_of(entries)
    files = dict(exported(tree, lambda start, end: entries[start:end], places(len(entries))))
    files[CHECKPOINT_PATH] = signed(checkpoint_of(entries), *cosigners, time=time).to_bytes()
    return files
