"""What the measurement ran on, and how much memory a process has used at most."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("grpcio", "cryptography", "pyarrow", "duckdb", "opendp", "numpy")


def machine_line() -> str:
    """Processor, cores, memory."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {_instructions()}"


def _instructions() -> str:
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    known = [name for name in ("aes", "vaes", "avx2", "avx512f", "avx512ifma") if name in flags]
    return " ".join(known) or "no vector instructions"


def versions_line() -> str:
    """Python and what does the work."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"


def peak_memory_bytes(pid: int) -> int:
    """The most resident memory the process ever had (VmHWM); raises LookupError when the kernel does not say."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"process {pid} has no VmHWM")
