# What the compiled kernel exports. Every function releases the interpreter lock. Lists are bytes; whatever is
# malformed in them is a ValueError with a constant text, raised before anything is allocated for it.

from typing_extensions import Buffer

# Matching: cleanroom/kernel/bind/src/matching.rs. A point has 32 bytes, a tag 16, a slot 4. `data` and
# `offsets` are the buffers of an Arrow large_binary array of n strings. A `scalar`, `tag_key` or `seed` that
# has not exactly 32 bytes is a TypeError, never taken for a peer's mistake.

HASH_TO_CURVE_DST: bytes

# Anybody: n points, RFC 9380 curve25519_XMD:SHA-512_ELL2_RO_.
def hash_to_curve(dst: Buffer, data: Buffer, offsets: Buffer) -> bytes: ...

# Party: n points u(a * H(tag || string)), under HASH_TO_CURVE_DST.
def hash_and_mask(scalar: Buffer, tag: int, data: Buffer, offsets: Buffer) -> bytes: ...

# Party: n tags of the peer's n points, once checked.
def mask_and_tag(scalar: Buffer, tag_key: Buffer, points: Buffer) -> bytes: ...

# Anybody: returns if the points are distinct, canonical, on the curve and of large order.
def check_points(points: Buffer) -> None: ...

# Coordinator: (slots of A's rows, slots of B's rows).
def place(tags_a: Buffer, tags_b: Buffer, seed: Buffer) -> tuple[bytes, bytes]: ...

# Party: `count` little-endian 32-bit numbers.
def permutation(count: int, seed: Buffer) -> bytes: ...

# Party: returns if the slots are distinct and below `limit`.
def check_slots(slots: Buffer, limit: int) -> None: ...

# Answering: cleanroom/kernel/bind/src/answering.rs. `setup_id` has 32 bytes, `delta` and `pad` 16, `challenge` 32.
# `depth` is 1, 4, 6 or 8 and K = 2 ** depth. M is the number of slots, `categories` one byte per slot. The layout
# of `matrix` is in core/src/shape.rs: 2048 * (ceil(M / 128) * depth + 1) bytes. A wrong size is a ValueError.

OFFER_RANDOMNESS_BYTES: int
REPLY_RANDOMNESS_BYTES: int

# Owner: (offer 8192 for the asker, secret 4096).
def base_ot_offer(setup_id: Buffer, delta: Buffer, randomness: Buffer) -> tuple[bytes, bytes]: ...

# Asker: (reply 4096 for the owner, seeds 4096).
def base_ot_reply(setup_id: Buffer, offer: Buffer, randomness: Buffer) -> tuple[bytes, bytes]: ...

# Owner: seeds 2048.
def base_ot_finish(setup_id: Buffer, delta: Buffer, offer: Buffer, secret: Buffer, reply: Buffer) -> bytes: ...

# Asker: the matrix, for the owner.
def extension_matrix(setup_id: Buffer, seeds: Buffer, categories: Buffer, depth: int, pad: Buffer) -> bytes: ...

# Asker: 2064 bytes for the owner, once it has sent its challenge.
def extension_answer(
    setup_id: Buffer, seeds: Buffer, categories: Buffer, depth: int, pad: Buffer, challenge: Buffer
) -> bytes: ...

# Owner: returns if the answer fits the matrix.
def extension_check(
    setup_id: Buffer,
    seeds: Buffer,
    delta: Buffer,
    matrix: Buffer,
    slots: int,
    depth: int,
    challenge: Buffer,
    answer: Buffer,
) -> None: ...

# Owner, only after extension_check: (nodes 32 M to keep, corrections 32 M (depth - 1) for the asker).
def tree_corrections(
    setup_id: Buffer, seeds: Buffer, delta: Buffer, matrix: Buffer, slots: int, depth: int
) -> tuple[bytes, bytes]: ...

# Asker: siblings 16 M depth, to keep.
def tree_siblings(setup_id: Buffer, seeds: Buffer, categories: Buffer, depth: int, corrections: Buffer) -> bytes: ...

# Owner: (rows M words width for the asker, sums 8 K words to keep). `values` are M rows of `words` integers
# of `width` bytes (3, 4, 6, 8), little-endian; arithmetic is mod 2 ** (8 * width).
def mask_rows(
    setup_id: Buffer,
    nodes: Buffer,
    depth: int,
    question: int,
    plane: int,
    words: int,
    width: int,
    values: Buffer,
) -> tuple[bytes, bytes]: ...

# Owner: the sums of mask_rows alone; sums[j * words + i] is the total mask of leaf j, word i, 8 bytes each.
def leaf_sums(
    setup_id: Buffer, nodes: Buffer, depth: int, question: int, plane: int, words: int, width: int
) -> bytes: ...

# Asker: 8 K words, laid out like the owner's sums; opened - sums are the totals of each category.
def open_rows(
    setup_id: Buffer,
    siblings: Buffer,
    categories: Buffer,
    depth: int,
    question: int,
    plane: int,
    words: int,
    width: int,
    rows: Buffer,
) -> bytes: ...
