"""`scripts/audit-privacy`: what is claimed, what an auditor measures, and whether the one is within the other."""

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.audit import noise, rooms
from tests.audit.finding import HEAD, Finding, all_hold


def printed(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Each line as soon as it is known."""
    for finding in findings:
        print(finding.line(), flush=True)
        yield finding


def main() -> int:
    """The exit status: 1 when a line fails."""
    started = time.monotonic()
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        held = all_hold(printed(chain(noise.findings(), rooms.findings(Path(folder)))))
    print(f"\n{'all claims hold' if held else 'A CLAIM FAILS'} ({time.monotonic() - started:.0f} s)")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
