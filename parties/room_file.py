"""A room file: what a person writes to describe a room, as TOML.

It holds two kinds of things and keeps them apart: terms, which become the contract (public, the same bytes at every
party), and the private keys `source` and `opt_out`, which become settings of that party's own node and never leave
it. Unknown keys are refused, so a typing error is not silently a missing rule. Paths are relative to the file.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from cleanroom.crypto.sealing import SUITE_NAME
from cleanroom.errors import CleanroomError, PeerError, UsageError
from cleanroom.ids import PartyName, RoomName, column_name, party_name, room_name
from cleanroom.match.handshake import most_people
from cleanroom.nearest import listed, meant, quoted
from cleanroom.privacy.accountant import Accountant, accountant
from cleanroom.privacy.budget import parse_epsilon
from cleanroom.querylog.dsse import strict_base64
from cleanroom.question.approval import Approval
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.columns import Column, Dimension, Hidden, Measure, Reduction
from cleanroom.question.contract import QUORUM, Auditor, Contract, check_profile, check_validity
from cleanroom.question.dataset import DEFAULT_QUESTIONS, MAX_CELLS, Dataset, Overlap
from cleanroom.question.quantity import BASES, QUANTITIES
from parties.source.source_file import SourceFile

MAX_FILE_BYTES = 1 << 20
DEFAULT_SETUPS = 64
_ROOM_KEYS = {
    *("format", "room", "purpose", "match", "parties", "setups_per_match"),
    *("starts", "ends", "accountant", "auditors", "log", "follows"),
}
_PARTY_KEYS = {
    *("source", "opt_out", "key", "capacity", "lineage", "budget", "consumers", "overlap", "columns"),
    *("questions", "over", "cells", "questions_each", "display_threshold", "fresh_days", "approval"),
}
_COLUMN_KEYS = {"role", "from", "reduce", "order_by", "date_format", "where", "consumers"}
_APPROVAL_KEYS = {"mode", "columns", "cells", "epsilon_per_question", "epsilon_per_day"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_ROLE_KEYS = {"dimension": {"values"}, "measure": {"unit", "decimals", "low", "high", "step", "edges"}}


@dataclass(frozen=True, slots=True)
class RoomFile:
    """Terms per party, and which source a party reads (private; only its own copy of the file needs to say)."""

    path: Path
    room: RoomName
    purpose: str
    profile: str
    region: str
    setups_per_match: int
    datasets: Mapping[PartyName, Dataset]
    sources: Mapping[PartyName, SourceFile]
    starts: str
    ends: str
    accountant: str
    auditors: Mapping[PartyName, Auditor]
    log_number: int
    follows: str

    def contract(self, cards: Mapping[PartyName, PartyCard], coordinator: CoordinatorCard) -> Contract:
        """The contract of these terms between the holders of these cards; raises UsageError."""
        missing = sorted(set(self.datasets) - set(cards))
        if missing:
            raise UsageError(f"no card of {', '.join(missing)}: cleanroom party card trust FILE FINGERPRINT")
        contract = Contract(
            room=self.room,
            purpose=self.purpose,
            profile=self.profile,
            region=self.region,
            suite=SUITE_NAME,
            quorum=QUORUM,
            setups_per_match=self.setups_per_match,
            coordinator=coordinator,
            cards={name: cards[name] for name in self.datasets},
            datasets=self.datasets,
            starts=self.starts,
            ends=self.ends,
            accountant=self.accountant,
            auditors=self.auditors,
            log_number=self.log_number,
            follows=self.follows,
        )
        for name in self.datasets:
            if most_people(contract, name) < 1:
                raise UsageError(
                    f"{self.path}: parties.{name}: capacity leaves no place for people beside the dummies that hide the"
                    f" overlap; raise capacity by at least {1 - most_people(contract, name)}"
                )
        return contract


def _table(value: object, where: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} must be a table")
    for key in value:
        if key not in known:
            raise UsageError(
                f"{where}: unknown key {quoted(key)}; {meant(key, sorted(known))}known: {', '.join(sorted(known))}"
            )
    return value


def _get(table: Mapping[str, Any], key: str, kind: type, where: str, default: Any = None) -> Any:
    value = table.get(key, default)
    if value is None:
        raise UsageError(f"{where}: `{key}` is missing")
    if type(value) is not kind:
        names = {str: "text in quotes", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}
        raise UsageError(f"{where}: `{key}` must be {names[kind]}")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = _get(table, key, list, where)
    if not all(isinstance(value, str) for value in values):
        raise UsageError(f"{where}: `{key}` is a list of texts in quotes")
    return tuple(values)


def _decimal(table: Mapping[str, Any], key: str, where: str) -> Decimal:
    return _number(_get(table, key, str, where), key, where)


def _number(text: str, key: str, where: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        raise UsageError(f'{where}: `{key}` must be a number in quotes, for example "0.5"')
    return Decimal(text)


def _columns(name: str, value: object, where: str) -> list[Column]:
    """One column for each role of the name."""
    try:
        return _parsed_columns(name, value, where)
    except UsageError as error:
        text = str(error)
        raise UsageError(text if text.startswith(where) else f"{where}: {text}") from None


def _roles(value: object, where: str) -> tuple[str, ...]:
    said = value.get("role") if isinstance(value, dict) else None
    roles = said if isinstance(said, list) else [said]
    if not roles or any(role not in (*_ROLE_KEYS, "hidden") for role in roles if isinstance(role, str)):
        roles = []
    if not roles or not all(isinstance(role, str) for role in roles) or len(set(roles)) != len(roles):
        raise UsageError(f'{where}: `role` is "dimension", "measure" or "hidden", or a list of the first two')
    if "hidden" in roles and len(roles) > 1:
        raise UsageError(f"{where}: a hidden column has no other role")
    return tuple(roles)


def _parsed_columns(name: str, value: object, where: str) -> list[Column]:
    roles = _roles(value, where)
    if roles == ("hidden",):
        _table(value, where, {"role"})
        return [Hidden(column_name(name))]
    table = _table(value, where, _COLUMN_KEYS.union(*(_ROLE_KEYS[role] for role in roles)))
    conditions = _get(table, "where", dict, where, {})
    reduction = Reduction(
        kind=_get(table, "reduce", str, where),
        source=_get(table, "from", str, where, ""),
        order_by=_get(table, "order_by", str, where, ""),
        date_format=_get(table, "date_format", str, where, ""),
        where={column: _texts(conditions, column, f"{where}.where") for column in conditions},
    )
    consumers = tuple(map(party_name, _texts(table, "consumers", where))) if "consumers" in table else None
    return [_in_role(role, name, table, reduction, consumers, where) for role in roles]


def _in_role(
    role: str,
    name: str,
    table: Mapping[str, Any],
    reduction: Reduction,
    consumers: tuple[PartyName, ...] | None,
    where: str,
) -> Column:
    if role == "dimension":
        return Dimension(column_name(name), reduction, _texts(table, "values", where), consumers)
    return Measure(
        name=column_name(name),
        reduction=reduction,
        unit=_get(table, "unit", str, where),
        decimals=_get(table, "decimals", int, where, 0),
        low=_decimal(table, "low", where),
        high=_decimal(table, "high", where),
        step=_decimal(table, "step", where),
        edges=tuple(_number(text, "edges", where) for text in _texts({"edges": [], **table}, "edges", where)),
        consumers=consumers,
    )


def _epsilon(table: Mapping[str, Any], key: str, where: str) -> Fraction:
    text = _get(table, key, str, where)
    try:
        return parse_epsilon(text)
    except UsageError as error:
        raise UsageError(f"{where}: {error}" if key == "epsilon" else f"{where}: `{key}`: {error}") from None


def _overlap(value: object, where: str) -> Overlap:
    table = _table(value, where, {"epsilon", "delta", "matches"})
    return Overlap(
        epsilon=_epsilon(table, "epsilon", where),
        delta=Fraction(_decimal(table, "delta", where)),
        matches=_get(table, "matches", int, where),
    )


def _units(value: object, prices: Accountant, where: str) -> int:
    """`{ epsilon = "8" }`, at delta 1e-9 where the accountant has a delta, in the room's units."""
    return prices.units_for_epsilon(_epsilon(_table(value, where, {"epsilon"}), "epsilon", where))


