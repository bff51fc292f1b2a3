"""The first start under another log key: every stored head gets the new key's line, and the log says what changed.

Heads that only the old key signed would be nobody's any more: whoever holds the new contract knows the new key alone.
The text that is signed is the same, so cosignatures stay, and lines of the old key stay too. A new log, which follows
one whose key was stolen, begins with such an entry. Entry and lines are stored in one transaction, so a start that was
cut off begins again.
"""

from collections.abc import Sequence

from cleanroom.coordinator.head_table import replace_head, stored_heads
from cleanroom.coordinator.log_table import append_entry, read_tip
from cleanroom.coordinator.store import Store
from cleanroom.crypto.signatures import SigningKey
from cleanroom.querylog.dsse import sign_statement
from cleanroom.querylog.log_policy import former_head, log_key
from cleanroom.querylog.rotation import ROTATED
from cleanroom.querylog.statement import COORDINATOR
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import parse_checkpoint, sign_checkpoint
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.tree import Tree
from cleanroom.wire.contract_file import contract_hash


def take_new_key(
    store: Store, tree: Tree, contract: Contract, key: SigningKey, identity: SigningKey, *, goes: Sequence[str], at: str
) -> bool:
    """Make this the key of the stored heads, and say so in the log; whether it was new. `tree` grows with the entry.

    `goes` are the keys that signed before, as vkeys.
    """
    mine, head = log_key(contract), former_head(contract)
    with store.reading() as tx:
        stored = [(size, parse_note(note)) for size, note in stored_heads(tx)]
    lacking = [(size, note) for size, note in stored if not note.lines_of(mine)]
    begins = head is not None and tree.size == 0
    if not begins and not (lacking and goes):
        return False
    digest = contract_hash(contract).hex()
    fields = {"comes": [mine.vkey()], "goes": list(goes), **({"follows": head.text()} if begins and head else {})}
    common = {"actor": COORDINATOR, "at": at, "contract": digest, "kind": ROTATED, "room": contract.room}
    entry = sign_statement(ROTATED, {**common, **fields, "subject": digest, "v": 1}, identity)
    with store.transaction() as tx:
        for size, note in lacking:
            line = sign_checkpoint(parse_checkpoint(note.text), key).signatures
            replace_head(tx, size, SignedNote(note.text, (*line, *note.signatures)).to_bytes())
        append_entry(tx, entry, read_tip(tx))
    tree.append(leaf_hash(entry))
    return True
