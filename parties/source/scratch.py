"""The database that reduces a table: in memory, on a leash, gone afterwards.

It has no access to files or network and loads no extension: rows reach it as Arrow arrays only. What does not
fit in its memory limit spills to a directory of mode 0700 inside the node's work directory, which is removed
when the work is done or has failed. (The spill files themselves are created readable by others; the directory is
what keeps them private.)
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cleanroom.errors import SourceError

MEMORY_LIMIT_MB = 1_024
THREADS = 2


@contextmanager
def scratch_database(work_directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database for one load; its own failures become a SourceError without the values in their text."""
    try:
        scratch = tempfile.TemporaryDirectory(prefix="load-", dir=work_directory)
    except OSError as error:
        raise SourceError(f"the work directory cannot be used: {error.strerror}") from None
    with scratch as spill:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": THREADS,
                "memory_limit": f"{MEMORY_LIMIT_MB}MB",
                "temp_directory": spill,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            },
        )
        try:
            # Else it is drawn on standard output, between the lines of a report, when a statement takes long.
            connection.execute("SET enable_progress_bar = false")
            # Given last and not as configuration: once it holds, the spill directory cannot be set any more.
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
        except duckdb.OutOfMemoryException:
            raise SourceError(
                f"the table needs more than {MEMORY_LIMIT_MB} MB and the disk space of the work directory"
            ) from None
        except duckdb.Error as error:
            raise SourceError(f"the table could not be reduced ({type(error).__name__})") from None
        finally:
            connection.close()