def _approval(value: object, prices: Accountant, where: str) -> Approval:
    table = _table(value, where, _APPROVAL_KEYS)
    units = {
        name: prices.units_for_epsilon(_epsilon(table, f"epsilon_per_{name}", where))
        for name in ("question", "day")
        if f"epsilon_per_{name}" in table
    }
    return Approval(
        mode=_get(table, "mode", str, where, "automatic"),
        columns=_texts(table, "columns", where) if "columns" in table else None,
        cells=_get(table, "cells", int, where) if "cells" in table else None,
        units_per_question=units.get("question"),
        units_per_day=units.get("day"),
    )


def _consumers(
    table: Mapping[str, Any], others: list[PartyName], cap: int, prices: Accountant, where: str
) -> dict[PartyName, int]:
    """Stated sub-caps, or equal parts of the cap for every other party."""
    stated = _get(table, "consumers", dict, where, {})
    if not stated:
        return dict.fromkeys(others, cap // len(others))
    for name in stated:
        if party_name(name) not in others:
            raise UsageError(
                f"{where}.consumers: there is no other party {quoted(name)} in this room;"
                f" {meant(name, others)}others: {listed(others)}"
            )
    return {party_name(name): _units(value, prices, f"{where}.consumers.{name}") for name, value in stated.items()}


def _dataset(name: PartyName, value: object, others: list[PartyName], room: str, prices: Accountant) -> Dataset:
    where = f"parties.{name}"
    table = _table(value, where, _PARTY_KEYS)
    columns = _get(table, "columns", dict, where, {})
    cap = _units(_get(table, "budget", dict, where), prices, f"{where}.budget")
    return Dataset(
        owner=name,
        lineage=_get(table, "lineage", str, where, f"{name}/{room}"),
        key=_texts(table, "key", where),
        capacity=_get(table, "capacity", int, where),
        columns=tuple(
            column for name, body in columns.items() for column in _columns(name, body, f"{where}.columns.{name}")
        ),
        overlap=_overlap(_get(table, "overlap", dict, where), f"{where}.overlap"),
        cap_units=cap,
        consumer_caps=_consumers(table, others, cap, prices, where),
        questions=_texts({"questions": list(QUANTITIES), **table}, "questions", where),
        bases=_texts({"over": list(BASES), **table}, "over", where),
        cells=_get(table, "cells", int, where, MAX_CELLS),
        questions_each=_get(table, "questions_each", int, where, DEFAULT_QUESTIONS),
        display_threshold=_get(table, "display_threshold", int, where, 0),
        fresh_days=_get(table, "fresh_days", int, where, 0),
        approval=_approval(_get(table, "approval", dict, where, {}), prices, f"{where}.approval"),
    )


def _source(folder: Path, value: Mapping[str, Any], where: str) -> SourceFile | None:
    """None where the file leaves a party's table out, as the copies of its partners may."""
    path, opt_out = (_get(value, key, str, where, "") for key in ("source", "opt_out"))
    if not path and opt_out:
        raise UsageError(f"{where}: `opt_out` without `source`")
    return SourceFile(folder / path, (folder / opt_out) if opt_out else None) if path else None


def read_room_file(path: Path) -> RoomFile:
    """Parse and check a room file; raises UsageError with file, place and what to do, and changes nothing."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than a room file can be (1 MiB)")
        body = _table(tomllib.loads(data.decode("utf-8")), "the room file", _ROOM_KEYS)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # ValueError: TOML, UTF-8, and numbers of thousands of digits
        raise UsageError(f"{path} is not TOML: {error}") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    try:
        return _room_file(path, body)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    except CleanroomError as error:
        raise UsageError(f"{path}: {error}") from None


def _room_file(path: Path, body: Mapping[str, Any]) -> RoomFile:
    if body.get("format") != 1 or type(body["format"]) is not int:
        raise UsageError("`format = 1` is the only one this version knows")
    match = _table(_get(body, "match", dict, "the room file"), "match", {"profile", "region"})
    parties = {party_name(name): value for name, value in _get(body, "parties", dict, "the room file").items()}
    if len(parties) < 2:
        raise UsageError("a room has at least two parties")
    room = room_name(_get(body, "room", str, "the room file"))
    prices = accountant(_get(body, "accountant", str, "the room file", "zcdp"))
    datasets = {
        name: _dataset(name, value, [other for other in parties if other != name], room, prices)
        for name, value in parties.items()
    }
    profile, region = _get(match, "profile", str, "match"), _get(match, "region", str, "match", "")
    check_profile(profile, region)
    starts, ends = (_day(body, key) for key in ("starts", "ends"))
    check_validity(starts, ends)
    return RoomFile(
        path=path,
        room=room,
        purpose=_get(body, "purpose", str, "the room file"),
        profile=profile,
        region=region,
        setups_per_match=_get(body, "setups_per_match", int, "the room file", DEFAULT_SETUPS),
        datasets=datasets,
        sources={
            name: source
            for name, value in parties.items()
            if (source := _source(path.parent, value, f"parties.{name}")) is not None
        },
        starts=starts,
        ends=ends,
        accountant=prices.name,
        auditors={party_name(name): _auditor(name, value) for name, value in _auditors(body).items()},
        log_number=_get(body, "log", int, "the room file", 1),
        follows=_get(body, "follows", str, "the room file", ""),
    )


def _day(body: Mapping[str, Any], key: str) -> str:
    """A day in quotes or as TOML's own date; empty when left out."""
    value = body.get(key, "")
    return value.isoformat() if type(value) is date else str(_get(body, key, str, "the room file", ""))


def _auditors(body: Mapping[str, Any]) -> dict[str, Any]:
    auditors: dict[str, Any] = _get(body, "auditors", dict, "the room file", {})
    return auditors


def _auditor(name: str, value: object) -> Auditor:
    where = f"auditors.{name}"
    table = _table(value, where, {"key", "required"})
    try:
        key = strict_base64(_get(table, "key", str, where))
    except PeerError:
        raise UsageError(f"{where}: `key` is the auditor's cosigning key in base64") from None
    return Auditor(key, _get(table, "required", bool, where, True))
