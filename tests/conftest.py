"""What a passing test has to show to whoever runs the suite: printed at its end, by any number of workers."""

from collections.abc import Callable

import pytest

_SHOWN = "shown at the end"


@pytest.fixture
def shown_at_the_end(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Takes a text, which the summary of the run prints. What a passing test prints itself is not shown."""
    return lambda text: record_property(_SHOWN, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, text in report.user_properties:
            if name == _SHOWN:
                terminalreporter.write_line(str(text))
