"""What somebody probably meant: the nearest of the names that would have been right, and a list of them that is short.

A message ends in what this makes, so that whoever typed a name wrong can mend it from the message alone.
"""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 12
MOST_CHARACTERS = 200
"""Of a list: a refusal's text travels, and its reader takes no more than 500 characters."""
MOST_SHOWN = 40


def listed(names: Iterable[str]) -> str:
    """The names in their order, the first twelve or 200 characters of them; `none` without any."""
    known = list(names)
    shown, length = 0, 0
    for name in known[:MOST_LISTED]:
        length += len(name) + len(", ")
        if shown and length > MOST_CHARACTERS:
            break
        shown += 1
    more = f" and {len(known) - shown} more" if len(known) > shown else ""
    return (", ".join(known[:shown]) or "none") + more


def meant(typed: str, names: Iterable[str]) -> str:
    """`did you mean ...? ` with a blank at the end, or nothing when no name is near; capitals do not count."""
    by_small_letters = {name.casefold(): name for name in reversed(list(names))}
    found = get_close_matches(typed.casefold(), by_small_letters, n=1)
    return f"did you mean `{by_small_letters[found[0]]}`? " if found else ""


def quoted(typed: str) -> str:
    """What was typed, between quotes, shortened, on one line."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in typed)
    return f"`{shown[:MOST_SHOWN]}…`" if len(shown) > MOST_SHOWN else f"`{shown}`"
