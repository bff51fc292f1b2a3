"""Rows of a table numbered by person, with everybody who opted out gone.

The order of work: the opt-out list is read first and in full; then rows come in with their key; rows whose key
cannot be read are counted and left out; the keys that remain are sorted by their bytes and numbered from 0. From
there on a row carries its person's number and texts, and no identifier.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from parties.normalise.text import plain
from parties.source.key_rule import KeyRule

# A key is crowded above 100 rows and above 20 times the usual: busy customers of a shop stay below the one,
# wholesale tables with long histories below the other. It only asks the operator to look.
_CROWDED_ROWS = 100
_CROWDED_TIMES_MEDIAN = 20


@dataclass(slots=True)
class KeyedRows:
    """The tables `source_rows` (key, c0, c1 …) and `opted_out` (key) of one scratch database, being filled."""

    connection: duckdb.DuckDBPyConnection
    key_rule: KeyRule
    text_columns: Sequence[str]

    def __post_init__(self) -> None:
        kinds = [("key", pa.large_binary())]
        kinds += [(f"c{number}", pa.string()) for number in range(len(self.text_columns))]
        empty = pa.schema(kinds).empty_table()
        self._with_batch(empty, "CREATE TABLE source_rows AS SELECT * FROM batch")
        self._with_batch(empty, "CREATE TABLE opted_out AS SELECT key FROM batch")

    def add(self, batches: Iterable[pa.Table]) -> int:
        """Put rows into the table; returns how many were left out because their key cannot be read."""
        unparsable = 0
        for batch in batches:
            keys = self._keys(batch)
            texts = [plain(batch.column(column).combine_chunks()) for column in self.text_columns]
            fields = {"key": keys} | {f"c{number}": text for number, text in enumerate(texts)}
            self._with_batch(pa.table(fields), "INSERT INTO source_rows SELECT * FROM batch WHERE key IS NOT NULL")
            unparsable += keys.null_count
        return unparsable

    def opt_out(self, batches: Iterable[pa.Table]) -> int:
        """Remember who opted out; returns how many rows of the list have a key that cannot be read."""
        unparsable = 0
        for batch in batches:
            keys = self._keys(batch)
            self._with_batch(
                pa.table({"key": keys}), "INSERT INTO opted_out SELECT key FROM batch WHERE key IS NOT NULL"
            )
            unparsable += keys.null_count
        return unparsable

    def number_people(self) -> "PersonRows":
        """Replace keys by numbers of people; afterwards this value's tables are gone."""
        self.connection.execute(
            "CREATE TABLE people AS SELECT key, row_number() OVER (ORDER BY key) - 1 AS person "
            "FROM (SELECT DISTINCT key FROM source_rows ANTI JOIN opted_out USING (key))"
        )
        opted_out = _number(
            self.connection, "SELECT count(DISTINCT key) FROM source_rows SEMI JOIN opted_out USING (key)"
        )
        self.connection.execute(
            "CREATE TABLE person_rows AS SELECT person, source_rows.* EXCLUDE (key) "
            "FROM source_rows JOIN people USING (key)"
        )
        self.connection.execute("DROP TABLE source_rows")
        self.connection.execute("DROP TABLE opted_out")
        return PersonRows(self.connection, opted_out)

    def _keys(self, batch: pa.Table) -> pa.Array:
        return self.key_rule.keys([batch.column(column).combine_chunks() for column in self.key_rule.columns])

    def _with_batch(self, batch: pa.Table, statement: str) -> None:
        self.connection.register("batch", batch)
        self.connection.execute(statement)
        self.connection.unregister("batch")


@dataclass(frozen=True, slots=True)
class PersonRows:
    """The tables `people` (key, person) and `person_rows` (person, c0, c1 …)."""

    connection: duckdb.DuckDBPyConnection
    opted_out_people: int

    def keys(self) -> pa.ChunkedArray:
        """The match keys as large_binary; a person's number is the position."""
        table = self.connection.sql("SELECT key FROM people ORDER BY person").to_arrow_table()
        return table.column("key").cast(pa.large_binary())

    def crowded(self) -> tuple[int, int]:
        """How many people have more rows than a threshold, and that threshold."""
        threshold = _number(
            self.connection,
            "SELECT greatest($least, $times * coalesce(quantile_disc(rows, 0.5), 0)) "
            "FROM (SELECT count(*) AS rows FROM person_rows GROUP BY person)",
            least=_CROWDED_ROWS,
            times=_CROWDED_TIMES_MEDIAN,
        )
        crowded = _number(
            self.connection,
            "SELECT count(*) FROM (SELECT person FROM person_rows GROUP BY person HAVING count(*) > $threshold)",
            threshold=threshold,
        )
        return crowded, threshold


def _number(connection: duckdb.DuckDBPyConnection, query: str, **parameters: int) -> int:
    # All rows are fetched, though there is one: DuckDB 2 keeps the connection busy until the last is taken.
    return int(connection.execute(query, parameters or None).fetchall()[0][0])
