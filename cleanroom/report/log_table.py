"""A room's history for a terminal, a spreadsheet and programs: the same rows three times.

Entries are other people's text: a terminal gets no escape and no mark-up, a spreadsheet no formula, JSON is ASCII.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from rich.table import Table
from rich.text import Text

from cleanroom.report.log_rows import LogRow
from cleanroom.report.visible import cell_text, visible

_HEADS = ("entries", "when", "what", "who", "about", "what was asked", "cost", "approved by, refused why")


def log_table(rows: Sequence[LogRow]) -> Table:
    """For a terminal."""
    table = Table(show_lines=False, pad_edge=False)
    for head in _HEADS:
        table.add_column(Text(head), justify="right" if head == "cost" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(text)) for text in _texts(row)))
    return table


def _texts(row: LogRow) -> tuple[str, ...]:
    who = f"{row.by} ({row.analyst})" if row.analyst else row.by
    about = f"{row.about} ({', '.join(row.datasets)})" if row.datasets else row.about
    return (entries_text(row), when_text(row), outcome_text(row), who, about, row.says, cost_text(row), why_text(row))


def entries_text(row: LogRow) -> str:
    """Where it stands in the log."""
    shown = ", ".join(str(index) for index in row.entries[:6])
    return f"{shown}, …" if len(row.entries) > 6 else shown


def when_text(row: LogRow) -> str:
    """The time as its actor stated it."""
    return row.at.replace("T", " ").removesuffix("Z")


def outcome_text(row: LogRow) -> str:
    """What it is and how far it came."""
    if row.kind in ("question", "match"):
        return f"{row.kind}: {row.outcome}"
    return f"stray: {row.outcome or 'no statement'}" if row.kind == "stray" else row.outcome


def cost_text(row: LogRow) -> str:
    """What it cost; nothing where it was voided."""
    if row.epsilon is None:
        return "" if row.units is None else f"{row.units} units"
    return f"ε {row.epsilon:g}" + (" (voided)" if row.outcome == "voided" else "")


def why_text(row: LogRow) -> str:
    """Who decided what, and why."""
    parts = [
        f"approved by {row.approved_by}" if row.approved_by else "",
        f"refused by {row.refused_by}" if row.refused_by else "",
        row.reason,
        f"DOUBTFUL: {row.doubt}" if row.doubt else "",
    ]
    return ": ".join(part for part in parts if part)


def log_csv(rows: Sequence[LogRow]) -> str:
    """For a spreadsheet: every field in quotes, and none that begins as a formula does."""
    names = [field.name for field in fields(LogRow)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(value) for value in asdict(row).values()])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return cell_text("; ".join(str(part) for part in value))
    return "" if value is None else cell_text(str(value))


def log_json(rows: Sequence[LogRow], about: dict[str, Any]) -> str:
    """For programs; `about` says which log this is and who vouches for it. Units are text: they exceed 2^53."""
    body = {**about, "rows": [{**asdict(row), "units": None if row.units is None else str(row.units)} for row in rows]}
    return json.dumps(body, indent=2, ensure_ascii=True) + "\n"
