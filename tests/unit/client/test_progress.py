"""Who waits sees that something moves, and programs that read the output see nothing of it."""

import pytest

from cleanroom.client.progress import shown_progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to standard error is taken for a terminal."""
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "100"), ("TERM", "xterm"), ("TTY_COMPATIBLE", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.usefixtures("terminal")
def test_a_terminal_has_a_bar_that_moves_on_with_each_plan(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress("asking bikes", 2) as progress:
        progress.say("matching with [red]bikes (opened)")
        before = capsys.readouterr().err
        progress.advance()
        after = capsys.readouterr().err
    assert "matching with [red]bikes (opened)" in before, "a name is no markup"
    assert "0:00:0" in before
    assert before.count("\N{BOX DRAWINGS HEAVY HORIZONTAL}") >= 20
    assert after != before
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("terminal")
def test_a_bar_of_one_plan_swings_because_nobody_knows_how_long_a_match_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with shown_progress("asking bikes", 1) as progress:
        progress.say("setting up trees with bikes")
        assert "setting up trees with bikes" in capsys.readouterr().err


def test_a_pipe_has_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress("asking bikes", 3) as progress:
        progress.say("matching with bikes (opened)")
        progress.advance()
    assert capsys.readouterr() == ("", "")
