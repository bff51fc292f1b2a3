"""The process's own log: one line an event, listed fields only, bounded however often a caller fails."""

import io
import json
from datetime import UTC, datetime

import pytest

from cleanroom.transport.event_log import EventLog, where

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_line_end_in_a_field_does_not_make_a_second_line() -> None:
    stream = io.StringIO()
    EventLog(stream, lambda: AT).event("certificate", note="a\r\n\u2028b")
    assert stream.getvalue().count("\n") == 1
    assert "\r" not in stream.getvalue()
    assert json.loads(stream.getvalue()) == {
        "at": "2026-03-01T12:00:00.000000Z",
        "event": "certificate",
        "note": "a\r\n\u2028b",
    }


def test_a_field_outside_the_list_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="request"):
        EventLog(io.StringIO()).event("call", request="body")


def test_a_flood_of_refusals_writes_twenty_lines_a_second() -> None:
    stream = io.StringIO()
    log = EventLog(stream, lambda: AT)
    for _ in range(1_000):
        log.refusal(call="x", code="RESOURCE_EXHAUSTED")
    assert stream.getvalue().count("\n") == 20


def test_where_an_error_happened_says_files_and_lines_and_no_values() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        1 / int("0")
    assert where(caught.value).startswith("test_event_log.py:")
    assert "zero" not in where(caught.value)
