"""A room's log with fixed keys, as an auditor gets it: entries that were really signed, a folder, an agreement file.

story = Story()
plan = story.ask("shop", "brand"); story.debit(plan); story.release(plan)
log = story.write(tmp_path)          # log.folder, log.agreement
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cleanroom.crypto.signatures import SigningKey
from cleanroom.match.handshake import dummies_of_lineage
from cleanroom.querylog.dsse import sign_statement
from cleanroom.querylog.log_policy import cosigner_key, log_key, log_policy
from cleanroom.question.agreement import Agreement
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.transparency.checkpoint import Checkpoint, sign_checkpoint
from cleanroom.transparency.cosignature import cosign
from cleanroom.transparency.export import CHECKPOINT_PATH, exported
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.note import SignedNote
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.tile import places
from cleanroom.transparency.tree import Tree
from tests.unit.question import agreements

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COSIGNED = int(START.timestamp()) + 7 * 86400


@dataclass(frozen=True)
class AuditedLog:
    """What an auditor has."""

    folder: Path
    agreement: Path
    policy: Policy


@dataclass
class Story:
    """What happened, said entry by entry; every statement is a minute after the one before."""

    contract: Contract = field(default_factory=agreements.contract)
    entries: list[bytes] = field(default_factory=list)
    minutes: int = 0
    repeats: int = 0
    log_seed: SigningKey = field(default_factory=lambda: agreements.LOG_KEY)

    @property
    def agreement(self) -> Agreement:
        """Signed by everybody."""
        signed = Agreement(self.contract, {})
        for name in self.contract.cards:
            signed = signed.signed(name, agreements.identity(name), at="2026-03-01T00:00:00Z")
        return signed

    @property
    def hash(self) -> str:
        """The contract's, hex."""
        return self.agreement.hash

    def at(self) -> str:
        """The present minute."""
        return (START + timedelta(minutes=self.minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def say(self, actor: str, kind: str, subject: str, /, key: SigningKey | None = None, **more: Any) -> bytes:
        """One more statement; `more` adds to its body or overrides it."""
        self.minutes += 1
        body = {
            "actor": actor, "at": self.at(), "contract": self.hash, "kind": kind, "room": self.contract.room,
            "subject": subject, "v": 1, **more,
        }  # fmt: skip
        self.entries.append(sign_statement(kind, body, key or agreements.identity(actor)))
        return self.entries[-1]

    def ask(self, asker: str = "shop", owner: str = "brand", /, **more: Any) -> Plan:
        """A signed question; asked anew each time."""
        self.repeats += 1
        plan = agreements.plan(
            self.contract, **{"asker": asker, "owner": owner, "repeat": self.repeats, "contract": self.hash, **more}
        )
        self.say(asker, "question.asked", plan.hash(), plan=plan.body(), owner=owner)
        return plan

    def debit(self, plan: Plan, /, **more: Any) -> None:
        """The owner pays."""
        fields = {
            "accountant": self.contract.accountant, "consumer": plan.asker,
            "lineage": self.contract.datasets[plan.owner].lineage, "match": plan.match,
            "quantity": plan.quantity.kind, "units": str(plan.cost_units),
        }  # fmt: skip
        self.say(plan.owner, "budget.debit", plan.hash(), **{**fields, **more})

    def release(self, plan: Plan, /, **more: Any) -> None:
        """The owner answers."""
        digest = hashlib.sha256(plan.hash().encode()).hexdigest()
        self.say(plan.owner, "answer.released", plan.hash(), **{"consumer": plan.asker, "digest": digest, **more})

    def void(self, plan: Plan, /) -> None:
        """The owner takes the debit back."""
        self.say(plan.owner, "budget.voided", plan.hash(), consumer=plan.asker)

    def refuse(self, plan: Plan, /, **more: Any) -> None:
        """The owner says no."""
        fields = {"rule": "column-grant", "owner": plan.owner, "explanation": "not granted", "advice": "ask less"}
        self.say(plan.owner, "question.refused", plan.hash(), **{**fields, **more})

    def approve(self, plan: Plan, approver: str = "dora", /) -> None:
        """A person of the owner agrees."""
        self.say(plan.owner, "question.approved", plan.hash(), approver=approver, reason="a fair question")

    def answer(self, asker: str = "shop", owner: str = "brand", /, **more: Any) -> Plan:
        """Asked, paid and answered."""
        plan = self.ask(asker, owner, **more)
        self.debit(plan)
        self.release(plan)
        return plan

    def match(self, initiator: str = "shop", responder: str = "brand", /, number: int = 0, **more: Any) -> None:
        """Opened and debited by both; placed by the coordinator, who signs nothing here."""
        match = agreements.seed(f"match {number} {initiator} {responder}").hex()
        self.say(initiator, "match.opened", match, initiator=initiator, responder=responder)
        for one, other in ((initiator, responder), (responder, initiator)):
            party = agreements.card(one).name
            fields = {
                "dummies": dummies_of_lineage(self.contract, party), "lineage": self.contract.datasets[party].lineage,
                "observer": "coordinator", "peer": other,
            }  # fmt: skip
            self.say(one, "match.debit", match, **{**fields, **more})

    def write(self, folder: Path, cosigners: Sequence[str] = ("shop", "brand"), *, time: int = COSIGNED) -> AuditedLog:
        """The log's folder and the agreement, as the coordinator and a party hand them over."""
        log, agreement = folder / "log", folder / "agreement.json"
        for name, data in self.files(cosigners, time=time).items():
            (log / name).parent.mkdir(parents=True, exist_ok=True)
            (log / name).write_bytes(data)
        agreement.write_bytes(self.agreement.file_bytes())
        return AuditedLog(log, agreement, log_policy(self.contract))

    def files(self, cosigners: Sequence[str] = ("shop", "brand"), *, time: int = COSIGNED) -> dict[str, bytes]:
        """The folder's files by name."""
        tree = Tree(leaf_hash(entry) for entry in self.entries)
        files = dict(exported(tree, lambda start, end: self.entries[start:end], places(tree.size)))
        return {**files, CHECKPOINT_PATH: self.head(*cosigners, time=time).to_bytes()}

    def head(self, *cosigners: str, time: int = COSIGNED, size: int | None = None) -> SignedNote:
        """The log's note over its first `size` entries, with these parties' lines."""
        tree = Tree(leaf_hash(entry) for entry in self.entries[: len(self.entries) if size is None else size])
        checkpoint = Checkpoint(log_key(self.contract).name, tree.size, tree.root())
        note = sign_checkpoint(checkpoint, self.log_seed)
        lines = [
            cosign(
                checkpoint,
                name=cosigner_key(self.contract, agreements.card(name).name).name,
                key=SigningKey(agreements.seed(f"cosigning {name}")),
                time=time,
            )
            for name in cosigners
        ]
        return SignedNote(note.text, (*note.signatures, *lines))


def ordinary() -> Story:
    """A day in which a little of everything happened, and nothing wrong."""
    story = Story()
    story.match()
    story.answer("shop", "brand")
    refused = story.ask("shop", "brand", base="table", by="")
    story.refuse(refused, explanation="shop may not ask for colour")
    approved = story.ask("brand", "shop", by="colour")
    story.approve(approved)
    story.debit(approved)
    story.release(approved)
    voided = story.ask("bank", "brand")
    story.debit(voided)
    story.void(voided)
    story.say("brand", "room.paused", "a" * 64, reason="the table is being mended")
    story.say("shop", "incident", "b" * 64, sender="bank", message="match.points")
    story.ask("bank", "shop")
    return story
