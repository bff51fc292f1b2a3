"""The contract: the one public file that all parties hold, byte for byte the same, and enforce each by itself.

It names the parties and their keys, the coordinator, the auditors, purpose and validity, the accountant, every dataset
with its columns, capacities, bounds and caps, the identifier profile and the cryptographic suite. Its hash is in every
message, plan and statement: a party that holds another contract is simply not talking in the same room. Nothing private
(paths, tables, secret keys) is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from cleanroom.crypto.public_keys import check_public_key
from cleanroom.crypto.sealing import SUITE_NAME
from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import PartyName, RoomName, party_name, room_name
from cleanroom.nearest import meant, quoted
from cleanroom.privacy.accountant import ACCOUNTANTS
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.columns import checked_text
from cleanroom.question.dataset import Dataset
from cleanroom.transparency.spelling import decimal, hash_bytes

FORMAT_VERSION = 4
PROTOCOL_VERSION = 1
PROFILES = ("opaque-v1", "email-plain-v1", "email-uid2-v1", "phone-e164-v1")
QUORUM = "asker-owner-and-required-auditors"
MAX_PARTIES = 32
MAX_AUDITORS = 8
MAX_LOG_NUMBER = 1_000


def check_profile(profile: str, region: str) -> None:
    """A known identifier profile, with a region where it needs one; raises UsageError."""
    if profile not in PROFILES:
        raise UsageError(
            f"there is no match profile {quoted(profile)}; {meant(profile, PROFILES)}profiles: {', '.join(PROFILES)}"
        )
    if (profile == "phone-e164-v1") != (region != ""):
        raise UsageError("a region (for example US) is stated for phone-e164-v1, and only there")
    if region and not (len(region) == 2 and region.isascii() and region.isalpha() and region.isupper()):
        raise UsageError("a region is two capital letters")


def check_validity(starts: str, ends: str) -> None:
    """Days as YYYY-MM-DD, the first not after the last; raises UsageError."""
    for name, day in (("starts", starts), ("ends", ends)):
        try:
            plain = not day or date.fromisoformat(day).isoformat() == day
        except ValueError:
            plain = False
        if not plain:
            raise UsageError(f"{name} is a day written YYYY-MM-DD")
    if starts and ends and starts > ends:
        raise UsageError("the contract ends before it starts")


@dataclass(frozen=True, slots=True)
class Auditor:
    """May read the log and cosign it with this Ed25519 key; nothing is answered without one who is `required`."""

    key: bytes
    required: bool = True


def check_auditors(auditors: Mapping[PartyName, Auditor], cards: Mapping[PartyName, PartyCard]) -> None:
    """Names that are no party's, a handful of them; raises UsageError."""
    for name in auditors:
        party_name(name)
        if name in cards or name == "coordinator":
            raise UsageError(f"auditor {name} has the name of a party or of the coordinator")
    if len(auditors) > MAX_AUDITORS:
        raise UsageError(f"a room has at most {MAX_AUDITORS} auditors")


def check_keys(
    coordinator: CoordinatorCard, cards: Mapping[PartyName, PartyCard], auditors: Mapping[PartyName, Auditor]
) -> None:
    """Every signing key of the room is nobody else's and signs one kind of statement; raises UsageError."""
    keys = {"the coordinator's identity": coordinator.identity, "the log": coordinator.log_key}
    for name, card in cards.items():
        keys |= {f"{name}'s identity": card.identity, f"{name}'s cosignatures": card.cosigning}
    keys |= {f"auditor {name}": auditor.key for name, auditor in auditors.items()}
    owners: dict[bytes, str] = {}
    for whose, key in keys.items():
        check_public_key(key, whose)
        if key in owners:
            raise UsageError(f"{whose}: the same key as {owners[key]}; every key signs one kind of statement")
        owners[key] = whose


def check_log(number: int, follows: str) -> None:
    """A first log follows nothing, every later one the last good head of the one before; raises UsageError."""
    if type(number) is not int or not 1 <= number <= MAX_LOG_NUMBER:
        raise UsageError(f"log is the number of the room's log, 1 to {MAX_LOG_NUMBER}")
    if (number > 1) != (follows != ""):
        raise UsageError("follows is the last good head of the log before: stated from log 2 on, and only then")
    if follows:
        size, _, root = follows.partition(" ")
        try:
            decimal(size, "its size")
            hash_bytes(root, "its root")
        except PeerError as error:
            raise UsageError('follows is a head as `cleanroom room heads` shows it: "SIZE ROOT"') from error


@dataclass(frozen=True, slots=True)
class Contract:
    """What was agreed. Cards and datasets are keyed by party; every party has exactly one of each.

    `setups_per_match` bounds how often a party may segment its people anew within one match. `starts` and `ends` are
    the first and last day (UTC, YYYY-MM-DD) on which anything is asked; empty where there is no such day.
    `log_number` counts the room's logs: a log whose key was stolen ends, and the next one begins with the last good
    head of it, `follows`, which is empty for the first log.
    """

    room: RoomName
    purpose: str
    profile: str
    region: str
    suite: str
    quorum: str
    setups_per_match: int
    coordinator: CoordinatorCard
    cards: Mapping[PartyName, PartyCard]
    datasets: Mapping[PartyName, Dataset]
    starts: str = ""
    ends: str = ""
    accountant: str = "zcdp"
    auditors: Mapping[PartyName, Auditor] = field(default_factory=dict)
    log_number: int = 1
    follows: str = ""

    def __post_init__(self) -> None:
        room_name(self.room)
        checked_text(self.purpose, "the purpose", 1000)
        check_profile(self.profile, self.region)
        if self.suite != SUITE_NAME:
            raise UsageError(f"this version knows one suite: {SUITE_NAME}")
        if self.quorum != QUORUM:
            raise UsageError(f"this version knows one quorum: {QUORUM}")
        if self.accountant not in ACCOUNTANTS:
            raise UsageError(f"the accountant is one of {', '.join(ACCOUNTANTS)}")
        check_validity(self.starts, self.ends)
        check_auditors(self.auditors, self.cards)
        check_keys(self.coordinator, self.cards, self.auditors)
        check_log(self.log_number, self.follows)
        if type(self.setups_per_match) is not int or not 1 <= self.setups_per_match <= 1000:
            raise UsageError("setups_per_match is a whole number from 1 to 1000")
        if not 2 <= len(self.cards) <= MAX_PARTIES:
            raise UsageError(f"a room has 2 to {MAX_PARTIES} parties")
        if set(self.cards) != set(self.datasets):
            raise UsageError("every party has one card and one dataset")
        if len({len(dataset.key) for dataset in self.datasets.values()}) != 1:
            raise UsageError("the match key has the same number of columns at every party")
        if "coordinator" in self.cards:
            raise UsageError("a party is not called coordinator")
        for name, dataset in self.datasets.items():
            if dataset.owner != name or self.cards[name].name != name:
                raise UsageError(f"{name}: card and dataset must be that party's own")
            if not set(dataset.consumer_caps) <= set(self.cards):
                raise UsageError(f"{name}: a consumer is not a party of the room")
