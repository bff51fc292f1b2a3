"""RFC 6962 section 2.1 word for word: the slow oracle of the log's tree. Lists of entries in, hashes out."""

from hashlib import sha256


def split(count: int) -> int:
    """The largest power of two smaller than count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(entries: list[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    middle = split(len(entries))
    return sha256(b"\x01" + tree_hash(entries[:middle]) + tree_hash(entries[middle:])).digest()


def audit_path(index: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.1."""
    if len(entries) == 1:
        return []
    middle = split(len(entries))
    if index < middle:
        return [*audit_path(index, entries[:middle]), tree_hash(entries[middle:])]
    return [*audit_path(index - middle, entries[middle:]), tree_hash(entries[:middle])]


def growth_path(old_size: int, entries: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b), section 2.1.2; PROOF is SUBPROOF with b true."""
    if old_size == len(entries):
        return [] if whole else [tree_hash(entries)]
    middle = split(len(entries))
    if old_size <= middle:
        return [*growth_path(old_size, entries[:middle], whole), tree_hash(entries[middle:])]
    return [*growth_path(old_size - middle, entries[middle:], False), tree_hash(entries[:middle])]
