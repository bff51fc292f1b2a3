"""A policy as a file that an auditor writes by hand, or any tool of the ecosystem reads (C2SP tlog-policy, a draft).

    log <vkey> [<address>]
    witness <name> <vkey> [<address>]
    group <name> all|any|<k> <member>...
    quorum <name>|none

Words are separated by spaces and tabs only, `#` begins a comment line, a name is defined before it is used and belongs
to one group at most. Addresses are read over: this tool verifies offline.
"""

import re
from collections.abc import Iterable

from cleanroom.errors import PeerError, UsageError
from cleanroom.transparency.note_key import NoteKey, parse_vkey
from cleanroom.transparency.policy import NOBODY, Policy, Quorum
from cleanroom.transparency.spelling import decimal

MAX_POLICY_BYTES = 128 * 1024
MAX_LINES = 1_000
MAX_DEPTH = 32
_WORDS = re.compile(r"[^ \t]+")


class _Reading:
    """What the lines so far have defined."""

    def __init__(self) -> None:
        self.logs: list[NoteKey] = []
        self.witnesses: dict[str, NoteKey] = {}
        self.groups: dict[str, Quorum] = {}
        self.taken: set[str] = set()
        self.quorum: Quorum | None = None

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(parse_vkey(vkey))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self.witnesses[self._new(name)] = parse_vkey(vkey)
            case ["group", name, threshold, *members] if members:
                group = self._group(name, threshold, members)
                self.groups[self._new(name)] = group
            case ["quorum", name] if self.quorum is None:
                self.quorum = self._quorum(name)
            case ["quorum", _]:
                raise UsageError("there is more than one quorum")
            case _:
                raise UsageError(
                    "a line begins with log, witness, group or quorum, and has no word too many or too few"
                )

    def _new(self, name: str) -> str:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise UsageError(f"the name {name} is taken")
        return name

    def _group(self, name: str, threshold: str, members: list[str]) -> Quorum:
        count = {"all": len(members), "any": 1}.get(threshold)
        if count is None:
            try:
                count = decimal(threshold, "a threshold")
            except PeerError as error:
                raise UsageError("a group's threshold is all, any or a plain number") from error
        if count < 1:
            raise UsageError("a group asks for at least one of its members")
        group = Quorum(name, count, tuple(self._member(member) for member in members))
        if _depth(group) > MAX_DEPTH:
            raise UsageError("groups are nested too deeply")
        return group

    def _member(self, name: str) -> Quorum | str:
        if name in self.taken:
            raise UsageError(f"{name} is a member twice")
        self.taken.add(name)
        return self._defined(name)

    def _defined(self, name: str) -> Quorum | str:
        if name in self.witnesses:
            return name
        if name not in self.groups:
            raise UsageError(f"{name} is not defined above")
        return self.groups[name]

    def _quorum(self, name: str) -> Quorum:
        if name == "none":
            return NOBODY
        found = self._defined(name)
        return Quorum(found, 1, (found,)) if isinstance(found, str) else found


def _depth(group: Quorum) -> int:
    return 1 + max((_depth(member) for member in group.members if isinstance(member, Quorum)), default=0)


def parse_policy(data: bytes) -> Policy:
    """The policy in a file; raises UsageError naming the line."""
    if len(data) > MAX_POLICY_BYTES:
        raise UsageError("a policy file is too long")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("a policy file is not UTF-8") from error
    if any((letter < " " and letter not in "\t\n") or letter == "\x7f" for letter in text):
        raise UsageError("a policy file has a control character other than tab and line feed")
    lines = text.split("\n")
    if lines.pop() or len(lines) > MAX_LINES:
        raise UsageError(f"a policy file has up to {MAX_LINES} lines, each ended by a line feed")
    reading = _Reading()
    for number, line in enumerate(lines, start=1):
        words = _WORDS.findall(line)
        if words and not words[0].startswith("#"):
            try:
                reading.line(words)
            except UsageError as error:
                raise UsageError(f"policy line {number}: {error}") from error
    if reading.quorum is None:
        raise UsageError("a policy file has no quorum line; write `quorum none` to ask for nobody")
    return Policy(tuple(reading.logs), reading.witnesses, reading.quorum)


def policy_text(policy: Policy) -> str:
    """The policy as a file; raises UsageError where a name cannot be written."""
    lines = [f"log {key.vkey()}" for key in policy.log_keys]
    lines += [f"witness {name} {key.vkey()}" for name, key in policy.cosigners.items()]
    lines += _group_lines(policy.quorum)
    lines.append(f"quorum {policy.quorum.name}")
    text = "".join(f"{line}\n" for line in lines)
    if parse_policy(text.encode("utf-8")) != policy:
        raise UsageError("this policy has a name that a policy file cannot hold")
    return text


def _group_lines(group: Quorum) -> Iterable[str]:
    if group.members in ((), (group.name,)):
        return
    for member in group.members:
        if isinstance(member, Quorum):
            yield from _group_lines(member)
    names = (member if isinstance(member, str) else member.name for member in group.members)
    yield f"group {group.name} {group.threshold} {' '.join(names)}"
