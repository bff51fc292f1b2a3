"""The small parts of one node, over the agreement of the pure rooms: database, post and desk."""

from collections.abc import Callable
from pathlib import Path

from cleanroom.ids import PartyName
from cleanroom.question.contract import Contract
from cleanroom.wire.contract_file import contract_hash
from parties.database import Database
from parties.desk import Desk
from parties.home import PartyKeys
from parties.post import Post
from parties.vault import Vault
from tests.unit.question.agreements import contract, cosigning, identity, sealing

AGREED = contract()
STATE_KEY = bytes(range(32))


def keys(name: str) -> PartyKeys:
    """A party's secret halves."""
    return PartyKeys(identity(name), sealing(name), cosigning(name), STATE_KEY)


def database(folder: Path, key: bytes = STATE_KEY) -> Database:
    """A node's database in this folder."""
    return Database(folder / "node.db", Vault(key))


def post(name: str, agreed: Contract = AGREED) -> Post:
    """A party's post."""
    return Post(
        room=agreed.room,
        contract_hash=contract_hash(agreed),
        name=PartyName(name),
        cards=agreed.cards,
        keys=keys(name),
    )


def desk(folder: Path, name: str = "shop", clock: Callable[[], float] = lambda: 1_767_323_045.0) -> Desk:
    """A party's desk; its clock stands at 2026-01-02T03:04:05Z."""
    return Desk(PartyName(name), AGREED, keys(name), database(folder), clock)
