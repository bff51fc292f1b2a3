"""Proposing, signing and putting an agreement into force in one company's home.

What is signed here was read here: every card in it is one that this operator trusted by hand, its coordinator too, and
where the operator gives its own copy of the room file, the terms are exactly that file's. The agreement in force is
replaced in one step; a room that was closed in this home cannot be agreed on again under its name.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.question.agreement import Agreement, in_force
from cleanroom.question.contract import Contract
from cleanroom.report.agreement_words import changes
from cleanroom.whole_file import replace_file
from parties.database import Database
from parties.former_copies import check_next_log
from parties.home import Home
from parties.room_file import RoomFile
from parties.room_stops import RoomStops
from parties.settings import DEFAULT_TIMEOUT_S, ROLES, Analyst, NodeSettings, read_settings, write_settings
from parties.vault import Vault

OTHER_ORDER = "the same terms in another order"


def written_at() -> str:
    """UTC now, whole seconds, as statements say it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def agreement_in_force(home: Home) -> Agreement:
    """The agreement under which this home serves: complete, and between parties whose cards are trusted here.

    Raises UsageError, StateError or PeerError, which says what is missing.
    """
    if not home.agreement_file.exists():
        raise UsageError(
            f"{home.path} has no agreement yet: cleanroom room propose ROOM.toml --home {home.path} --out FILE, or"
            f" cleanroom room sign FILE --home {home.path}"
        )
    agreement = in_force(home.agreement_file.read_bytes())
    home.check_trust(agreement.contract, in_force=True)
    return agreement


def contract_of(terms: RoomFile, home: Home) -> Contract:
    """The contract of a room file between the holders of the cards that this home trusts; raises UsageError."""
    name = home.card().name
    if name not in terms.datasets:
        raise UsageError(f"{terms.path} does not name {name}; parties: {', '.join(terms.datasets)}")
    return terms.contract(home.trusted_cards(), home.coordinator())


def settle(home: Home, terms: RoomFile | None, user: str) -> None:
    """Settings for this node: from the room file's private keys where there are none yet.

    Raises UsageError when they would not say which table this node reads, or name one that is not there.
    """
    name = home.card().name
    if not home.settings_file.exists():
        if terms is None or name not in terms.sources:
            raise UsageError(
                f"no table is named for {name}: give your own room file, with `source` under [parties.{name}]:"
                f" --room ROOM.toml; or write {home.settings_file}"
            )
        _check_files(terms.sources[name].path, terms.sources[name].opt_out)
        me = Analyst(analyst_name(user), os.getuid(), frozenset(ROLES))
        write_settings(home.settings_file, NodeSettings(terms.sources[name], (me,), None, DEFAULT_TIMEOUT_S))
    source = read_settings(home.settings_file).source
    _check_files(source.path, source.opt_out)


def _check_files(*paths: Path | None) -> None:
    for path in paths:
        if path is not None and not path.is_file():
            raise UsageError(f"there is no file {path}, which this node is to read; mend `source` before you sign")


def check_before_signing(agreement: Agreement, home: Home, terms: RoomFile | None) -> None:
    """Everything that this company's signature vouches for; raises UsageError or StateError."""
    home.check_trust(agreement.contract)
    check_next_log(agreement.contract, _former_contract(agreement.contract, home), home.mirror_folder)
    if terms is not None:
        own = contract_of(terms, home)
        if own != agreement.contract:
            found = changes(own, agreement.contract, formerly="the file says") or [OTHER_ORDER]
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise UsageError(f"the agreement does not say what {terms.path} says; {found[0]}{more}")


def _former_contract(new: Contract, home: Home) -> Contract | None:
    """The contract of this room that is in force here, None when there is none."""
    if not home.agreement_file.exists():
        return None
    old = in_force(home.agreement_file.read_bytes()).contract
    return old if old.room == new.room else None


def sign(agreement: Agreement, home: Home) -> Agreement:
    """With this company's signature; the agreement was checked before."""
    return agreement.signed(home.card().name, home.keys().identity, at=written_at())


def put_in_force(agreement: Agreement, home: Home) -> None:
    """Make a complete agreement the one of this home; raises UsageError or StateError and then changes nothing."""
    home.check_trust(agreement.contract)
    agreement = in_force(agreement.file_bytes())
    if home.database_file.exists():
        _check_not_closed(home, agreement.contract)
    replace_file(home.agreement_file, agreement.file_bytes())


def _check_not_closed(home: Home, contract: Contract) -> None:
    database = Database(home.database_file, Vault(home.keys().state))
    try:
        standing = RoomStops(database, contract.room).standing()
    finally:
        database.close()
    if standing.state == "closed":
        raise StateError(
            f"room {contract.room} was closed by {standing.by}: {standing.reason}; agree on a room under another name"
        )


def names(parties: tuple[PartyName, ...]) -> str:
    """Who, in a row."""
    return ", ".join(parties) or "nobody"
