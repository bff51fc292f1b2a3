"""A server that ends with the program that started it, even when that one was killed.

Whoever starts it keeps the writing end of a pipe that is its standard input, and writes nothing. When that program
ends, however it ends, the system closes the pipe; the server then asks itself to stop, as SIGTERM does.
"""

import os
import signal
import threading
from contextlib import suppress

OPTION = "--until-end-of-input"
HELP = "Stop as well when standard input ends, as it does when the program that started this one is gone."


def stop_at_end_of_input() -> None:
    """Watch from now on; where a server blocks SIGTERM in its threads, call this after that."""
    threading.Thread(target=_watch, name="end of input", daemon=True).start()


def _watch() -> None:
    with suppress(OSError):  # what cannot be read has ended
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
