"""The wheel: one file for every later Python, that starts a node where no compiler is and holds no fake noise."""

import os
import subprocess
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.small_room import write_room

ROOT = Path(__file__).resolve().parents[2]
QUESTION = ("--asker", "shop", "--owner", "brand", "--epsilon", "1")
MINUTES = 60


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_wheel_is_made_of_the_two_packages_without_rust_sources() -> None:
    settings = pyproject()["tool"]["maturin"]
    assert settings["python-packages"] == ["cleanroom", "parties"]
    assert settings["exclude"] == ["cleanroom/kernel/**"]
    assert settings["locked"] is True


def test_the_kernel_is_built_for_the_oldest_python_and_every_later_one() -> None:
    manifest = tomllib.loads((ROOT / "cleanroom/kernel/bind/Cargo.toml").read_text(encoding="utf-8"))
    assert "abi3-py311" in manifest["dependencies"]["pyo3"]["features"]
    assert pyproject()["project"]["requires-python"] == ">=3.11"


def test_every_script_says_in_one_line_what_is_missing(tmp_path: Path) -> None:
    """A machine with a shell and nothing else: one line on standard error, and nothing is left behind."""
    for tool in ("bash", "dirname", "sed", "cut", "sort", "head", "env"):
        found = next(Path(folder) / tool for folder in os.environ["PATH"].split(":") if (Path(folder) / tool).exists())
        (tmp_path / tool).symlink_to(found)
    run = subprocess.run(
        ["bash", str(ROOT / "scripts" / "setup")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr == "missing on this machine: " + (
        "Python 3.11 or newer with venv, a C compiler (cc), cargo 1.89 or newer\n"
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(["bash", str(ROOT / "scripts" / "wheel"), str(folder)], check=True, timeout=15 * MINUTES)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.slow
def test_one_wheel_serves_python_3_11_and_every_later_one(wheel: Path, names: list[str]) -> None:
    assert "-cp311-abi3-" in wheel.name
    assert [name for name in names if name.endswith(".so")] == ["cleanroom/crypto/_kernel.abi3.so"]


@pytest.mark.slow
def test_the_wheel_holds_no_sources_of_the_kernel_and_no_tests(names: list[str]) -> None:
    assert not [name for name in names if name.endswith((".rs", "Cargo.toml", "Cargo.lock"))]
    assert {name.split("/")[0].removesuffix(".dist-info") for name in names} == {
        "cleanroom",
        "parties",
        "cleanroom-0.1.0",
    }
    assert not [name for name in names if "test" in Path(name).stem]


@pytest.mark.slow
def test_the_wheel_holds_one_noise_source_and_it_is_the_real_one(wheel: Path, names: list[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        drawing = [name for name in names if name.endswith(".py") and b"def draw(self" in archive.read(name)]
    assert drawing == ["cleanroom/privacy/noise.py"]


@pytest.mark.slow
def test_a_node_starts_from_the_wheel_where_no_compiler_is(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "venv"
    venv.create(fresh, with_pip=True)
    python = fresh / "bin" / "python"
    # Dependencies come from the lock, without what only the build needs: nothing here may compile.
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    bare = {**settings, "PATH": str(fresh / "bin"), "HOME": str(tmp_path)}
    pip = [str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    locked = ["--require-hashes", "--requirement", str(ROOT / "requirements.lock")]
    subprocess.run([*pip, *locked], env=bare, check=True, timeout=10 * MINUTES)
    subprocess.run([*pip, "--no-deps", str(wheel)], env=bare, check=True, timeout=2 * MINUTES)
    party = subprocess.run(
        [str(fresh / "bin" / "cleanroom"), "party", "--help"],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=MINUTES,
    )
    assert "serve" in party.stdout
    where = subprocess.run(
        [str(python), "-c", "import cleanroom.crypto._kernel as kernel; print(kernel.__file__)"],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=MINUTES,
    )
    assert where.stdout.startswith(str(fresh))
    asked = subprocess.run(
        [str(fresh / "bin" / "cleanroom"), "sandbox", str(write_room(tmp_path)), *QUESTION],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * MINUTES,
    )
    assert asked.returncode == 0, asked.stderr
    assert "brand" in asked.stdout
    assert (tmp_path / "room.state" / "parties" / "brand" / "node.db").exists()
