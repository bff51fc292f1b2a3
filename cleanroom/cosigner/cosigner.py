"""Polling the log, checking what it says, and cosigning what holds: the thread that every cosigner runs.

    poll -> our own signatures in its notes -> consider -> fetch -> follow -> the room's rules
         -> COMMIT -> sign -> submit

Whatever crashes in between, a signature leaves only for a head that is on disk, and what is on disk without a known
signature is signed again with the same time, so byte for byte the same.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from cleanroom.cosigner.log import Log, fetch, pages
from cleanroom.cosigner.mirror import Check, Mirror
from cleanroom.cosigner.stops import BrokenRuleError, RolledBackError, SplitViewError
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import CleanroomError, PeerError, UsageError
from cleanroom.transparency.checkpoint import Checkpoint, parse_checkpoint
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import EMPTY_ROOT, leaf_hash
from cleanroom.transparency.note import SignedNote, parse_note, parse_signature_lines
from cleanroom.transparency.witness import Advance, Held, Refusal, answer
from cleanroom.transparency.witness_message import parse_request
from cleanroom.wire.messages import MAX_NOTES, Published

WAIT_MS = 20_000
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
MAX_POLLS = 64


class Cosigner:
    """One for each mirror. `clock` in POSIX seconds; `check(first, entries)` is asked before anything is stored.

    `changed` is called after entries or cosignatures have come, `troubled` with each new trouble. `trouble` is one line
    about what hinders it now, empty when nothing does. `name` is ours in the policy, and `key` must be the one that it
    names. Raises UsageError.
    """

    def __init__(
        self,
        mirror: Mirror,
        log: Log,
        *,
        name: str,
        key: SigningKey,
        clock: Callable[[], float],
        check: Check,
        changed: Callable[[], None],
        troubled: Callable[[str], None] = lambda _: None,
    ) -> None:
        if key.public_bytes() != mirror.key.public:
            raise UsageError(f"the cosigning key in this home is not the one that the contract names for {name}")
        self._mirror = mirror
        self._log = log
        self._key = key
        self._clock = clock
        self._check = check
        self._changed = changed
        self._troubled = troubled
        self._seen = 0
        self._was_doubtful = False
        self.trouble = ""

    def step(self, wait_ms: int) -> bool:
        """One poll and what follows from it; whether entries or cosignatures came.

        Raises RolledBackError, SplitViewError or BrokenRuleError for good; PeerError, UnavailableError or StateError
        when it may be tried again.
        """
        self._mirror.check()
        trouble: list[PeerError] = []
        changed = False
        with _noting(trouble):
            changed = self._send()
        news, notes = self._poll(0 if self._was_doubtful else wait_ms)
        for note in notes:
            with _noting(trouble):
                self._mirror.refuse_own(note)
        if news.request:
            with _noting(trouble):
                changed = self._follow(news.request) or changed
        for note in notes:
            with _noting(trouble):
                changed = self._mirror.take(note) or changed
        waited_in_vain = wait_ms > 0 and not news.request and not notes
        self._remember(0 if waited_in_vain else news.version, is_doubtful=bool(trouble))
        if changed:
            self._changed()
        if trouble:
            raise trouble[0]
        return changed

    def _poll(self, wait_ms: int) -> tuple[Published, list[bytes]]:
        """The newest head, and every cosigned head since the last poll: our own signature may be in the last of them.

        Raises PeerError when there is no end to them.
        """
        news = self._log.poll_checkpoint(self._mirror.size, self._seen, wait_ms)
        notes = list(news.notes)
        for _ in range(MAX_POLLS):
            if len(news.notes) < MAX_NOTES:
                return news, notes
            news = self._log.poll_checkpoint(self._mirror.size, news.version, 0)
            notes += news.notes
        raise PeerError("the log offers cosigned heads without end")

    def _remember(self, version: int, *, is_doubtful: bool) -> None:
        """A note that was refused is offered once: after the first poll without trouble all are asked for again.

        So they are where nothing came for a whole poll: the log may have said that it sent what it did not.
        """
        self._seen = 0 if self._was_doubtful and not is_doubtful else version
        self._was_doubtful = is_doubtful

    def run(self, stopping: threading.Event) -> None:
        """Steps until `stopping` is set; raises what ends it for good. Everything else is tried again, more slowly."""
        pause = FIRST_PAUSE_S
        while not stopping.is_set():
            try:
                self.step(WAIT_MS)
            except (RolledBackError, SplitViewError, BrokenRuleError) as error:
                self._say(str(error))
                self._changed()
                raise
            except CleanroomError as error:
                self._say(str(error))
                stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                self.trouble = ""
                if self._seen:  # else what was refused is read again now, and may be refused again
                    pause = FIRST_PAUSE_S

    def _say(self, line: str) -> None:
        """What hinders it now; said once while it stays the same."""
        if line != self.trouble:
            self._troubled(line)
        self.trouble = line

    def catch_up(self) -> None:
        """See `Mirror.catch_up`."""
        self._mirror.catch_up(self._log, check=self._check, now=int(self._clock()))

    def _follow(self, request: bytes) -> bool:
        """Whether the request's head is held now, and cosigned; raises as `step` does."""
        since, decision = self._mirror.consider(request, int(self._clock()))
        if isinstance(decision, Refusal):
            self._refuse(request, since, decision)
            return False
        head = decision.held.checkpoint
        entries = fetch(self._log, since.checkpoint.size, head.size)
        self._mirror.advance(since, decision, entries, self._checked(decision))
        with suppress(PeerError):  # the log does not want it now; it is tried again
            self._send()
        return True

    def _checked(self, decision: Advance) -> Check:
        def check(first: int, entries: Sequence[bytes]) -> None:
            try:
                self._check(first, entries)
            except PeerError as error:
                self._mirror.keep_broken(decision.note, str(error))
                raise BrokenRuleError(
                    f"the log's head of {decision.held.checkpoint.size} entries is not cosigned, since it breaks a rule"
                    f" of the room at {error}; the signed head is kept as evidence; talk to the coordinator's operator"
                ) from error

        return check

    def _send(self) -> bool:
        """Sign what is stored and submit it; whether our own line was new to the mirror."""
        advance = self._mirror.unsent()
        if advance is None:
            return False
        reply = answer(advance, name=self._mirror.key.name, key=self._key)
        lines = parse_signature_lines(reply.body.decode("utf-8"))
        signed = SignedNote(advance.note.text, (*advance.note.signatures, *lines))
        new = self._mirror.take(signed.to_bytes())
        self._log.submit_cosignature(advance.held.checkpoint.size, reply)
        self._mirror.sent(advance.held)
        return new

    def _refuse(self, request: bytes, since: Held, refusal: Refusal) -> None:
        """Say no, and find out whether the log has signed two histories; always raises."""
        head, note = _head_of(request)
        try:
            if head is not None:
                self._mirror.take(note)
                if refusal.evidence is not None and head.size > since.checkpoint.size:
                    self._read_again(head, note, since)
        finally:
            if head is not None:
                with suppress(CleanroomError):
                    self._log.submit_cosignature(head.size, refusal.answer)
        if head is not None and head.size < since.checkpoint.size:
            raise PeerError(
                f"the log was set back: its newest head is of {head.size} entries, and {since.checkpoint.size} were"
                " cosigned; the coordinator's operator has to restore what it had"
            )
        raise PeerError(f"the log's newest head is not cosigned: {refusal.reason}")

    def _read_again(self, head: Checkpoint, note: bytes, since: Held) -> None:
        """A proof failed, which may be the proof's fault: the entries decide, from the first one on."""
        frontier, then = Frontier(), EMPTY_ROOT
        for page in pages(self._log, 0, head.size):
            for entry in page:
                frontier = frontier.with_leaf(leaf_hash(entry))
                if frontier.size == since.checkpoint.size:
                    then = frontier.root()
        if frontier.root() == head.root and then != since.checkpoint.root:
            self._mirror.convict(note)


@contextmanager
def _noting(found: list[PeerError]) -> Iterator[None]:
    """What one note, or one request, is refused for does not keep the others from being read."""
    try:
        yield
    except PeerError as error:
        found.append(error)


def _head_of(request: bytes) -> tuple[Checkpoint | None, bytes]:
    """The head that a request shows, unverified; None when it cannot be read."""
    try:
        note = parse_request(request).checkpoint
        return parse_checkpoint(parse_note(note).text), note
    except PeerError:
        return None, b""
