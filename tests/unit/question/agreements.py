"""One agreement with fixed keys, and ways to change one term of it: no folder, no clock, no process."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cleanroom.crypto.sealing import SUITE_NAME
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SealingKey
from cleanroom.ids import AnalystName, ColumnName, PartyName, RoomName
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.columns import Dimension, Measure, Reduction
from cleanroom.question.compile import Question, Standing, compile_plan
from cleanroom.question.contract import QUORUM, Contract
from cleanroom.question.dataset import Dataset, Overlap
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.transport.authority import Authority
from cleanroom.transport.requests import new_tls_key

SHOP, BRAND, BANK = PartyName("shop"), PartyName("brand"), PartyName("bank")
RHO = 2**40


def seed(word: str) -> bytes:
    """32 fixed bytes for a name."""
    return sha256(word.encode()).digest()


@lru_cache(maxsize=1)
def authority_der() -> bytes:
    """A certificate that can stand in a coordinator's card."""
    authority = Authority.create(new_tls_key(), "room.test", now=datetime(2026, 1, 2, tzinfo=UTC))
    return authority.der()


def identity(name: str) -> SigningKey:
    """A party's identity key."""
    return SigningKey(seed(f"identity {name}"))


def sealing(name: str) -> SealingKey:
    """A party's sealing key."""
    return SealingKey(seed(f"one {name}") + seed(f"two {name}") + seed(f"three {name}"))


def cosigning(name: str) -> SigningKey:
    """A party's cosigning key."""
    return SigningKey(seed(f"cosigning {name}"))


LOG_KEY = SigningKey(seed("log"))
FOLLOWS = f"3 {b64encode(seed('root')).decode()}"
"""The last good head of a first log, in the contract of the second."""


@lru_cache(maxsize=16)
def card(name: str) -> PartyCard:
    """A party's card."""
    return PartyCard(
        PartyName(name),
        identity(name).public_bytes(),
        sealing(name).public_bytes(),
        cosigning(name).public_bytes(),
    )


@lru_cache(maxsize=1)
def coordinator() -> CoordinatorCard:
    """The coordinator's card."""
    identity = SigningKey(seed("identity coordinator")).public_bytes()
    return CoordinatorCard("room.test", "127.0.0.1:7443", authority_der(), identity, LOG_KEY.public_bytes())


def dimension(name: str = "tier", values: tuple[str, ...] = ("gold", "silver"), **more: Any) -> Dimension:
    """A dimension of these declared values."""
    return replace(Dimension(ColumnName(name), Reduction("most_frequent", source=name), values), **more)


def measure(name: str = "spend", **more: Any) -> Measure:
    """Euros from -10 to 100 in half euros: -20 to 200 steps."""
    terms = {
        "name": ColumnName(name),
        "reduction": Reduction("sum", source=name),
        "unit": "euros",
        "decimals": 2,
        "low": Decimal(-10),
        "high": Decimal(100),
        "step": Decimal("0.5"),
    }
    return Measure(**{**terms, **more})


def dataset(owner: PartyName, **more: Any) -> Dataset:
    """Two dimensions and one measure; 8 rho in all, 4 for each of two others."""
    others = [name for name in (SHOP, BRAND, BANK) if name != owner]
    terms = {
        "owner": owner,
        "lineage": f"{owner} customers",
        "key": ("email",),
        "capacity": 1000,
        "columns": (dimension(), dimension("colour", ("red", "blue", "green")), measure()),
        "overlap": Overlap(Fraction(2), Fraction(1, 10**9), 6),
        "cap_units": 8 * RHO,
        "consumer_caps": dict.fromkeys(others, 4 * RHO),
    }
    return Dataset(**{**terms, **more})


def contract(datasets: dict[PartyName, Dataset] | None = None, **more: Any) -> Contract:
    """A room of shop, brand and bank."""
    terms = {
        "room": RoomName("spring"),
        "purpose": "to test a room",
        "profile": "email-plain-v1",
        "region": "",
        "suite": SUITE_NAME,
        "quorum": QUORUM,
        "setups_per_match": 3,
        "coordinator": coordinator(),
        "cards": {name: card(name) for name in (SHOP, BRAND, BANK)},
        "datasets": {name: dataset(name) for name in (SHOP, BRAND, BANK)} | (datasets or {}),
    }
    return Contract(**{**terms, **more})


STANDING = Standing(*(seed(word).hex() for word in ("match", "transcript", "a", "b", "setup", "setup transcript")))


def question(**more: Any) -> Question:
    """shop asks brand: people by tier; epsilon about 1."""
    terms = {
        "asker": SHOP,
        "owner": BRAND,
        "analyst": AnalystName("alice"),
        "by": "tier",
        "quantity": Quantity("histogram", "colour"),
        "units": RHO // 100,
    }
    return Question(**{**terms, **more})


def plan(agreement: Contract | None = None, **more: Any) -> Plan:
    """The compiled question, with some fields of the plan replaced afterwards."""
    asked = {name: more.pop(name) for name in ("by", "quantity", "units", "base") if name in more}
    standing = Standing() if asked.get("base") == "table" else STANDING
    return replace(compile_plan(agreement or contract(), question(**asked), standing), **more)
