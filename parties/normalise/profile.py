"""The closed table of identifier profiles: which spellings of an identifier count as one person.

A contract names one of them and both companies apply it before anything is hashed; a name that is not in the
table is refused. A profile never changes once it has a name: a different reading gets a new version number.
Each maps an array of texts to an array of the same length, null where the text is no such identifier, and is
idempotent: its own output is read as itself.

  opaque-v1       NFC and trim, nothing else: customer numbers, hashes, names
  email-plain-v1  trimmed, lower case, shaped like an address
  email-uid2-v1   the same, and at gmail.com dots and +tags removed as in Unified ID 2.0
  phone-e164-v1   E.164 by libphonenumber, dialled from the stated region
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from cleanroom.errors import UsageError
from parties.normalise.email import email_plain, email_uid2
from parties.normalise.phone import checked_region, phone_e164
from parties.normalise.text import plain, usable

Reading = Callable[[pa.Array], pa.Array]


def _opaque(texts: pa.Array) -> pa.Array:
    return usable(plain(texts))


_WITHOUT_REGION: Mapping[str, Reading] = MappingProxyType(
    {"opaque-v1": _opaque, "email-plain-v1": email_plain, "email-uid2-v1": email_uid2}
)
_PHONE = "phone-e164-v1"
PROFILE_NAMES = (*_WITHOUT_REGION, _PHONE)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile by name, with the region a telephone number is dialled from and no region otherwise."""

    name: str
    region: str = ""

    def __post_init__(self) -> None:
        if self.name not in PROFILE_NAMES:
            raise UsageError(f"an identifier profile is one of {', '.join(PROFILE_NAMES)}")
        if self.name == _PHONE:
            checked_region(self.region)
        elif self.region:
            raise UsageError(f"profile {self.name} takes no region; only {_PHONE} does")

    def normalise(self, texts: pa.Array) -> pa.Array:
        """The normalised texts (string array, same length), null where a text is no such identifier."""
        if self.name == _PHONE:
            return phone_e164(texts, self.region)
        return _WITHOUT_REGION[self.name](texts)
