"""The owner's vector y: what each slot contributes, one row of words a slot, zero wherever we have nobody.

One-hot of a dimension, one word of a clamped measure, or one for a count. Work is the same for every slot whatever
stands in it. Dummies and empty slots are zero by construction: only the slots of our people are ever written.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cleanroom.errors import StateError
from cleanroom.question.plan import Quantity


def packed_values(
    people: pa.Table, people_slots: npt.NDArray[np.uint32], *, quantity: Quantity, words: int, width: int, slots: int
) -> bytes:
    """slots × words integers of `width` bytes, little-endian, negative numbers modulo 2^(8 width).

    `people_slots` holds the slot of each row of `people`, all distinct.
    """
    if len(people_slots) != people.num_rows or np.unique(people_slots).size != people.num_rows:
        raise StateError("slots and people do not belong together")
    values = np.zeros((slots, words, width), dtype=np.uint8)
    if quantity.kind == "histogram":
        word = people.column(quantity.column).to_numpy().astype(np.int64) - 1
        if word.size and not (int(word.min()) >= 0 and int(word.max()) < words):
            raise StateError("a person's value is not one of the declared ones")
        values[people_slots, word, 0] = 1
    elif quantity.kind == "sum":
        units = np.ascontiguousarray(people.column(quantity.column).to_numpy(), dtype="<i8")
        values[people_slots, 0, :] = units.view(np.uint8).reshape(-1, 8)[:, :width]
    else:
        values[people_slots, 0, 0] = 1
    return values.tobytes()
