"""One spelling for texts that look the same, before anything compares them.

Every text is brought to Unicode normal form NFC and loses its surrounding white space (the code points with the
Unicode property White_Space, and the four separators U+001C to U+001F). Nothing else changes: leading zeros,
capitals and the letters `NA` stay as they are.

A part of a match key is stricter: empty text, text with a control character and text over 512 bytes is no key.
"""

import pyarrow as pa
import pyarrow.compute as pc

MAX_PART_BYTES = 512


def plain(texts: pa.Array) -> pa.Array:
    """The texts in NFC without surrounding white space; null stays null. One string array in, one out."""
    ascii_only = pc.all(pc.string_is_ascii(texts), min_count=0).as_py()
    # ASCII is in every normal form already; the short cut saves half the time on ordinary tables.
    composed = texts if ascii_only else pc.utf8_normalize(texts, form="NFC")
    return pc.utf8_trim_whitespace(composed)


def usable(texts: pa.Array) -> pa.Array:
    """The texts that may be a part of a match key; null for every other one."""
    size = pc.binary_length(texts)
    fits = pc.and_(pc.greater(size, 0), pc.less_equal(size, MAX_PART_BYTES))
    return keep(texts, pc.and_(fits, pc.invert(pc.match_substring_regex(texts, r"\p{Cc}"))))


def keep(texts: pa.Array, condition: pa.Array) -> pa.Array:
    """The texts where the condition holds, null where it does not or is null itself."""
    return pc.if_else(pc.fill_null(condition, False), texts, pa.scalar(None, texts.type))
