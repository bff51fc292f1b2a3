"""The house's rules that import-linter cannot see: the compiled kernel, the noise door, plain rooms, no switches.

Who may import whom is in pyproject.toml, [tool.importlinter].
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanroom.crypto import _kernel

ROOT = Path(__file__).resolve().parents[1]
GENERATED = ROOT / "cleanroom" / "rpc" / "v1"
LONGEST_FILE = 500

# Every read of the environment in the product, by file and name: none of them decides anything about data or noise.
ENVIRONMENT = {
    ("cleanroom/audit/__main__.py", "GRPC_VERBOSITY"),
    ("cleanroom/coordinator/__main__.py", "GRPC_VERBOSITY"),
    ("parties/command/main.py", "GRPC_VERBOSITY"),
    ("parties/command/room.py", "USER"),
}


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if GENERATED not in path.parents and "target" not in path.parts:
                yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PRODUCT = list(modules("cleanroom", "parties"))
EVERYTHING = list(modules("cleanroom", "parties", "tests"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def imported(tree: ast.Module) -> set[str]:
    """Dotted names of everything that a module imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(module: str) -> set[str]:
    prefix = f"{module}."
    return {name_of(path) for path in PRODUCT if any(f"{name}.".startswith(prefix) for name in imported(parsed(path)))}


def test_there_is_something_to_look_at() -> None:
    assert len(PRODUCT) > 50


def test_only_the_crypto_room_touches_the_compiled_kernel() -> None:
    touching = importers("cleanroom.crypto._kernel")
    assert touching
    assert {str(Path(name).parent) for name in touching} == {"cleanroom/crypto"}


def test_the_kernel_is_loaded_from_the_crypto_room() -> None:
    assert _kernel.__name__ == "cleanroom.crypto._kernel"


def test_the_noise_library_has_one_door() -> None:
    assert importers("opendp") == {"cleanroom/privacy/opendp_door.py"}


def test_only_privacy_itself_opens_the_noise_door() -> None:
    assert {str(Path(name).parent) for name in importers("cleanroom.privacy.opendp_door")} == {"cleanroom/privacy"}


def test_nothing_is_imported_by_a_text_that_could_be_changed() -> None:
    for path in PRODUCT:
        assert not {name for name in imported(parsed(path)) if name.split(".")[0] == "importlib"}, name_of(path)
        assert not re.search(r"\b__import__\(|\bexec\(|\beval\(", path.read_text(encoding="utf-8")), name_of(path)


ROOMS = [path for path in PRODUCT if path.name == "__init__.py" and name_of(path) != "cleanroom/__init__.py"]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: name_of(path))
def test_a_room_says_what_it_is_and_does_nothing_else(path: Path) -> None:
    body = parsed(path).body
    assert len(body) == 1
    assert ast.get_docstring(parsed(path))


def test_the_package_has_one_door_and_loads_nothing_before_somebody_goes_through() -> None:
    """`import cleanroom` is what an analyst types: `connect`, whose own import is inside it, and nothing more."""
    body = parsed(ROOT / "cleanroom" / "__init__.py").body
    top = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imported(ast.Module(list(top), [])) == {"pathlib.Path", "typing.TYPE_CHECKING"}
    assert [node.name for node in body if isinstance(node, ast.FunctionDef)] == ["connect"]
    assert len(body) == len(top) + 3, "beside them the docstring and what type checkers import"


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: name_of(path))
def test_a_file_says_what_it_is_for_and_is_short_enough_to_read(path: Path) -> None:
    assert ast.get_docstring(parsed(path))
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_FILE


def test_no_room_or_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert not [name_of(path) for path in EVERYTHING if drawers & {path.stem, *path.relative_to(ROOT).parts}]


def test_the_environment_is_read_in_named_places_only() -> None:
    """No variable can choose the noise, a key or a rule: every read is listed above, with its file and name."""
    found = set()
    for path in PRODUCT:
        for node in ast.walk(parsed(path)):
            if _is_environment(node):
                found.add((name_of(path), _variable(path, node)))
    assert found == ENVIRONMENT


def _is_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and bool(names & {alias.name for alias in node.names})
    return isinstance(node, ast.Attribute) and node.attr in names


def _variable(path: Path, environment: ast.AST) -> str:
    """The literal name that is asked for: environ.get(NAME), environ[NAME], getenv(NAME)."""
    for node in ast.walk(parsed(path)):
        inside = {ast.dump(child) for child in ast.walk(node)}
        if ast.dump(environment) not in inside:
            continue
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func
            if isinstance(called, ast.Attribute) and ast.dump(environment) in {
                ast.dump(called),
                ast.dump(called.value),
            }:
                return str(node.args[0].value)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return str(node.slice.value)
    return "?"


def test_there_is_one_noise_source_in_the_product() -> None:
    """A class that can draw is a noise source; the seam itself is a Protocol."""
    sources = {
        (name_of(path), node.name)
        for path in PRODUCT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(method, ast.FunctionDef) and method.name == "draw" for method in node.body)
    }
    assert sources == {
        ("cleanroom/privacy/noise.py", "NoiseSource"),
        ("cleanroom/privacy/noise.py", "DiscreteNoise"),
    }


def test_no_option_of_the_command_line_speaks_of_noise() -> None:
    """Options are the texts that begin with dashes; epsilon is what a user may choose."""
    options = {
        node.value
        for path in PRODUCT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"--[a-z][a-z-]*", node.value)
    }
    assert "--epsilon" in options
    forbidden = re.compile(r"noise|sigma|scale|seed|exact|true|raw|debug|insecure|no-|skip|unsafe|reset")
    assert not {option for option in options if forbidden.search(option)}


def test_no_random_numbers_but_the_operating_systems() -> None:
    """Generators that can be guessed make up the demo's shops and spread retries in time, nothing else."""
    seeded = {
        name_of(path)
        for path in PRODUCT
        if re.search(r"\bnp\.random\b|\bnumpy\.random\b", path.read_text(encoding="utf-8"))
        or "random" in {name.split(".")[0] for name in imported(parsed(path))}
    }
    assert {name for name in seeded if not name.startswith("cleanroom/demo/")} == {"cleanroom/transport/retry.py"}


def test_lock_files_hold_names_versions_and_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-charts.lock", "requirements-test.lock"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            text = line.strip()
            assert not text or re.fullmatch(
                r"#.*|[a-z0-9-]+==[0-9][0-9a-z.+]*( ; [^\\]+)? \\|--hash=sha256:[0-9a-f]{64}( \\)?", text
            ), f"{name}: {text}"
            assert "://" not in text
            assert not re.search(r"(^|\s)/\w", text)


def test_each_lock_has_the_versions_of_those_within_it() -> None:
    product, charts, test = (
        set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))
        for name in ("requirements.lock", "requirements-charts.lock", "requirements-test.lock")
    )
    assert product < charts < test
    assert {line.split("==")[0] for line in charts - product} >= {"matplotlib", "pillow"}


def test_what_draws_charts_is_optional_and_has_one_room() -> None:
    """Nothing loads it before a chart is drawn: outside its room it is imported inside functions, or for types."""
    assert {name for name in importers("matplotlib") if not name.startswith("cleanroom/charts/")} == {
        "cleanroom/client/report_file.py",
        "cleanroom/client/result.py",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert extras["charts"] == [text for text in extras["test"] if text.startswith("matplotlib")]
    assert not [text for text in project["dependencies"] if text.startswith("matplotlib")]


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-test.lock").read_text("utf-8"), re.MULTILINE))
    declared = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    assert {re.split(r"[<>=!~\[ ]", text)[0].lower() for text in declared} <= locked
