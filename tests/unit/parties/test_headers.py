"""The table of messages in protos/README.md is the one that the code enforces."""

import re
from pathlib import Path

from parties.headers import HEADERS

README = Path(__file__).parents[3] / "protos" / "README.md"
_ROW = re.compile(r"^\| `((?:match|setup|question|room|log)\.[a-z]+)` \|[^|]*\|([^|]*)\|[^|]*\|$", re.MULTILINE)


def _fields(cell: str) -> set[str]:
    """What stands in backticks; with a dot in it, it is the kind of a statement."""
    return {name for name in re.findall(r"`([^`]+)`", cell) if "." not in name}


def test_the_documented_messages_and_their_fields_are_those_a_node_takes() -> None:
    documented = {kind: _fields(cell) for kind, cell in _ROW.findall(README.read_text(encoding="utf-8"))}
    assert documented == {kind: set().union(*fields) for kind, fields in HEADERS.items()}
