"""What cannot be drawn or written is refused in one line, before anything is asked."""

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.client import room as client_room
from cleanroom.client.export import write_exports
from cleanroom.client.report_file import check_report, report_page
from cleanroom.client.result import Result
from cleanroom.errors import UsageError
from cleanroom.whole_file import write_output
from parties.command import entry as command

TYPED: dict[str, Any] = {
    "home": Path("nowhere"), "socket": None, "owner": "brand", "epsilon": "1", "accuracy": None, "dry_run": False,
    "guess": None, "again": False, "json_file": None, "csv_file": None, "receipt_file": None, "files_folder": None,
    "report_file": None,
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
    with pytest.raises(
        UsageError, match=r"^--report: a chart needs .* not installed here: scripts/setup --charts, or "
    ):
        command.ask_entry(find("overlap"), **(TYPED | {"report_file": tmp_path / "page.html"}))
    with pytest.raises(UsageError, match="scripts/setup --charts") as said:
        Result((), ()).plot()
    assert "cleanroom[charts]" not in str(said.value)  # on the public index that is somebody else's package
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_is_asked")
@pytest.mark.parametrize("name", [".", "missing/page.html", "pipe"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path: Path, name: str) -> None:
    """What stands there and is no file, such as a device, would be replaced by one."""
    os.mkfifo(tmp_path / "pipe")
    for option in ("report", "json", "csv", "receipt"):
        with pytest.raises(UsageError, match=rf"^--{option}: .* cannot be written: it is a folder or no file, or its"):
            command.ask_entry(find("overlap"), **(TYPED | {f"{option}_file": tmp_path / name}))
    check_report(tmp_path / "page.html")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_one_may_not_write_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="nobody let you write"):
        check_report(tmp_path / "page.html")


@pytest.mark.usefixtures("nothing_is_asked")
def test_a_dry_run_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--report belongs to an answer"):
        command.ask_entry(find("overlap"), **(TYPED | {"dry_run": True, "report_file": tmp_path / "page.html"}))


@pytest.mark.parametrize("name", ["file", "file/below", "n" * 300, "null\0"])
def test_what_cannot_be_written_after_all_is_said_in_our_words_and_leaves_nothing_behind(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("before", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cannot be (written|made): "):
        write_exports({"prior": [{"value": "red", "share": 0.5}]}, tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written: "):
        write_output(tmp_path / "folder", b"page")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "before"


def test_a_page_that_cannot_be_written_whole_leaves_the_one_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"page\.html cannot be written: No space left on device"):
        write_output(page, b"after")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("page.html", b"before")]


def test_an_export_is_json_and_for_rows_parquet_as_well(tmp_path: Path) -> None:
    rows = [{"value": "red", "share": 0.5}]
    written = write_exports({"prior": rows}, tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["prior.json", "prior.parquet"]
    assert json.loads(written[0].read_text(encoding="utf-8")) == pq.read_table(written[1]).to_pylist() == rows


def test_a_plain_question_has_no_chart_and_a_page_has_a_result() -> None:
    plain = Result((), ())
    for call in (plain.plot, lambda: report_page([plain])):
        with pytest.raises(UsageError, match="belongs to a question of the catalogue"):
            call()
    with pytest.raises(UsageError, match="none was given"):
        report_page([])
