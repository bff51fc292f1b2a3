"""A node's settings: what was written is read; a typing error is one line."""

from pathlib import Path

import pytest

from cleanroom.errors import UsageError
from cleanroom.ids import AnalystName
from parties.settings import Analyst, NodeSettings, read_settings, write_settings
from parties.source.source_file import SourceFile

ALICE = Analyst(AnalystName("alice"), 1000, frozenset({"asker", "operator"}))
BOB = Analyst(AnalystName("bob"), 1001, frozenset({"approver"}))


def read(folder: Path, text: str | bytes) -> NodeSettings:
    """The settings of this text."""
    path = folder / "settings.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_settings(path)


@pytest.mark.parametrize("opt_out", [None, "left.csv"])
@pytest.mark.parametrize("address", [None, "host:7443"])
def test_settings_come_back_as_they_were_written(tmp_path: Path, opt_out: str | None, address: str | None) -> None:
    source = SourceFile(tmp_path / "orders.csv", tmp_path / opt_out if opt_out else None)
    settings = NodeSettings(source, (ALICE, BOB), address, 30)
    write_settings(tmp_path / "settings.toml", settings)
    assert read_settings(tmp_path / "settings.toml") == settings


def test_the_least_settings_name_a_source_relative_to_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, '[source]\npath = "a.csv"\n')
    assert settings == NodeSettings(SourceFile(tmp_path / "a.csv", None), (), None, 120)


def test_a_person_is_known_by_user_number_and_role() -> None:
    settings = NodeSettings(SourceFile(Path("a"), None), (ALICE, BOB), None, 120)
    assert settings.analyst(1000, "asker") == ALICE
    assert settings.analyst(1000, "approver") is None
    assert settings.analyst(1001, "approver") == BOB
    assert settings.analyst(0, "asker") is None


SOURCE = '[source]\npath = "a.csv"\n'
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "source must be a table"),
    "an unknown key": ("noise = 0\n" + SOURCE, "unknown key `noise`; known: analysts, coordinator_address"),
    "an unknown source key": (SOURCE + "format = 1\n", "source: unknown key `format`"),
    "no path": ("[source]\n", "`path` is missing"),
    "a path that is a number": ("[source]\npath = 5\n", "`path` is missing"),
    "an opt-out list that is a number": (SOURCE + "opt_out = 5\n", "`opt_out` is a path"),
    "an address that is a number": ("coordinator_address = 5\n" + SOURCE, "host:port"),
    "a timeout of 0": ("peer_timeout_s = 0\n" + SOURCE, "1 to 86400"),
    "a timeout of 86401": ("peer_timeout_s = 86401\n" + SOURCE, "1 to 86400"),
    "a true timeout": ("peer_timeout_s = true\n" + SOURCE, "1 to 86400"),
    "a timeout with a point": ("peer_timeout_s = 1.5\n" + SOURCE, "1 to 86400"),
    "analysts as a list": ("analysts = []\n" + SOURCE, "`analysts` must be a table"),
    "an analyst as a number": (SOURCE + "[analysts]\nalice = 5\n", "analysts.alice must be a table"),
    "no user number": (SOURCE + '[analysts.alice]\nroles = ["asker"]\n', "`uid`"),
    "a negative user number": (SOURCE + '[analysts.alice]\nuid = -1\nroles = ["asker"]\n', "`uid`"),
    "a true user number": (SOURCE + '[analysts.alice]\nuid = true\nroles = ["asker"]\n', "`uid`"),
    "no roles": (SOURCE + "[analysts.alice]\nuid = 1\nroles = []\n", "`roles`"),
    "an unknown role": (SOURCE + '[analysts.alice]\nuid = 1\nroles = ["asker", "admin"]\n', "`roles`"),
    "roles as text": (SOURCE + '[analysts.alice]\nuid = 1\nroles = "asker"\n', "`roles`"),
    "roles in a list of lists": (SOURCE + '[analysts.alice]\nuid = 1\nroles = [["asker"]]\n', "`roles`"),
    "roles as tables": (SOURCE + "[analysts.alice]\nuid = 1\nroles = [{a = 1}]\n", "`roles`"),
    "a secret in the settings": (
        SOURCE + '[analysts.alice]\nuid = 1\nroles = ["asker"]\nkey = "x"\n',
        "unknown key `key`",
    ),
    "a name with a blank": (SOURCE + '[analysts."al ice"]\nuid = 1\nroles = ["asker"]\n', "an analyst's name"),
    "a duplicate key": (SOURCE + 'path = "b.csv"\n', r"not TOML.*line 3"),
    "ten thousand levels": ("a = " + "[" * 10_000, "not TOML"),
    "a number of five thousand digits": (f"peer_timeout_s = {'9' * 5000}\n" + SOURCE, "not TOML"),
    "bytes that are no text": (b"\xff\xfe", "not TOML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(UsageError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "settings.toml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seconds", [1, 86_400])
def test_the_shortest_and_the_longest_patience_are_taken(tmp_path: Path, seconds: int) -> None:
    assert read(tmp_path, f"peer_timeout_s = {seconds}\n{SOURCE}").peer_timeout_s == seconds


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is missing: cleanroom room propose"):
        read_settings(tmp_path / "settings.toml")
