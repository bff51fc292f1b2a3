"""What owners allow and what is left, in words for a terminal of 80 columns, without what only programs need.

Programs find everything in the JSON and in the sheets of `room_sheets`.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cleanroom.client.room_sheets import Settings, approval_words
from cleanroom.report.figure import show

if TYPE_CHECKING:
    from rich.table import Table

Body = Mapping[str, Any]

_SIDE_BY_SIDE = 3
_OVER = {"match": "shared people", "table": "all its people"}
_NOT_ADDING = (
    "Spent and left do not add up to the budget, and need not: what adds up is rho, which --json has beside each, and"
    " epsilon grows more slowly than rho."
)


def budget_page(body: Body) -> Iterator["Table | str"]:
    """One row an owner, then why the numbers do not add up, where they do not."""
    rows = [
        (
            line["owner"],
            *(_figure(line[name]["epsilon"]) for name in ("cap", "spent", "left")),
            _figure(line["questions"]),
            _figure(line["open_questions"]),
            _moment(line["as_of"]) if line["as_of"] else "none yet" if line["questions"] else "nothing was asked",
        )
        for line in body["owners"]
    ]
    delta = f" at delta {body['delta']:g}" if body["delta"] else ""
    heads = ("owner", "budget", "spent", "left", "asked", "under way", "last receipt, UTC")
    yield _table(f"what {body['party']} has left, as epsilon{delta}", heads, rows, numbers=range(1, 6))
    if body["delta"] and any(line["questions"] for line in body["owners"]):
        yield _NOT_ADDING


def settings_page(body: Body) -> Iterator["Table | str"]:
    """A line a rule, owners side by side; then the columns."""
    delta = f" at delta {body['delta']:g}" if body["delta"] else ""
    owners = body["owners"]
    for first in range(0, len(owners), _SIDE_BY_SIDE):
        some = owners[first : first + _SIDE_BY_SIDE]
        rules = [dict(_rules(one)) for one in some]
        rows = [(rule, *(said[rule] for said in rules)) for rule in rules[0]]
        title = f"room {body['room']}: what owners allow {body['party']}; budgets as epsilon{delta}"
        yield _table(title, ("rule", *(one["owner"] for one in some)), rows)
    columns = Settings(body).columns
    rows = [tuple(_word(value) for value in row) for row in columns.rows]
    title = f"columns: {body['party']}'s own, to split by; then those of the owners, to ask for"
    yield _table(title, ("party", "column", "role", "may ask", "unit", "values"), rows)


def _rules(owner: Body) -> Iterator[tuple[str, str]]:
    budget, threshold, days = owner["budget"], owner["display_threshold"], owner["fresh_days"]
    yield "may ask", _word(owner["may_ask"])
    yield "budget", f"epsilon {_figure(budget['epsilon'])}" if budget else "none"
    yield "questions", ", ".join(owner["questions"])
    yield "about", ", ".join(_OVER[base] for base in owner["over"])
    yield "numbers in one answer", f"at most {owner['cells']:,}"
    yield "questions in all", f"at most {owner['questions_each']:,}"
    yield "small numbers", f"shown as under {threshold}" if threshold else "shown as they are"
    yield "age of its table", f"at most {days} days" if days else "any"
    yield "a person must agree", str(approval_words(owner["approval"]))


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _figure(number: float) -> str:
    return show(Fraction(repr(number)))


def _moment(at: str) -> str:
    """A moment of the log, to the minute."""
    return f"{at[:10]} {at[11:16]}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value or "")
