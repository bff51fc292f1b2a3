"""Which columns name a person, and which profile reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from cleanroom.errors import UsageError
from parties.normalise.composite import match_keys
from parties.normalise.profile import Profile

MAX_KEY_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class KeyRule:
    """The match key of a source: one identifier column, or several that name a person together.

    `profile` normalises each part; `region` is where a telephone number is dialled, and empty otherwise.
    """

    columns: tuple[str, ...]
    profile: str
    region: str = ""

    def __post_init__(self) -> None:
        distinct = len(set(self.columns)) == len(self.columns)
        if not (1 <= len(self.columns) <= MAX_KEY_COLUMNS and distinct and all(self.columns)):
            raise UsageError(f"a match key is 1 to {MAX_KEY_COLUMNS} different source columns")
        Profile(self.profile, self.region)

    def keys(self, texts: Sequence[pa.Array]) -> pa.Array:
        """One large_binary key a row from the key columns in order; null where any part is unparsable."""
        profile = Profile(self.profile, self.region)
        return match_keys([profile.normalise(part) for part in texts])
