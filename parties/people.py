"""The people of this company as the protocol sees them: one sealed table a dataset version, one row a match key.

A version has a random id and a counter and says nothing about its content. The table is checked here, at import:
nothing that happens later can fail on the data. What the operator may know of the import (counts of bad rows, values
that nobody declared) is kept as text beside it and goes to nobody else.
"""

import hmac
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from cleanroom.errors import SourceError, StateError
from cleanroom.ids import PartyName, random_id
from cleanroom.match.handshake import most_people
from cleanroom.question.contract import Contract
from cleanroom.wire.contract_file import contract_bytes
from parties.database import Database
from parties.source.source_file import SourceFile

if TYPE_CHECKING:
    from parties.source.report import SourceReport


@dataclass(frozen=True, slots=True)
class Version:
    """One import: random id, counter, the report for the operator, and the day (UTC) on which the table was read."""

    id: str
    counter: int
    report: str
    day: str


def examine_table(
    contract: Contract, party: PartyName, source: SourceFile, *, work_directory: Path
) -> "tuple[pa.Table, SourceReport]":
    """The table as a match would use it, and what was found; keeps nothing. Raises SourceError or UsageError."""
    # Loaded only here: DuckDB and the readings of identifiers are most of a node's start.
    from parties.source.key_rule import KeyRule
    from parties.source.load import load_people

    dataset = contract.datasets[party]
    rule = KeyRule(dataset.key, contract.profile, contract.region)
    table, report = load_people(source, rule, dataset.columns, work_directory=work_directory)
    limit = most_people(contract, party)
    if table.num_rows > limit:
        over, dummies = table.num_rows - limit, dataset.capacity - limit
        raise SourceError(
            f"{source.path} holds {table.num_rows} people, {over} more than fit: the contract's capacity for {party} is"
            f" {dataset.capacity}, of which {dummies} places are for dummies that hide the overlap; agree on a larger"
            " capacity"
        )
    return table, report


class People:
    """Imports tables and opens the current one."""

    def __init__(self, database: Database, contract: Contract, party: PartyName, *, digest_key: bytes) -> None:
        self._database = database
        self._contract = contract
        self._party = party
        self._digest_key = digest_key
        self._cache: tuple[str, pa.Table] | None = None

    def _source_digest(self, source: SourceFile) -> str:
        """Keyed, so that the digest in the database is of no use without the state key."""
        mac = hmac.new(self._digest_key, contract_bytes(self._contract), sha256)
        for path in filter(None, (source.path, source.opt_out)):
            try:
                with path.open("rb") as file:
                    mac.update(file_digest(file, "sha256").digest())
            except OSError as error:
                raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        return mac.hexdigest()

    def current(self) -> Version | None:
        """The newest version, if there is one."""
        row = self._database.one("SELECT id, counter, report, day FROM dataset_version ORDER BY counter DESC LIMIT 1")
        return Version(*row) if row else None

    def import_table(self, source: SourceFile, *, work_directory: Path, day: str) -> Version:
        """Read the source if it changed since the last import; raises SourceError or UsageError and changes nothing.

        `day` is today, YYYY-MM-DD.
        """
        digest = self._source_digest(source)
        known = self._database.one("SELECT source_digest FROM dataset_version ORDER BY counter DESC LIMIT 1")
        current = self.current()
        if current is not None and known is not None and hmac.compare_digest(known[0], digest):
            return current
        table, report = examine_table(self._contract, self._party, source, work_directory=work_directory)
        version = Version(random_id(), (current.counter if current else 0) + 1, "\n".join(report.lines()), day)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        with self._database.transaction():
            self._database.keep("people", version.id, sink.getvalue().to_pybytes())
            self._database.run(
                "INSERT INTO dataset_version VALUES (?, ?, ?, ?, ?)",
                version.id,
                version.counter,
                digest,
                version.report,
                day,
            )
            if current is not None:
                self._database.erase("people", current.id)
        return version

    def table(self, version: str) -> pa.Table:
        """The people of one version; raises StateError when it is gone."""
        if self._cache is None or self._cache[0] != version:
            data = self._database.kept("people", version)
            self._cache = (version, pa.ipc.open_stream(data).read_all().combine_chunks())
        return self._cache[1]

    def require(self) -> Version:
        """The current version; raises StateError when nothing was imported yet."""
        version = self.current()
        if version is None:
            raise StateError("this node has not imported a table yet")
        return version
