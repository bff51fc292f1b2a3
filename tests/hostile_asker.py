"""For tests only: a party's node with its real keys and modified software, in a process of its own.

    python -m tests.hostile_asker --home HOME

It keeps what its honest node keeps, and sends whatever it is ordered to: any plan, any statement under its own
signature, any message, any captured envelope.
"""

import base64
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from cleanroom.errors import CleanroomError, UnavailableError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.privacy.budget import parse_epsilon, units_for_epsilon
from cleanroom.privacy.noise import DiscreteNoise
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.question.compile import Question
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.wire.messages import Envelope
from parties.desk import pack_envelope, unpack_envelope
from parties.home import Home
from parties.inquiry import Inquiry
from parties.node import Node
from parties.serve import Opened, build_node, connect, import_people, log_own_signature, open_home
from tests.puppet import obey

PATIENCE_S = 30.0
AT_ONCE = 16


def text(data: bytes) -> str:
    """Bytes as they travel in orders."""
    return base64.b64encode(data).decode("ascii")


class HostileAsker:
    """The node's parts, within reach."""

    def __init__(self, home: Path) -> None:
        self._home = Home(home)
        self._ready = threading.Event()
        self.opened: Opened
        self.node: Node
        self.client: Any
        threading.Thread(target=self._work, daemon=True).start()
        if not self._ready.wait(PATIENCE_S):
            raise SystemExit("the node did not start")

    def _work(self) -> None:
        """As `serve` does, without a door: one thread owns the database."""
        self.opened = open_home(self._home)
        import_people(self.opened)
        self.client = connect(self.opened)
        self.node = build_node(self.opened, self.client, noise=DiscreteNoise())
        log_own_signature(self.opened)
        self._ready.set()
        self.node.run()

    def ask(self, owner: str, by: str, quantity: str, column: str, epsilon: str) -> dict[str, Any]:
        """An honest question; the answer, and the plan as it was signed."""
        question = Question(
            asker=self.node.desk.name,
            owner=PartyName(owner),
            analyst=analyst_name("ann"),
            by=by,
            quantity=Quantity(quantity, column),
            units=units_for_epsilon(parse_epsilon(epsilon)),
        )
        answer = Inquiry(self.node, question).run(timeout_s=PATIENCE_S, progress=lambda _: None)
        asked = self.node.call(lambda: self.node.asking.find(answer["question"]["plan"]))
        return {"answer": answer, "plan": asked.plan.body() if asked else None}

    def put(self, plan: dict[str, Any]) -> str:
        """Sign this plan as if it were ours, have it logged and sent; its hash."""
        return self.node.call(lambda: self.node.asking.start(Plan.from_body(plan)))

    def outcome(self, plan: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """How a question that was put has ended, or stands when patience is over."""
        end = time.monotonic() + patience_s
        while True:
            asked = self.node.call(lambda: self.node.asking.find(plan))
            if asked is not None and (asked.state in ("answered", "refused", "failed") or time.monotonic() > end):
                return {"state": asked.state, "refusal": asked.refusal, "cells": list(asked.cells)}
            with self.node.changed:
                self.node.changed.wait(0.1)

    def sign(self, kind: str, body: dict[str, Any]) -> str:
        """A statement under our own signature, whatever it says."""
        return text(sign_statement(kind, body, self.opened.desk.keys.identity))

    def append(self, statement: str) -> str:
        """Have a statement logged and remember it; the text of its proof, once its quorum has cosigned it."""
        said = base64.b64decode(statement)
        body = peek_statement(said)
        self.client.append(said)
        self.node.call(lambda: self.node.desk.put_statement(str(body["kind"]), str(body["subject"]), said))
        digest, end = sha256(said).hexdigest(), time.monotonic() + PATIENCE_S
        while True:
            row = self.node.call(
                lambda: self.node.desk.database.one("SELECT proof FROM statement WHERE digest = ?", digest)
            )
            if row is not None:
                return str(row[0])
            if time.monotonic() > end:
                raise UnavailableError("the statement was never cosigned")
            with self.node.changed:
                self.node.changed.wait(0.1)

    def envelope(self, to: str, kind: str, subject: str, header: dict[str, Any], blob: str = "") -> str:
        """A message sealed and signed by us, not sent yet."""
        post = self.opened.desk.post
        (envelope,) = post.write(PartyName(to), kind, subject, header, base64.b64decode(blob))
        return text(pack_envelope(envelope))

    def send(self, envelopes: list[str]) -> list[str]:
        """Hand over envelopes as they are, many at once; for each nothing, or what the coordinator said to it."""

        def one(envelope: Envelope) -> str:
            try:
                self.client.send(envelope)
            except CleanroomError as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, [unpack_envelope(base64.b64decode(packed)) for packed in envelopes]))


def main() -> None:
    """Begin, say so, obey."""
    asker = HostileAsker(Path(sys.argv[sys.argv.index("--home") + 1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    orders = ("ask", "put", "outcome", "sign", "append", "envelope", "send")
    obey({name: getattr(asker, name) for name in orders})


if __name__ == "__main__":
    main()
