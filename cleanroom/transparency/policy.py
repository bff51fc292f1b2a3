"""Whose signatures a reader of the log asks for: the log's keys, the cosigners' keys, and how many of whom.

A quorum is a tree of groups: a group is satisfied when at least `threshold` of its members are (C2SP tlog-policy). For
a question it is all of asker, owner, and the auditor if the contract names one: `all_of`. No public key stands twice,
under whatever name: one key for one kind of statement, and one voice for one key.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from cleanroom.errors import UsageError
from cleanroom.transparency.note_key import KeyKind, NoteKey


@dataclass(frozen=True, slots=True)
class Quorum:
    """Members are groups, or names of cosigners. Raises UsageError."""

    name: str
    threshold: int
    members: tuple["Quorum | str", ...]

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= len(self.members):
            raise UsageError(f"group {self.name} asks for {self.threshold} of {len(self.members)} members")

    def is_met_by(self, cosigners: Container[str]) -> bool:
        """Whether these cosigners are enough."""
        met = (
            member in cosigners if isinstance(member, str) else member.is_met_by(cosigners) for member in self.members
        )
        return sum(met) >= self.threshold

    def cosigners(self) -> tuple[str, ...]:
        """Everybody whose signature can count, in the order of writing."""
        names: list[str] = []
        for member in self.members:
            names.extend([member] if isinstance(member, str) else member.cosigners())
        return tuple(names)


NOBODY = Quorum("none", 0, ())


def all_of(*names: str) -> Quorum:
    """Each of these, for example asker, owner and auditor; who asks for nobody says `NOBODY`. Raises UsageError."""
    if not names or len(set(names)) != len(names):
        raise UsageError("a quorum names at least one cosigner, and none twice")
    return Quorum("everyone-named", len(names), names)


@dataclass(frozen=True, slots=True)
class Policy:
    """`cosigners` by the name that the quorum uses for each. Raises UsageError."""

    log_keys: tuple[NoteKey, ...]
    cosigners: Mapping[str, NoteKey]
    quorum: Quorum

    def __post_init__(self) -> None:
        if not self.log_keys:
            raise UsageError("a policy names the key of a log")
        if any(key.kind is not KeyKind.LOG for key in self.log_keys):
            raise UsageError("a log's verifier key is of type 01")
        if any(key.kind is not KeyKind.COSIGNER for key in self.cosigners.values()):
            raise UsageError("a cosigner's verifier key is of type 04")
        keys = (*self.log_keys, *self.cosigners.values())
        if len({key.public for key in keys}) != len(keys):
            raise UsageError("a policy names one public key twice")
        if len({(key.name, key.key_id) for key in keys}) != len(keys):
            raise UsageError("two keys of a policy cannot be told apart: same name, same key id")
        strangers = sorted(set(self.quorum.cosigners()) - set(self.cosigners))
        if strangers:
            raise UsageError(f"the quorum names {', '.join(strangers)}, whose key the policy does not have")

    def with_quorum(self, quorum: Quorum) -> "Policy":
        """The same keys, another quorum: that of one question."""
        return replace(self, quorum=quorum)
