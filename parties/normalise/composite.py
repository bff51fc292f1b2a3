"""Several identifiers as one match key, so that no two people can run together.

One part is its own UTF-8 bytes. Two or more parts are written one after the other, each behind its length in
bytes as two bytes, big-endian: `ab` + `c` and `a` + `bc` differ. If any part is missing, the key is missing.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from parties.normalise.text import MAX_PART_BYTES

_LENGTHS = pa.array([size.to_bytes(2, "big") for size in range(MAX_PART_BYTES + 1)], pa.large_binary())


def match_keys(parts: Sequence[pa.Array]) -> pa.Array:
    """One large_binary key a row from one or more string arrays of equal length; null if any part is null.

    A part is at most 512 bytes, as every profile guarantees.
    """
    fields = [part.cast(pa.large_binary()) for part in parts]
    if len(fields) == 1:
        return fields[0]
    pieces: list[pa.Array] = []
    for field in fields:
        pieces += [_LENGTHS.take(pc.binary_length(field)), field]
    return pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.large_binary()), null_handling="emit_null")
