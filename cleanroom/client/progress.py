"""Progress of long work: a bar that moves on a terminal or in a notebook, and nothing in a pipe.

A question of several plans moves on with each plan. How long a match takes nobody knows beforehand, so within a plan
the bar swings and the line beside it says what is done with whom, and for how long already.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What to call: `say` with each line, `advance` when a step is done."""

    say: Callable[[str], None] = lambda _: None
    advance: Callable[[], None] = lambda: None


@contextmanager
def shown_progress(what: str, steps: int) -> Iterator[Progress]:
    """A bar of so many steps that begins with `what`; it is gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield Progress()
        return
    columns = BarColumn(bar_width=20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=steps if steps > 1 else None)
        yield Progress(
            say=lambda text: bar.update(task, description=text, refresh=True),
            advance=lambda: bar.update(task, advance=1, refresh=True),
        )
