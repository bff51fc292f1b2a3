"""The door of a live party's node, as its process would open it, for one person with the roles that a test gives."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cleanroom.ids import analyst_name
from parties.agreeing import agreement_in_force
from parties.door import Door
from parties.serve import commands
from parties.settings import Analyst, read_settings
from tests.live_room import LiveParty


@contextmanager
def open_door(party: LiveParty, *roles: str, socket: Path | None = None) -> Iterator[Path]:
    """The folder of the node, or the socket where it is elsewhere; this user is `ann`, with these roles."""
    home, ann = party.home, Analyst(analyst_name("ann"), os.getuid(), frozenset(roles))
    settings = replace(read_settings(home.settings_file), analysts=(ann,))
    served = commands(home, agreement_in_force(home), settings, party.node)
    door = Door(socket or home.socket_file, settings, served)
    door.start()
    try:
        yield socket or home.path
    finally:
        door.close()
