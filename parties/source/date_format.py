"""The date formats a contract may state.

A subset of strptime that DuckDB and Python read alike: year, month, day and time of day. Everything that
depends on a locale, a time zone or a week number is left out. A month or day may be written with or without its
leading zero under the same format.

DuckDB 2.0.0 is stricter in use than its parser: the words `infinity` and `epoch` pass under any format, and a
two-digit year passes as `%Y`, so a date needs a digit and a year from 1000 to 9999 (see `reduce`).
"""

import re

from cleanroom.errors import UsageError

_SPECIFIERS = "YymdbBjHIMSfp"
_CALENDARS = ("md", "bd", "Bd", "j")


def checked_date_format(text: str) -> str:
    """The format itself; raises UsageError for a specifier outside the subset, repeated, or a date not whole."""
    found = [specifier for specifier in re.findall(r"%(.?)", text, re.DOTALL) if specifier != "%"]
    allowed = ", ".join(f"%{letter}" for letter in _SPECIFIERS)
    if any(not specifier or specifier not in _SPECIFIERS for specifier in found):
        raise UsageError(f"a date format uses {allowed} and plain text between them")
    if len(set(found)) != len(found):
        raise UsageError("a date format names each of its parts once")
    if "".join(sorted(set(found) & set("Yy"))) not in {"Y", "y"} or not any(
        set(calendar) == set(found) & set("mdbBj") for calendar in _CALENDARS
    ):
        raise UsageError("a date format has one year (%Y or %y), a month (%m, %b or %B) and a %d, or a year and %j")
    return text
