"""Where the public data for tests lies: beside the repository, never in it."""

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"


def shared_data(relative: str) -> Path:
    """A file of ../shared/data; skips the test with a message where it is not present."""
    path = _ROOT / relative
    if not path.exists():
        pytest.skip(f"../shared/data/{relative} is not present")
    return path
