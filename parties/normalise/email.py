"""Two ways to read an email address as a person: as written, or as UID2 reads it.

Both lower every letter by Unicode's one-to-one mapping and ask for the same shape: one `@`, something before it,
and a domain of at least two non-empty labels after it, no white space anywhere. `email-uid2-v1` also follows the
Unified ID 2.0 rule: at the domain gmail.com, and nowhere else, dots of the local part and everything from the
first `+` on are dropped. Two companies that used different rules would silently share fewer people, which is why
the rule has a name and the contract states it.

Source of the UID2 rule: IABTechLab, "UID2 Email Address Normalization".
"""

import pyarrow as pa
import pyarrow.compute as pc

from parties.normalise.text import keep, plain, usable

_ANYTHING_BUT_BLANK_OR_AT = r"[^@\s\p{Z}]"
_SHAPE = rf"^{_ANYTHING_BUT_BLANK_OR_AT}+@[^@\s\p{{Z}}.]+(\.[^@\s\p{{Z}}.]+)+$"
_GMAIL = "@gmail.com"


def email_plain(texts: pa.Array) -> pa.Array:
    """Trimmed and lower-cased addresses; null for what is not shaped like one."""
    # Lower-casing can create a pair of code points that NFC writes as one, so the form is restored after it.
    lowered = plain(pc.utf8_lower(usable(plain(texts))))
    return keep(usable(lowered), pc.match_substring_regex(lowered, _SHAPE))


def email_uid2(texts: pa.Array) -> pa.Array:
    """As `email_plain`, with gmail.com's dots and `+` suffixes removed; null if nothing is left before the @."""
    addresses = email_plain(texts)
    local = pc.replace_substring_regex(addresses, r"@.*$", "")
    person = pc.replace_substring(pc.replace_substring_regex(local, r"\+.*$", ""), ".", "")
    folded = keep(pc.binary_join_element_wise(person, _GMAIL, ""), pc.not_equal(person, ""))
    return pc.if_else(pc.ends_with(addresses, _GMAIL), folded, addresses)
