"""A room file: what a person writes to describe a room, as TOML.

It holds two kinds of things and keeps them apart: terms, which become the contract (public, the same bytes at every
party), and the private keys `source` and `opt_out`, which become settings of that party's own node and never leave
it. Unknown keys are refused, so a typing error is not silently a missing rule. Paths are relative to the file.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from cleanroom.crypto.sealing import SUITE_NAME
from cleanroom.errors import CleanroomError, UsageError
from cleanroom.ids import PartyName, RoomName, column_name, party_name, room_name
from cleanroom.match.handshake import most_people
from cleanroom.privacy.budget import parse_epsilon, units_for_epsilon
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.columns import Column, Dimension, Measure, Reduction
from cleanroom.question.contract import QUORUM, Contract, check_profile
from cleanroom.question.dataset import Dataset, Overlap
from parties.source.source_file import SourceFile

MAX_FILE_BYTES = 1 << 20
DEFAULT_SETUPS = 64
_ROOM_KEYS = {"format", "room", "purpose", "match", "parties", "setups_per_match"}
_PARTY_KEYS = {"source", "opt_out", "key", "capacity", "lineage", "budget", "consumers", "overlap", "columns"}
_COLUMN_KEYS = {"role", "from", "reduce", "order_by", "date_format", "where"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_ROLE_KEYS = {"dimension": {"values"}, "measure": {"unit", "decimals", "low", "high", "step"}}


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
            raise UsageError(f"{where}: unknown key `{key}`; known: {', '.join(sorted(known))}")
    return value


def _get(table: Mapping[str, Any], key: str, kind: type, where: str, default: Any = None) -> Any:
    value = table.get(key, default)
    if value is None:
        raise UsageError(f"{where}: `{key}` is missing")
    if type(value) is not kind:
        names = {str: "text in quotes", int: "a whole number", list: "a list", dict: "a table"}
        raise UsageError(f"{where}: `{key}` must be {names[kind]}")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = _get(table, key, list, where)
    if not all(isinstance(value, str) for value in values):
        raise UsageError(f"{where}: `{key}` is a list of texts in quotes")
    return tuple(values)


def _decimal(table: Mapping[str, Any], key: str, where: str) -> Decimal:
    text = _get(table, key, str, where)
    if _NUMBER.fullmatch(text) is None:
        raise UsageError(f'{where}: `{key}` must be a number in quotes, for example "0.5"')
    return Decimal(text)


def _column(name: str, value: object, where: str) -> Column:
    try:
        return _parsed_column(name, value, where)
    except UsageError as error:
        text = str(error)
        raise UsageError(text if text.startswith(where) else f"{where}: {text}") from None


def _parsed_column(name: str, value: object, where: str) -> Column:
    role = value.get("role") if isinstance(value, dict) else None
    if not isinstance(role, str) or role not in _ROLE_KEYS:
        raise UsageError(f'{where}: `role` is "dimension" or "measure"')
    table = _table(value, where, _COLUMN_KEYS | _ROLE_KEYS[role])
    conditions = _get(table, "where", dict, where, {})
    reduction = Reduction(
        kind=_get(table, "reduce", str, where),
        source=_get(table, "from", str, where, ""),
        order_by=_get(table, "order_by", str, where, ""),
        date_format=_get(table, "date_format", str, where, ""),
        where={column: _texts(conditions, column, f"{where}.where") for column in conditions},
    )
    if role == "dimension":
        return Dimension(column_name(name), reduction, _texts(table, "values", where))
    return Measure(
        name=column_name(name),
        reduction=reduction,
        unit=_get(table, "unit", str, where),
        decimals=_get(table, "decimals", int, where, 0),
        low=_decimal(table, "low", where),
        high=_decimal(table, "high", where),
        step=_decimal(table, "step", where),
    )


def _overlap(value: object, where: str) -> Overlap:
    table = _table(value, where, {"epsilon", "delta", "matches"})
    return Overlap(
        epsilon=parse_epsilon(_get(table, "epsilon", str, where)),
        delta=Fraction(_decimal(table, "delta", where)),
        matches=_get(table, "matches", int, where),
    )


def _units(value: object, where: str) -> int:
    """`{ epsilon = "8" }` at delta 1e-9, in units of 2^-40 rho."""
    return units_for_epsilon(parse_epsilon(_get(_table(value, where, {"epsilon"}), "epsilon", str, where)))


def _consumers(table: Mapping[str, Any], others: list[PartyName], cap: int, where: str) -> dict[PartyName, int]:
    """Stated sub-caps, or equal parts of the cap for every other party."""
    stated = _get(table, "consumers", dict, where, {})
    if not stated:
        return dict.fromkeys(others, cap // len(others))
    return {party_name(name): _units(value, f"{where}.consumers.{name}") for name, value in stated.items()}


def _dataset(name: PartyName, value: object, others: list[PartyName], room: str) -> Dataset:
    where = f"parties.{name}"
    table = _table(value, where, _PARTY_KEYS)
    columns = _get(table, "columns", dict, where, {})
    cap = _units(_get(table, "budget", dict, where), f"{where}.budget")
    return Dataset(
        owner=name,
        lineage=_get(table, "lineage", str, where, f"{name}/{room}"),
        key=_texts(table, "key", where),
        capacity=_get(table, "capacity", int, where),
        columns=tuple(_column(column, body, f"{where}.columns.{column}") for column, body in columns.items()),
        overlap=_overlap(_get(table, "overlap", dict, where), f"{where}.overlap"),
        cap_units=cap,
        consumer_caps=_consumers(table, others, cap, where),
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
    datasets = {
        name: _dataset(name, value, [other for other in parties if other != name], room)
        for name, value in parties.items()
    }
    profile, region = _get(match, "profile", str, "match"), _get(match, "region", str, "match", "")
    check_profile(profile, region)
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
    )
