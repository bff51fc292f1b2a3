"""A served room for every test of the wire."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rooms import Room, Running, build_room, running


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Three parties: shop, brand and airline."""
    return build_room(tmp_path, ("shop", "brand", "airline"), capacities={"shop": 120, "brand": 100})


@pytest.fixture
def served(room: Room) -> Iterator[Running]:
    """The room, served in this process."""
    with running(room) as server:
        yield server
