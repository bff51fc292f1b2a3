"""Keeping the log's folder as new as the newest head that may be shown to an auditor, on a thread of its own.

Exporting batches by itself: while one head is being written others are published, and only the newest is written next.
The exported checkpoint never goes back to a smaller size. A partial tile is deleted when 16 newer heads were exported:
somebody may still be copying the log at one of these; older ones would fill the disk, at up to 200 kB an entry.
"""

import threading
from collections import deque
from collections.abc import Sequence

from cleanroom.coordinator.heads import Heads
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.coordinator.log_table import entries_between
from cleanroom.coordinator.store import Store
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.export import CHECKPOINT_PATH, exported
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.tile import new_places, partial_places, places
from cleanroom.transport.event_log import EventLog, where

KEPT_EXPORTS = 16


class Exporter:
    """Writes the folder of one room's log. The folder was checked against the stored log before."""

    def __init__(self, folder: LogFolder, heads: Heads, store: Store, log: EventLog) -> None:
        self._folder = folder
        self._heads = heads
        self._store = store
        self._log = log
        self._note = folder.checkpoint()
        self._size = 0 if self._note is None else parse_checkpoint(parse_note(self._note).text).size
        folder.sweep(self._size)
        self._written = self._size if all(folder.has(place) for place in places(self._size)) else 0
        self._recent = deque([self._size])
        self._work = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)

    def start(self) -> None:
        """Export what is new, now and whenever `ring` is called."""
        self._work.set()
        self._thread.start()

    def ring(self) -> None:
        """There is something new."""
        self._work.set()

    def stop(self) -> None:
        """End the thread when it has written what there is."""
        self._stopping = True
        self._work.set()
        if self._thread.is_alive():
            self._thread.join()

    def export(self) -> bool:
        """Write the files of the head that is to be exported; whether anything was new."""
        head = self._heads.to_export()
        if head.size < self._size or (head.note == self._note and self._written == self._size):
            return False
        self._folder.write(exported(self._heads.tree, self._entries, new_places(self._written, head.size)))
        self._folder.write([(CHECKPOINT_PATH, head.note)])
        self._note, self._size, self._written = head.note, head.size, head.size
        self._forget(head.size)
        return True

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            stopping = self._stopping
            try:
                self.export()
            except Exception as error:  # the thread must live on: the database is the truth, the folder is made again
                self._log.event("failure", call="export", exception=type(error).__name__, where=where(error))
            if stopping:
                return

    def _entries(self, start: int, end: int) -> Sequence[bytes]:
        with self._store.reading() as tx:
            return entries_between(tx, start, end)

    def _forget(self, size: int) -> None:
        if size != self._recent[-1]:
            self._recent.append(size)
        while len(self._recent) > KEPT_EXPORTS:
            old = set(partial_places(self._recent.popleft()))
            for kept in self._recent:
                old -= set(partial_places(kept))
            self._folder.forget(old)
