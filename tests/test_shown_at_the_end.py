"""What a test shows is printed when it passes, and when it fails, although workers print nothing of their own."""

import subprocess
import sys
from pathlib import Path

from tests.command_line import ROOT

_TESTS = """
def test_passes(shown_at_the_end):
    shown_at_the_end("colour by price: 2.10")

def test_fails(shown_at_the_end):
    shown_at_the_end("price by colour: -0.40")
    assert False
"""


def test_what_a_test_shows_is_printed_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_two.py").write_text(_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert {"colour by price: 2.10", "price by colour: -0.40"} <= set(done.stdout.splitlines())
    assert "1 failed, 1 passed" in done.stdout
