"""Progress of long work: a line that changes on a terminal or in a notebook, and nothing in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str], None]


@contextmanager
def shown_progress(what: str) -> Iterator[Progress]:
    """What to call with each line; the line is gone at the end."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield lambda _: None
        return
    with console.status(Text(what)) as status:
        yield lambda text: status.update(Text(text))
