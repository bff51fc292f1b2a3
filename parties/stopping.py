"""Pausing, closing and resuming at one node: what is written down first, what follows from it, and who is told.

A stop is one transaction: the fact, the signed statement for the log and the sealed messages to the other parties are
on disk together, before anything else is done and whether or not the coordinator can be reached. Everything that
decides or sends reads that fact from the database, so it holds from the moment the transaction ends, for a running
node as well: the stop is written beside its worker, which may be waiting for an unreachable coordinator. Nothing is
begun afterwards. What the worker has begun before, one message, one statement or one list of tags, ends as it would
have: each call has ten seconds, and one that failed is not tried again.
"""

import base64

from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import random_id
from cleanroom.querylog.dsse import strict_base64
from cleanroom.question.resumption import KIND as RESUMED
from cleanroom.question.resumption import Resumption
from cleanroom.question.stop import CLOSED, PAUSED, Stop, checked_reason, read_stop
from parties.desk import Desk
from parties.post import Message
from parties.room_stops import MAX_STANDING_PAUSES

STOPPED = "room.stopped"
WORDS = {"pause": PAUSED, "close": CLOSED}


def stop_room(desk: Desk, kind: str, reason: str) -> Stop:
    """Pause or close the room in this party's name; raises UsageError when it is closed, or the reason is none."""
    reason = checked_reason(reason)
    with desk.database.transaction():
        standing = desk.stops.standing()
        if standing.state == "closed":
            raise UsageError(f"room {desk.contract.room} was closed by {standing.by}: {standing.reason}")
        if desk.stops.is_full(desk.name, kind):
            raise UsageError(f"{desk.name} has paused the room {MAX_STANDING_PAUSES} times already; it is paused")
        subject = random_id()
        statement = desk.state(kind, subject, reason=reason)
        stop = read_stop(statement, desk.contract, desk.contract_hash)
        desk.stops.add(stop)
        header = {"statement": base64.b64encode(statement).decode("ascii")}
        for other in desk.contract.cards:
            if other != desk.name:
                desk.send(other, STOPPED, subject, header)
    return stop


def take_stop(desk: Desk, message: Message) -> bool:
    """Another party's stop; whether it was news. Raises PeerError, and AuthenticationError when it is forged."""
    stop = read_stop(strict_base64(message.header.get("statement")), desk.contract, desk.contract_hash)
    if stop.subject != message.subject:
        raise PeerError("a stop of the room came under another id than its own")
    if stop.by == desk.name:
        raise PeerError("another party tells us of a stop of our own")
    return desk.stops.add(stop)


def resume_room(desk: Desk, resumption: Resumption) -> bool:
    """Lift the pauses that all parties signed to lift, and log our signature; False when nothing new was lifted.

    Raises UsageError when a signature is missing.
    """
    if not resumption.complete:
        raise UsageError(f"the room stays paused: the resumption is not signed by {', '.join(resumption.missing)}")
    with desk.database.transaction():
        lifted = desk.stops.lift(resumption)
        own = resumption.signatures[desk.name]
        if not desk.has_said(own):
            desk.put_statement(RESUMED, resumption.subject, own)
    return lifted
