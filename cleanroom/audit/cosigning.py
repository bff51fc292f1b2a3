"""The auditor's daemon: a mirror of the log and a cosigner that checks that it only grows.

The rules of the room are for its parties to check, who know their own data; an auditor vouches for the log alone.

The mirror's file is the memory behind the signatures: once it was begun it must be there, or the key is retired.
"""

import fcntl
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanroom.audit.home import AuditorHome
from cleanroom.cosigner.cosigner import Cosigner
from cleanroom.cosigner.mirror import Mirror
from cleanroom.crypto.key_files import private_folder
from cleanroom.errors import CleanroomError, StateError
from cleanroom.report.visible import visible
from cleanroom.whole_file import replace_file

if TYPE_CHECKING:
    from cleanroom.audit.given import Terms
    from cleanroom.transport.client import CoordinatorClient

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LOOK_S = 1.0


def run(home: AuditorHome, terms: "Terms", connect: "Callable[[], CoordinatorClient]") -> int:
    """Cosign until told to stop; 0, or 1 when the log or the own state forbids going on."""
    contract = terms.in_force
    folder = private_folder(home.path / "mirrors")
    with _stop_signals_waited_for(), (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(f"another process cosigns from {home.path} already") from None
        mirror = _mirror(folder, f"{contract.room}-{contract.log_number}", home, terms)
        client = connect()
        try:
            return _serve(mirror, client, home)
        finally:
            client.close()


@contextmanager
def _stop_signals_waited_for() -> Iterator[None]:
    """Blocked before the first thread starts, and so in every thread: only a wait takes them. Afterwards as before, or
    whatever this process starts later could not be asked to stop."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        while signal.sigtimedwait(_STOP_SIGNALS, 0) is not None:
            pass  # asked twice
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _mirror(folder: Path, name: str, home: AuditorHome, terms: "Terms") -> Mirror:
    """Raises StateError when the mirror was begun and is gone."""
    begun = folder / f"{name}.begun"
    mirror = Mirror(folder / f"{name}.sqlite", terms.policy, name=home.name(), begun=begun.exists())
    if not begun.exists():
        replace_file(begun, b"the mirror beside this file was begun; without it the cosigning key is retired\n")
    return mirror


class _Said:
    """What was said last, so that nothing is said twice in a row."""

    def __init__(self) -> None:
        self._held = self._trouble = ""

    def say(self, held: str, trouble: str) -> None:
        """On standard error, what is new of it."""
        if held != self._held:
            click.echo(held, err=True)
        if trouble and trouble != self._trouble:
            click.echo(visible(f"trouble: {trouble}"), err=True)
        self._held, self._trouble = held, trouble


def _serve(mirror: Mirror, client: "CoordinatorClient", home: AuditorHome) -> int:
    stopping, ended = threading.Event(), list[CleanroomError]()
    cosigner = Cosigner(
        mirror,
        client,
        name=home.name(),
        key=home.cosigning_key(),
        clock=time.time,
        check=lambda _first, _entries: None,
        changed=lambda: None,
    )

    def work() -> None:
        try:
            cosigner.run(stopping)
        except CleanroomError as error:
            ended.append(error)

    thread = threading.Thread(target=work, name="cosigner", daemon=True)
    thread.start()
    click.echo("ready")
    said = _Said()
    while thread.is_alive() and signal.sigtimedwait(_STOP_SIGNALS, _LOOK_S) is None:
        said.say(f"{mirror.size} entries are held and cosigned", cosigner.trouble)
    stopping.set()
    client.close()
    thread.join(timeout=10)
    said.say(f"{mirror.size} entries are held and cosigned", "")
    for error in ended:
        click.echo(visible(f"error: {error}"), err=True)
    return 1 if ended else 0
