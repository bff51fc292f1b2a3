"""`import cleanroom` is what every notebook does first: it loads nothing heavy before something is asked."""

import subprocess
import sys

HEAVY = ("pandas", "pyarrow", "numpy", "grpc", "duckdb", "opendp", "rich", "click", "cryptography", "google.protobuf")


def loaded_after(code: str) -> set[str]:
    """Which heavy libraries a program that does this has loaded."""
    show = f"import sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_importing_the_package_loads_no_library() -> None:
    assert loaded_after("import cleanroom; cleanroom.connect") == set()


def test_the_analysts_program_loads_no_network_no_database_and_no_data_frames() -> None:
    loaded = loaded_after("import cleanroom.client.room")
    assert not loaded & {"pandas", "pyarrow", "grpc", "duckdb", "google.protobuf"}
