"""A dry run from a room file: no process, no table, and no folder that was not there.

The gate decides on a contract, and a contract names keys. So the room file is made into one between parties whose keys
are made up on the spot and forgotten: prices and rules do not depend on keys. What the asker has spent is read from its
own folder where the room has been run before; otherwise it is one who has not asked yet.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cleanroom.answer.forecast import NewMatch, forecast_body
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SealingKey
from cleanroom.ids import PartyName, analyst_name
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.compile import Question
from cleanroom.question.contract import Contract
from cleanroom.question.dry_run import OwnRecord, dry_run
from cleanroom.question.standing import OPEN, RoomStanding
from cleanroom.transport.authority import Authority
from cleanroom.transport.requests import new_tls_key
from parties.agreeing import agreement_in_force
from parties.beside import desk_beside
from parties.dry_running import own_record
from parties.requests import question_of
from parties.room_file import RoomFile, read_room_file
from parties.room_state import DOMAIN, RoomState
from parties.sandbox import SandboxQuestion, check_columns, check_names


def dry_run_of_file(
    room_path: Path, question: SandboxQuestion, state_folder: Path | None, *, guess: int | None
) -> dict[str, Any]:
    """The JSON of a dry run in this file's room; raises UsageError for what the file or the question lacks."""
    room = read_room_file(room_path)
    check_names(room, question)
    check_columns(room, question, looking=True)
    now = datetime.now(UTC)
    contract = contract_between_strangers(room, now=now)
    asker = PartyName(question.asker)
    asked = question_of(contract, asker, analyst_name(f"user-{os.getuid()}"), question.request(), looking=True)
    state = RoomState(state_folder or room_path.with_suffix(".state"), room)
    record, standing = _known(state, asked)
    found = dry_run(contract, asked, record, today=f"{now:%Y-%m-%d}", standing=standing, guess=guess)
    first = asked.base == "match" and not state.home(asker).database_file.exists()
    match = NewMatch(made=0, most=contract.datasets[asker].overlap.matches) if first else None
    return forecast_body(found, stored=False, match=match)


def _known(state: RoomState, question: Question) -> tuple[OwnRecord, RoomStanding]:
    """What the asker's own folder says of its spending and of the room; nothing where there is none yet."""
    home = state.home(question.asker)
    if not (home.agreement_file.exists() and home.database_file.exists()):
        return OwnRecord(), OPEN
    with state.locked(), desk_beside(home, agreement_in_force(home), time.time) as desk:
        return own_record(desk, question.owner), desk.stops.standing()


def contract_between_strangers(room: RoomFile, *, now: datetime) -> Contract:
    """The room's contract with keys that nobody holds; raises UsageError for terms that can be no contract."""
    authority = Authority.create(new_tls_key(), DOMAIN, now=now)
    identity, log_key = (SigningKey.generate().public_bytes() for _ in range(2))
    coordinator = CoordinatorCard(DOMAIN, "127.0.0.1:1", authority.der(), identity, log_key)
    return room.contract({name: _stranger(name) for name in room.datasets}, coordinator)


def _stranger(name: PartyName) -> PartyCard:
    identity, cosigning = (SigningKey.generate().public_bytes() for _ in range(2))
    return PartyCard(name, identity, SealingKey.generate().public_bytes(), cosigning)
