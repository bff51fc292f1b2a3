"""Reading back what a node wrote into its log: which work ended when, how long it took, how much it sealed."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_AT = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) INFO "
_WORK = re.compile(_AT + r"work (\S+) took (\d+) ms")
_SEALED = re.compile(_AT + r"sealed (\S+) in (\d+) pieces of (\d+) bytes")


@dataclass(frozen=True, slots=True)
class Work:
    """One step of one node; times in seconds since the epoch."""

    node: str
    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Sealed:
    """One message that a node handed to the coordinator, in bytes."""

    node: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class NodeLogs:
    """The lines of all nodes."""

    work: tuple[Work, ...]
    sent: tuple[Sealed, ...]

    def seconds(self, node: str, names: tuple[str, ...]) -> float:
        """How long the node worked on these steps."""
        return sum(one.end - one.start for one in self.work if one.node == node and one.name in names)

    def start(self, name: str) -> float:
        """When the last node began this step; raises LookupError when none did."""
        return max(one.start for one in self._named(name))

    def first_start(self, name: str) -> float:
        """When the first node began this step; raises LookupError when none did."""
        return min(one.start for one in self._named(name))

    def end(self, name: str) -> float:
        """When the last node had done this step; raises LookupError when none did."""
        return max(one.end for one in self._named(name))

    def _named(self, name: str) -> list[Work]:
        found = [one for one in self.work if one.name == name]
        if not found:
            raise LookupError(f"no node logged the step {name}")
        return found

    def bytes_sent(self, node: str, kinds: tuple[str, ...]) -> int:
        """Sealed bytes of these kinds that left the node."""
        return sum(one.size for one in self.sent if one.node == node and one.kind in kinds)


def read_logs(logs: dict[str, Path]) -> NodeLogs:
    """All logs, by the name of their node."""
    work: list[Work] = []
    sent: list[Sealed] = []
    for node, path in logs.items():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if (found := _WORK.search(line)) is not None:
                end = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").timestamp()
                work.append(Work(node, found[2], end - int(found[3]) / 1000, end))
            elif (found := _SEALED.search(line)) is not None:
                sent.append(Sealed(node, found[2], int(found[4])))
    return NodeLogs(tuple(work), tuple(sent))
