"""A node's private settings: where its table is, who may use the node, how to reach the coordinator.

Nothing here is shown to anybody else. Written as TOML by hand (or by the sandbox); unknown keys are refused.

    peer_timeout_s = 120                           [source]
    coordinator_address = "host:port"  (optional)  path = "orders.csv.gz"
    socket = "/run/bikes/node.sock"    (optional)  opt_out = "left.csv"  (optional)
                                                   [analysts.alice]
                                                   uid = 1000
                                                   roles = ["asker", "operator"]

Other users than the node's own reach the door only where `socket` is in a folder that they may enter.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from cleanroom.errors import UsageError
from cleanroom.ids import AnalystName, analyst_name
from parties.source.source_file import SourceFile

ROLES = ("asker", "approver", "operator")
DEFAULT_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Analyst:
    """A person at this company: the operating system's user id, and what that user may do at the node."""

    name: AnalystName
    uid: int
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """See the module."""

    source: SourceFile
    analysts: tuple[Analyst, ...]
    coordinator_address: str | None
    peer_timeout_s: int
    socket: Path | None = None

    def analyst(self, uid: int, role: str) -> Analyst | None:
        """Who this user id is, if that person has the role."""
        return next((one for one in self.analysts if one.uid == uid and role in one.roles), None)

    def require_named(self, uid: int) -> None:
        """Raises UsageError for a user who has no role here at all."""
        if all(one.uid != uid for one in self.analysts):
            self.require(uid, "asker")

    def require(self, uid: int, role: str) -> Analyst:
        """As `analyst`; raises UsageError that says how a person gets the role."""
        found = self.analyst(uid, role)
        if found is None:
            raise UsageError(
                f"user {uid} is not an {role} in this node's settings: add the role to settings.toml, under [analysts],"
                " and start the node anew if it runs"
            )
        return found


def write_settings(path: Path, settings: NodeSettings) -> None:
    """Write settings as a person would have; raises OSError."""
    body: dict[str, Any] = {
        "peer_timeout_s": settings.peer_timeout_s,
        "source": {"path": str(settings.source.path.absolute())},
        "analysts": {one.name: {"uid": one.uid, "roles": sorted(one.roles)} for one in settings.analysts},
    }
    if settings.source.opt_out is not None:
        body["source"]["opt_out"] = str(settings.source.opt_out.absolute())
    if settings.coordinator_address is not None:
        body["coordinator_address"] = settings.coordinator_address
    if settings.socket is not None:
        body["socket"] = str(settings.socket.absolute())
    path.write_text(tomli_w.dumps(body), encoding="utf-8")


def _only(table: object, known: set[str], where: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise UsageError(f"{where} must be a table")
    unknown = sorted(set(table) - known)
    if unknown:
        raise UsageError(f"{where}: unknown key `{unknown[0]}`; known: {', '.join(sorted(known))}")
    return table


def _analyst(name: str, value: object) -> Analyst:
    table = _only(value, {"uid", "roles"}, f"analysts.{name}")
    uid, roles = table.get("uid"), table.get("roles")
    if type(uid) is not int or uid < 0:
        raise UsageError(f"analysts.{name}: `uid` is the user's number")
    if not isinstance(roles, list) or not roles or any(role not in ROLES for role in roles):
        raise UsageError(f"analysts.{name}: `roles` is a list of {', '.join(ROLES)}")
    return Analyst(analyst_name(name), uid, frozenset(roles))


def read_settings(path: Path) -> NodeSettings:
    """Parse settings; raises UsageError naming file and key."""
    if not path.exists():
        raise UsageError(f"{path} is missing: cleanroom room propose ROOM.toml or room sign FILE --room ROOM.toml")
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # ValueError: TOML, UTF-8, and numbers of thousands of digits
        raise UsageError(f"{path} is not TOML: {error}") from None
    try:
        return _settings(path.parent, body)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _settings(folder: Path, body: Mapping[str, Any]) -> NodeSettings:
    table = _only(body, {"source", "analysts", "coordinator_address", "peer_timeout_s", "socket"}, "the settings")
    source = _only(table.get("source"), {"path", "opt_out"}, "source")
    if not isinstance(source.get("path"), str):
        raise UsageError("source: `path` is missing")
    address, timeout = table.get("coordinator_address"), table.get("peer_timeout_s", DEFAULT_TIMEOUT_S)
    if address is not None and not isinstance(address, str):
        raise UsageError("`coordinator_address` is text: host:port")
    if type(timeout) is not int or not 1 <= timeout <= 86_400:
        raise UsageError("`peer_timeout_s` is a whole number of seconds from 1 to 86400")
    opt_out = source.get("opt_out")
    if opt_out is not None and not isinstance(opt_out, str):
        raise UsageError("source: `opt_out` is a path")
    socket = table.get("socket")
    if socket is not None and not isinstance(socket, str):
        raise UsageError("`socket` is a path")
    return NodeSettings(
        source=SourceFile(folder / source["path"], folder / opt_out if opt_out else None),
        analysts=tuple(_analyst(name, value) for name, value in _only_table(table.get("analysts", {})).items()),
        coordinator_address=address,
        peer_timeout_s=timeout,
        socket=folder / socket if socket else None,
    )


def _only_table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("`analysts` must be a table")
    return value
