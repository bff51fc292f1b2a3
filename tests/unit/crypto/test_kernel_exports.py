"""The stub says exactly what the built kernel exports, and no two uses share a label."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from pathlib import Path

from cleanroom.crypto import _kernel

ROOT = Path(__file__).parents[3]
STUB = ast.parse((ROOT / "cleanroom" / "crypto" / "_kernel.pyi").read_text())


def test_the_stub_and_the_built_module_name_the_same_things() -> None:
    functions = {node.name for node in STUB.body if isinstance(node, ast.FunctionDef)}
    values = {ast.unparse(node.target) for node in STUB.body if isinstance(node, ast.AnnAssign)}
    exported = {name for name in dir(_kernel) if not name.startswith("__")}
    assert functions | values == exported


def test_every_function_takes_the_parameters_its_stub_gives() -> None:
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            parameters = list(inspect.signature(getattr(_kernel, node.name)).parameters)
            assert parameters == [argument.arg for argument in node.args.args], node.name


def test_every_label_of_the_kernel_is_written_once() -> None:
    sources = (ROOT / "cleanroom" / "kernel").glob("*/src/**/*.rs")
    labels = Counter[str]()
    for source in sources:
        labels.update(re.findall(r'"(cleanroom/v1/[^"]*)"', source.read_text()))
    assert labels
    assert set(labels.values()) == {1}
