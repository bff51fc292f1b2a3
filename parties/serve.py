"""Starting a node from its folder: keys, contract, certificate, table; then work until told to stop."""

import logging
import os
import signal
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleanroom.answer.forecast import price_line
from cleanroom.crypto.key_files import private_folder, read_secret
from cleanroom.errors import StateError, UnavailableError
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.noise import DiscreteNoise, NoiseSource
from cleanroom.querylog.rotation import ROTATED, keys_of, rotation
from cleanroom.question.agreement import KIND as SIGNED
from cleanroom.question.agreement import Agreement
from cleanroom.question.compile import check_question
from cleanroom.question.dry_run import price_of
from cleanroom.transport.client import CoordinatorClient
from cleanroom.transport.enrolment import CERTIFICATE_FILE, KEY_FILE
from cleanroom.wire.contract_file import contract_hash
from parties.agreeing import agreement_in_force
from parties.approving import approval_commands
from parties.beside import make_desk
from parties.cosigning import open_mirror
from parties.desk import Desk
from parties.door import Command, Door, Progress
from parties.dry_running import dry_run_command, together_command
from parties.home import Home
from parties.inquiry import Inquiry
from parties.ledger_view import ledger_totals
from parties.node import Coordinator, Node
from parties.people import People, Version
from parties.requests import checked_again, question_of, view_of
from parties.room_life import door_commands
from parties.room_stops import RoomStops
from parties.room_view import view_commands
from parties.settings import Analyst, NodeSettings, read_settings
from parties.work_log import timed

_LOG = logging.getLogger("cleanroom.node")


@dataclass(frozen=True, slots=True)
class Opened:
    """A node's parts before it is connected."""

    home: Home
    settings: NodeSettings
    agreement: Agreement
    desk: Desk
    people: People


def open_home(home: Home) -> Opened:
    """Keys, agreement and state of a folder; raises UsageError, StateError or PeerError in one line."""
    settings = read_settings(home.settings_file)
    agreement = agreement_in_force(home)
    desk = make_desk(home, agreement, time.time)
    people = People(desk.database, desk.contract, desk.name, digest_key=desk.keys.state)
    return Opened(home, settings, agreement, desk, people)


def import_people(opened: Opened) -> Version:
    """Read the table if it changed; raises SourceError or UsageError."""
    work = private_folder(opened.home.path / "work")
    with timed("import"):
        day = opened.desk.today()
        return opened.people.import_table(opened.settings.source, work_directory=work, day=day)


def connect(opened: Opened) -> CoordinatorClient:
    """A client with this party's TLS pair; raises StateError when there is no certificate yet.

    It tries again after a failure, but not in a stopped room: what was on its way must not leave after the stop.
    Several threads call it, and a connection to the database belongs to one.
    """

    def wait(seconds: float) -> None:
        time.sleep(seconds)
        with closing(opened.desk.database.beside()) as beside:
            standing = RoomStops(beside, opened.desk.contract.room).standing()
        if standing.state != "open":
            raise UnavailableError("the coordinator did not answer, and the room is stopped")

    folder = opened.home.tls_folder
    certificate = folder / CERTIFICATE_FILE
    if not certificate.exists():
        raise StateError(f"no certificate yet: have {folder.parent / 'request.csr'} signed by the coordinator")
    return CoordinatorClient(
        opened.desk.contract,
        contract_hash(opened.desk.contract),
        opened.desk.name,
        key_pem=read_secret(folder / KEY_FILE),
        certificate_pem=certificate.read_bytes(),
        address=opened.settings.coordinator_address,
        pause=wait,
    )


def _ask(node: Node, settings: NodeSettings) -> Command:
    def command(analyst: Analyst, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
        again = checked_again(request)
        question, view = question_of(node.desk.contract, node.desk.name, analyst.name, request), view_of(request)
        check_question(node.desk.contract, question)
        progress(price_line(price_of(node.desk.contract, question), accountant(node.desk.contract.accountant)))
        inquiry = Inquiry(node, question, view=view, again=again)
        return inquiry.run(timeout_s=settings.peer_timeout_s, progress=progress)

    return command


def _ledger(node: Node) -> Command:
    def command(_analyst: Analyst, _request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        def total() -> dict[str, Any]:
            node.desk.ledger.verify()
            return ledger_totals(node.desk)

        return node.call(total)

    return command


def _report(node: Node) -> Command:
    def command(_analyst: Analyst, _request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        return {"lines": node.call(node.people.require).report.splitlines()}

    return command


def commands(home: Home, agreement: Agreement, settings: NodeSettings, node: Node) -> dict[str, tuple[str, Command]]:
    """Everything that a running node does for the people of its company, and in which role."""
    return {
        "ask": ("asker", _ask(node, settings)),
        "dry-run": ("asker", dry_run_command(node)),
        "dry-run-together": ("asker", together_command(node)),
        **view_commands(node),
        "ledger": ("operator", _ledger(node)),
        "report": ("operator", _report(node)),
        **door_commands(home, agreement, node),
        **approval_commands(node),
    }


def build_node(opened: Opened, coordinator: Coordinator, *, noise: NoiseSource) -> Node:
    """The node over these parts; only a caller in this process can give it another noise."""
    mirror = open_mirror(opened.desk, opened.home.mirror_folder)
    return Node(opened.desk, opened.people, coordinator, mirror, noise=noise)


def log_own_signature(opened: Opened) -> None:
    """What we signed goes into the log, once, so that its readers see under whose signatures it is kept."""
    desk, statement = opened.desk, opened.agreement.signatures[opened.desk.name]
    with desk.database.transaction():
        if not desk.has_said(statement):
            desk.put_statement(SIGNED, opened.agreement.hash, statement)


def log_own_rotation(opened: Opened) -> None:
    """When our keys are not those of the last start in this room, the log says which go and which come."""
    desk = opened.desk
    mark = f"own-keys/{desk.contract.room}"
    row = desk.database.one("SELECT value FROM meta WHERE name = ?", mark)
    before = [] if row is None else str(row[0]).split("\n")
    with desk.database.transaction():
        changed = rotation(desk.contract, desk.name, before=before) if before else None
        if changed is not None:
            desk.state(ROTATED, desk.contract_hash.hex(), **changed)
        present = "\n".join(keys_of(desk.contract, desk.name))
        desk.database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", mark, present)


def serve(path: Path, *, noise: NoiseSource | None = None) -> None:
    """Run the node of a folder until SIGTERM or SIGINT; prints `ready` when table, socket and coordinator are fine."""
    os.umask(0o077)
    with Home(path).locked():
        _serve(open_home(Home(path)), noise or DiscreteNoise())


def _serve(opened: Opened, noise: NoiseSource) -> None:
    opened.desk.ledger.verify()
    with opened.desk.database.transaction():
        opened.desk.ledger.fix_accountant(opened.desk.dataset.lineage, opened.desk.contract.accountant)
    import_people(opened)
    client = connect(opened)
    node = build_node(opened, client, noise=noise)
    log_own_signature(opened)
    log_own_rotation(opened)
    node.watch.follow()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: node.stop())
    door = Door(
        opened.settings.socket or opened.home.socket_file,
        opened.settings,
        commands(opened.home, opened.agreement, opened.settings, node),
    )
    door.start()
    _LOG.info("serving as %s in room %s", opened.desk.name, opened.desk.contract.room)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        node.run()
    finally:
        door.close()
        client.close()
        node.close()
        opened.desk.database.close()
