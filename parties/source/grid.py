"""A person's amount as whole steps: clamped to the declared bounds, then rounded half to even.

Exact: amounts are decimals with nine places, and the rounding is on 128-bit whole numbers. It is counted from the
lower bound, a multiple of the step, so that no negative number is ever divided.
"""

from decimal import Decimal

import duckdb
import pyarrow as pa

from cleanroom.errors import UsageError
from cleanroom.question.columns import Measure

_PLACES = 9
_MAX_BOUND = Decimal(10) ** 18

_STEPS = """
    WITH bounded AS (
        SELECT person, amount, least(greatest(amount, $low::DECIMAL(38, 9)), $high::DECIMAL(38, 9)) AS kept
        FROM reduced
    ), above AS (
        SELECT person, amount <> kept AS clamped,
               CAST((kept - $low::DECIMAL(38, 9)) * 1000000000 AS HUGEINT) AS above_low
        FROM bounded
    ), divided AS (
        SELECT person, clamped, $low_units + above_low // $step::HUGEINT AS whole,
               2 * (above_low % $step::HUGEINT) AS twice
        FROM above
    )
    SELECT person, clamped,
           CAST(whole + CASE WHEN twice > $step::HUGEINT OR (twice = $step::HUGEINT AND whole % 2 <> 0)
                        THEN 1 ELSE 0 END AS BIGINT) AS units
    FROM divided
"""


def require_exact_grid(measure: Measure) -> None:
    """Bounds and step are written with at most nine decimals and 18 digits before them; raises UsageError."""
    for bound in (measure.low, measure.high, measure.step):
        if abs(bound) >= _MAX_BOUND or bound != round(bound, _PLACES):
            raise UsageError(
                f"measure {measure.name}: low, high and step have at most {_PLACES} decimals and are below 10^18"
            )


def whole_steps(connection: duckdb.DuckDBPyConnection, amounts: duckdb.DuckDBPyRelation, measure: Measure) -> pa.Table:
    """`person`, `clamped` (bool) and `units` (int64) for every `person`, `amount` row."""
    amounts.create_view("reduced", replace=True)
    parameters = {
        "low": f"{measure.low:f}",
        "high": f"{measure.high:f}",
        "low_units": measure.low_units,
        "step": int(measure.step.scaleb(_PLACES)),
    }
    return connection.sql(_STEPS, params=parameters).to_arrow_table()
