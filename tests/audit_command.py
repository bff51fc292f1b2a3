"""Running `cleanroom audit` in the test's own process, as its program does: exit status, output, and the error line."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from cleanroom.audit.__main__ import main


@dataclass(frozen=True)
class Said:
    """What a command ended in."""

    status: int
    out: str
    error: str


def audit(*arguments: object) -> Said:
    """The finished command."""
    out, error = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["audit", *(str(argument) for argument in arguments)]),
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        try:
            main()
        except SystemExit as ended:
            return Said(int(ended.code or 0), out.getvalue(), error.getvalue())
    raise AssertionError("main returns never")
