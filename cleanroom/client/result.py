"""What came back: sentences first, then the numbers with their intervals, what it cost, and the proof of it.

Nothing here exists before the receipt of every answer was checked. `answers` are the nodes' own words, as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanroom.catalogue.entry import Request
from cleanroom.catalogue.finding import Finding
from cleanroom.client.export import write_exports
from cleanroom.client.report_file import PLAIN, check_charts, write_report
from cleanroom.client.result_sheet import answer_sheet, finding_sheet
from cleanroom.client.sheet import Sheet, html_table, in_notebook, printed
from cleanroom.errors import UsageError
from cleanroom.querylog.receipt import Receipt
from cleanroom.report import finding_table
from cleanroom.report.answer import read_answer
from cleanroom.report.sentence import caption, sentences
from cleanroom.report.table import answer_table, headers, rows

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from matplotlib.figure import Figure
    from rich.table import Table

_UNSAID = "What the numbers do not say:"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Result:
    """An answered question. `finding` and `asked` are None for a plain question, which has one answer.

    `cost` is what the plans that were not stored cost together, None where that was not said before they were asked.
    """

    answers: tuple[Mapping[str, Any], ...]
    receipts: tuple[Receipt, ...]
    finding: Finding | None = None
    cost: Mapping[str, Any] | None = None
    asked: Request | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it says, in plain language; the first is the answer."""
        return self.finding.sentences if self.finding is not None else sentences(read_answer(self.answers[0]))

    @property
    def stored(self) -> bool:
        """Whether all of it was answered before, so that this call has spent nothing."""
        return all(answer["stored"] for answer in self.answers)

    @property
    def spent(self) -> tuple[Mapping[str, Any], ...]:
        """What this call charged, plan by plan; in a room that counts rho it is rho that adds up, not epsilon."""
        return tuple(line for answer in self.answers if not answer["stored"] for line in answer["spent"])

    @property
    def sheet(self) -> Sheet:
        """The numbers, a row each."""
        if self.finding is not None:
            return finding_sheet(self.finding)
        return answer_sheet(read_answer(self.answers[0]))

    def to_arrow(self) -> "pyarrow.Table":
        """The numbers as an Arrow table; `low` and `high` are the interval."""
        return self.sheet.to_arrow()

    def to_pandas(self) -> "pandas.DataFrame":
        """The numbers as a data frame; `low` and `high` are the interval. Raises UsageError without pandas."""
        return self.sheet.to_pandas()

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        if self.finding is None:
            return dict(self.answers[0])
        return {**finding_table.finding_body(self.finding), "stored": self.stored, "answers": list(self.answers)}

    @property
    def files(self) -> Mapping[str, Any]:
        """What is exported for other programs: name and JSON value; empty where the question exports nothing."""
        return dict(self.finding.files) if self.finding is not None else {}

    def write_files(self, folder: str | Path) -> tuple[Path, ...]:
        """Write `files` as JSON and Parquet; raises UsageError where there are none."""
        return write_exports(self.files, Path(folder))

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """What was asked for, by the entry's names; nothing of a plain question."""
        values = self.asked.values if self.asked is not None else {}
        given = ((name, value if isinstance(value, str) else ", ".join(value)) for name, value in values.items())
        return tuple((name, text) for name, text in given if text)

    def plot(self) -> "Figure":
        """The chart, as a matplotlib figure; raises UsageError that says what to install."""
        check_charts()
        from cleanroom.charts.chart import chart

        if self.finding is None:
            raise UsageError(PLAIN)
        return chart(self.finding)

    def report(self, file: str | Path) -> Path:
        """Write one page with answer, chart, table, cost and receipt, which loads nothing; raises UsageError."""
        return write_report(Path(file), [self])

    def table(self) -> "Table":
        """For the terminal."""
        if self.finding is not None:
            return finding_table.finding_table(self.finding)
        return answer_table(read_answer(self.answers[0]))

    def notes(self) -> tuple[str, ...]:
        """Of whom the numbers are, how sure all of it is, what it does not say, and what this call has spent."""
        if self.finding is None:
            said: tuple[str, ...] = (caption(read_answer(self.answers[0])),)
        else:
            unsaid = (_UNSAID, *(f"- {text}" for text in self.finding.not_covered)) if self.finding.not_covered else ()
            base = (f"Base: {self.finding.base}.",) if self.finding.base else ()
            said = (*base, finding_table.caption(self.finding), *finding_table.apart(self.finding), *unsaid)
        return (*said, *self.spending)

    @property
    def spending(self) -> tuple[str, ...]:
        """What this call has cost, in words."""
        if self.stored:
            return ("This is the stored answer of a question asked before: nothing new was spent.",)
        if self.finding is None:
            return ()
        cost = self.cost
        if cost is None:
            return ("What this call has spent is in `spent`, plan by plan.",)
        reading = [f"delta {cost['delta']:g}"] if cost["delta"] else []
        reading += [f"rho {cost['rho']}"] if cost["rho"] else []
        read_as = f" ({', '.join(reading)})" if reading else ""
        of = f" for {len(self.answers)} plans" if len(self.answers) > 1 else ""
        return (
            f"This cost {cost['consumer']} epsilon {cost['epsilon']:g}{read_as} of its budget at {cost['party']}{of}.",
        )

    def __repr__(self) -> str:
        return printed(*self.sentences, self.table(), *self.notes())

    def _repr_html_(self) -> str:
        if self.finding is not None:
            heads, lines = finding_table.finding_heads(self.finding), finding_table.finding_texts(self.finding)
            grey = frozenset(place for place, row in enumerate(self.finding.rows) if not row.differs)
        else:
            answer = read_answer(self.answers[0])
            heads, lines, grey = headers(answer), rows(answer), frozenset()
        first, *others = map(escape, self.sentences)
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes())
        more = "".join(f"<p>{sentence}</p>" for sentence in others)
        return in_notebook(f"<p><strong>{first}</strong></p>", more, html_table(heads, lines, grey=grey), notes)
