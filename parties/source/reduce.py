"""Many rows of a person to one value, by the contract's reductions, computed exactly.

`column_rows` first brings one person-level column into a fixed shape: person, text, number, day, after the row
filter. The reductions then are fixed statements over that shape. Texts compare by code point (the bytes of
UTF-8), numbers are decimals with nine places, never floats.

What counts as missing and never reaches a reduction: empty text; a number that is not an optional sign, digits
and at most the declared decimals (so NaN, infinity and exponents are none), or has over 18 digits before the
point; a date that does not parse. `last` looks at rows that have both a date and a value.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import duckdb
import pyarrow as pa

from cleanroom.question.columns import Asked, Measure, Reduction
from parties.source.date_format import checked_date_format

_MAX_WHOLE_DIGITS = 18

_LAST = (
    "SELECT person, arg_max(text, day) AS text FROM "
    "(SELECT person, day, min(text) AS text FROM column_rows WHERE text IS NOT NULL AND day IS NOT NULL "
    "GROUP BY person, day) GROUP BY person"
)
_MOST_FREQUENT = (
    "SELECT person, arg_max(text, rows) AS text FROM "
    "(SELECT person, rows, min(text) AS text FROM "
    "(SELECT person, text, count(*) AS rows FROM column_rows WHERE text IS NOT NULL GROUP BY person, text) "
    "GROUP BY person, rows) GROUP BY person"
)
_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "last": _LAST,
        "most_frequent": _MOST_FREQUENT,
        "any": "SELECT DISTINCT person, 'yes' AS text FROM column_rows",
    }
)
_AMOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "sum": "SELECT person, sum(number) AS amount FROM column_rows WHERE number IS NOT NULL GROUP BY person",
        "max": "SELECT person, max(number) AS amount FROM column_rows WHERE number IS NOT NULL GROUP BY person",
        "count": "SELECT person, CAST(count(*) AS DECIMAL(38, 9)) AS amount FROM column_rows GROUP BY person",
        "last": f"SELECT person, CAST(text AS DECIMAL(38, 9)) AS amount FROM ({_LAST})",  # noqa: S608 - constant
    }
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rows of one column that say something which is no number, or no date, of the declared form."""

    numbers: int
    dates: int


def column_rows(connection: duckdb.DuckDBPyConnection, column: Asked, positions: Mapping[str, int]) -> Unreadable:
    """Fill the table `column_rows` for one column; returns how many of its rows cannot be read.

    `positions` says which text column c0, c1 … of `person_rows` holds a source column.
    """
    rule = column.reduction
    parameters: dict[str, object] = {}
    text, day_text = "''", "''"
    number, day = "NULL::DECIMAL(38, 9)", "NULL::TIMESTAMP"
    asks_number = isinstance(column, Measure) and rule.source != ""
    if rule.source:
        text = f"c{positions[rule.source]}"
    if isinstance(column, Measure) and asks_number:
        parameters["shape"] = _number_shape(column.decimals)
        number = "CASE WHEN regexp_full_match(text, $shape) THEN CAST(text AS DECIMAL(38, 9)) END"
    if rule.order_by:
        parameters["format"] = checked_date_format(rule.date_format)
        day_text = f"c{positions[rule.order_by]}"
        day = (
            "CASE WHEN regexp_matches(day_text, '[0-9]') AND year(try_strptime(day_text, $format)) "
            "BETWEEN 1000 AND 9999 THEN try_strptime(day_text, $format) END"
        )
    conditions = ["true"]
    for order, (source, texts) in enumerate(rule.where.items()):
        parameters[f"texts_{order}"] = [unicodedata.normalize("NFC", text).strip() for text in texts]
        conditions.append(f"list_contains($texts_{order}, c{positions[source]})")
    readable = "text <> '' AND number IS NOT NULL" if asks_number else "text <> ''"
    # Column numbers and the fixed words above are all that is put in; every text of a contract is a parameter.
    statement = f"""
        CREATE OR REPLACE TABLE column_rows AS
        SELECT person, CASE WHEN {readable} THEN text END AS text, number, day,
               text <> '' AND NOT ({readable}) AS bad_number, day_text <> '' AND day IS NULL AS bad_day
        FROM (SELECT *, {number} AS number, {day} AS day
              FROM (SELECT person, {text} AS text, {day_text} AS day_text
                    FROM person_rows WHERE {" AND ".join(conditions)}))
    """  # noqa: S608
    connection.execute(statement, parameters or None)
    counts = connection.execute(
        "SELECT count(*) FILTER (bad_number), count(*) FILTER (bad_day) FROM column_rows"
    ).fetchall()
    numbers, dates = counts[0]
    return Unreadable(int(numbers), int(dates))


def absent_texts(
    connection: duckdb.DuckDBPyConnection, rule: Reduction, positions: Mapping[str, int]
) -> tuple[str, ...]:
    """Texts of a filter that no row has in the column where they are looked for."""
    absent: list[str] = []
    for source, texts in rule.where.items():
        place = f"c{positions[source]}"
        wanted = {unicodedata.normalize("NFC", text).strip(): text for text in texts}
        rows = connection.execute(
            f"SELECT DISTINCT {place} FROM person_rows WHERE list_contains($texts, {place})",  # noqa: S608 - a number
            {"texts": list(wanted)},
        ).fetchall()
        absent += [text for plain, text in wanted.items() if plain not in {row[0] for row in rows}]
    return tuple(absent)


def reduced_texts(connection: duckdb.DuckDBPyConnection, kind: str) -> pa.Table:
    """`person`, `text` for everybody with a value, from the table `column_rows`; any order."""
    return connection.sql(_TEXTS[kind]).to_arrow_table()


def reduced_amounts(connection: duckdb.DuckDBPyConnection, kind: str) -> duckdb.DuckDBPyRelation:
    """`person`, `amount` (nine decimals) for everybody with a value, from the table `column_rows`; any order."""
    return connection.sql(_AMOUNTS[kind])


def _number_shape(decimals: int) -> str:
    whole = rf"[+-]?0*[0-9]{{1,{_MAX_WHOLE_DIGITS}}}"
    return whole + (rf"(\.[0-9]{{1,{decimals}}})?" if decimals else "")
