"""Secrets on disk are this user's alone, and a key is never overwritten."""

import os
import stat
from pathlib import Path

import pytest

from cleanroom.crypto.key_files import private_folder, read_secret, write_secret
from cleanroom.errors import StateError, UsageError


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_secret_is_0600_in_a_0700_folder_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    previous = os.umask(umask)
    try:
        write_secret(tmp_path / "keys" / "a.key", b"secret")
    finally:
        os.umask(previous)
    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys" / "a.key") == 0o600
    assert read_secret(tmp_path / "keys" / "a.key") == b"secret"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key file of four bytes."""
    path = tmp_path / "keys" / "a.key"
    write_secret(path, b"abcd")
    return path


def test_a_key_is_never_overwritten(key: Path) -> None:
    with pytest.raises(UsageError, match="never overwritten"):
        write_secret(key, b"other")
    assert read_secret(key) == b"abcd"


def test_a_key_is_not_written_through_a_link(key: Path) -> None:
    link = key.parent / "link.key"
    link.symlink_to(key.parent / "elsewhere")
    with pytest.raises(UsageError):
        write_secret(link, b"other")
    assert not (key.parent / "elsewhere").exists()


def test_a_key_is_not_read_through_a_link(key: Path) -> None:
    link = key.parent / "link.key"
    link.symlink_to(key)
    with pytest.raises(StateError, match="cannot be read"):
        read_secret(link)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o601, 0o666, 0o700 | 0o010])
def test_a_key_that_others_may_touch_is_refused(key: Path, bits: int) -> None:
    key.chmod(bits)
    with pytest.raises(StateError, match="chmod 600"):
        read_secret(key)


@pytest.mark.parametrize("bits", [0o600, 0o400])
def test_a_key_for_this_user_alone_is_read(key: Path, bits: int) -> None:
    key.chmod(bits)
    assert read_secret(key, 4) == b"abcd"


def test_another_user_s_key_is_refused(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: key.stat().st_uid + 1)
    with pytest.raises(StateError, match="this user alone"):
        read_secret(key)
    with pytest.raises(StateError, match="belong to this user"):
        private_folder(key.parent)


@pytest.mark.parametrize("length", [0, 3, 5])
def test_a_key_of_another_length_is_refused(key: Path, length: int) -> None:
    with pytest.raises(StateError, match="does not hold"):
        read_secret(key, length)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"absent\.key cannot be read"):
        read_secret(tmp_path / "absent.key")


def test_a_folder_in_place_of_a_key_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="not a file"):
        read_secret(private_folder(tmp_path / "keys"))


def test_a_pipe_in_place_of_a_key_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.key", 0o600)
    with pytest.raises(StateError, match="not a file"):
        read_secret(tmp_path / "a.key")


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o701, 0o710])
def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, bits: int) -> None:
    folder = private_folder(tmp_path / "keys")
    folder.chmod(bits)
    with pytest.raises(StateError, match="chmod 700"):
        private_folder(folder)
    with pytest.raises(StateError, match="chmod 700"):
        write_secret(folder / "a.key", b"x")
    assert not (folder / "a.key").exists()


def test_no_error_shows_the_secret(key: Path) -> None:
    key.chmod(0o644)
    with pytest.raises(StateError) as caught:
        read_secret(key)
    assert "abcd" not in str(caught.value)
