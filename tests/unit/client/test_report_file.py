"""What cannot be drawn or written is refused in one line, before anything is asked."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.client import room as client_room
from cleanroom.client.report_file import check_report, report_page
from cleanroom.client.result import Result
from cleanroom.errors import UsageError
from parties.command import entry as command

TYPED: dict[str, Any] = {
    "home": Path("nowhere"), "socket": None, "owner": "brand", "epsilon": "1", "accuracy": None, "dry_run": False,
    "guess": None, "again": False, "json_file": None, "csv_file": None, "receipt_file": None, "files_folder": None,
}  # fmt: skip


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a node was spoken to")

    monkeypatch.setattr(client_room, "Room", refuse)


@pytest.mark.usefixtures("without_charts", "nothing_is_asked")
def test_without_the_extra_it_says_what_to_install_and_asks_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--report: a chart needs .* pip install 'cleanroom\[charts\]'$"):
        command.ask_entry(find("overlap"), **TYPED, report_file=tmp_path / "page.html")
    with pytest.raises(UsageError, match=r"pip install 'cleanroom\[charts\]'"):
        Result((), ()).plot()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_is_asked")
@pytest.mark.parametrize("name", [".", "missing/page.html"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^--report: .* cannot be written: it is a folder, or its folder"):
        command.ask_entry(find("overlap"), **TYPED, report_file=tmp_path / name)
    check_report(tmp_path / "page.html")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_one_may_not_write_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="nobody let you write"):
        check_report(tmp_path / "page.html")


@pytest.mark.usefixtures("nothing_is_asked")
def test_a_dry_run_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--report belongs to an answer"):
        command.ask_entry(find("overlap"), **(TYPED | {"dry_run": True}), report_file=tmp_path / "page.html")


def test_a_plain_question_has_no_chart_and_a_page_has_a_result() -> None:
    plain = Result((), ())
    for call in (plain.plot, lambda: report_page([plain])):
        with pytest.raises(UsageError, match="belongs to a question of the catalogue"):
            call()
    with pytest.raises(UsageError, match="none was given"):
        report_page([])
