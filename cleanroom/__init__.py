"""A clean room: companies match audiences and exchange noisy statistics, never rows.

    import cleanroom

    room = cleanroom.connect("bikes")  # the folder of your company's node, which serves, or its socket
    room.settings()
    room.dry_run("index", owner="accessories", of="colour", epsilon="1")
    room.ask("index", owner="accessories", of="colour", epsilon="1")

What goes wrong is raised as one of `cleanroom.errors`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanroom.client.room import Room


def connect(node: str | Path) -> "Room":
    """The room that the node of this folder, or behind this socket, serves.

    Raises UnreachableError when no node serves there, UsageError when it does not know you as an asker.
    """
    from cleanroom.client.room import Room

    return Room(Path(node))
