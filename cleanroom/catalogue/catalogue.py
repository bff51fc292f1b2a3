"""The catalogue: every question worth asking, by name.

An entry's version grows when its plans or its arithmetic change, so that two findings of one version are comparable.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cleanroom.catalogue.entry import Entry
from cleanroom.catalogue.flow import Flow
from cleanroom.catalogue.index import Index
from cleanroom.catalogue.launch import Launch
from cleanroom.catalogue.lift import Lift
from cleanroom.catalogue.overlap import Overlap
from cleanroom.catalogue.prior import Prior
from cleanroom.catalogue.profile import Profile
from cleanroom.catalogue.reach import Reach
from cleanroom.catalogue.response import Response
from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted

_ENTRIES: tuple[Entry, ...] = (
    Overlap(),
    Profile(),
    Index(),
    Reach(),
    Flow(),
    Lift(),
    Response(),
    Prior(),
    Launch(),
)

CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def find(name: str) -> Entry:
    """The entry of that name; raises UsageError that names the nearest."""
    if name not in CATALOGUE:
        raise UsageError(
            f"the catalogue has no question {quoted(name)}; {meant(name, CATALOGUE)}it has: {listed(CATALOGUE)}"
        )
    return CATALOGUE[name]
