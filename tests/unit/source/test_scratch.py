"""The database that sees raw rows reads no file, reaches no network, says nothing and leaves nothing."""

import stat
from pathlib import Path

import pyarrow as pa
import pytest

from cleanroom.errors import SourceError
from parties.source.scratch import scratch_database


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_text('{file}')",
        "COPY (SELECT 1) TO '{file}.copy'",
        "ATTACH '{file}.db' AS other",
        "SELECT * FROM read_csv('https://example.com/a.csv')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET temp_directory = '/tmp'",
        "SELECT * FROM names_of_this_test",
    ],
)
def test_it_cannot_reach_beyond_the_rows_it_is_given(tmp_path: Path, statement: str) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a\n1\n")
    names_of_this_test = pa.table({"a": [1]})
    assert names_of_this_test.num_rows == 1
    with pytest.raises(SourceError), scratch_database(tmp_path) as connection:
        connection.execute(statement.format(file=file))
    assert [path.name for path in tmp_path.iterdir()] == ["other.csv"]


def test_its_directory_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_database(tmp_path):
        (directory,) = tmp_path.iterdir()
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not list(tmp_path.iterdir())


def test_its_failures_do_not_repeat_a_value(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught, scratch_database(tmp_path) as connection:
        connection.execute("SELECT CAST('canary' AS INTEGER)")
    assert str(caught.value) == "the table could not be reduced (ConversionException)"


def test_it_draws_no_progress_bar(tmp_path: Path) -> None:
    # One was drawn on standard output during a load of ten million rows, between the lines of a report.
    with scratch_database(tmp_path) as connection:
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


def test_a_work_directory_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="work directory cannot be used"), scratch_database(tmp_path / "none"):
        pass
