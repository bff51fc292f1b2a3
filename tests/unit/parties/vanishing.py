"""A node that takes one request and is gone before it has answered: what was asked may have been done, or not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def vanishing(path: Path, said: bytes = b"") -> Iterator[None]:
    """Listens at this socket for one caller, reads its line, says this much and hangs up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(1)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rwb") as stream:
                stream.readline()
                stream.write(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(30)
        assert not thread.is_alive()
