"""Results as one page for people, with charts: written whole or not at all, and loading nothing when it is opened.

Charts need the optional extra `charts`. Whether it is there, and whether the file can be written, is checked before
anything is asked (`check_report`), so that nobody pays for an answer and then gets no page.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cleanroom.catalogue.catalogue import find
from cleanroom.errors import UsageError
from cleanroom.report.answer import read_answer
from cleanroom.report.finding_page import Section, finding_page
from cleanroom.report.receipt_words import shown
from cleanroom.whole_file import write_output

if TYPE_CHECKING:
    from cleanroom.client.result import Result

MISSING = "a chart needs matplotlib, which is not installed here: scripts/setup --charts, or the wheel's file[charts]"
PLAIN = "a chart belongs to a question of the catalogue; ask it by its name, such as room.ask('profile', …)"


def check_charts() -> None:
    """Raises UsageError that says what to install."""
    try:
        import matplotlib  # noqa: F401 # only whether it is there
    except ImportError:
        raise UsageError(MISSING) from None


def check_report(file: Path) -> None:
    """Refuse what could not be written, in one line; raises UsageError."""
    check_charts()
    folder = file.absolute().parent
    if (file.exists() and not file.is_file()) or not folder.is_dir():
        raise UsageError(f"{file} cannot be written: it is a folder or no file, or its folder does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{file} cannot be written: nobody let you write into its folder")


def write_report(file: Path, results: "Sequence[Result]", *, title: str = "") -> Path:
    """The page of these results, in their order; raises UsageError where one is no finding or there is none."""
    check_report(file)
    write_output(file, report_page(results, title=title).encode("utf-8"))
    return file


def report_page(results: "Sequence[Result]", *, title: str = "") -> str:
    """The page as text."""
    if not results:
        raise UsageError("a report is about one result or several; none was given")
    sections = tuple(_section(result, number) for number, result in enumerate(results, start=1))
    return finding_page(title or _title(sections), sections)


def _section(result: "Result", number: int) -> Section:
    if result.finding is None:
        raise UsageError(PLAIN)
    check_charts()
    from cleanroom.charts.chart import chart
    from cleanroom.charts.drawing import element

    finding = result.finding
    return Section(
        finding=finding,
        says=f"{finding.entry}, version {finding.version}: {find(finding.entry).says}",
        parameters=result.parameters,
        answers=tuple(read_answer(answer) for answer in result.answers),
        analysts=tuple(str(answer["question"].get("analyst", "")) for answer in result.answers),
        stored=tuple(bool(answer["stored"]) for answer in result.answers),
        receipts=tuple(
            shown(receipt, str(answer["receipt"]["policy"]))
            for receipt, answer in zip(result.receipts, result.answers, strict=True)
        ),
        spending=result.spending,
        drawing=element(chart(finding), f"chart{number}"),
    )


def _title(sections: Sequence[Section]) -> str:
    """Who asked whom."""
    askers = ", ".join(dict.fromkeys(section.finding.asker for section in sections))
    owners = ", ".join(dict.fromkeys(section.finding.owner for section in sections))
    return f"What {askers} asked about customers shared with {owners}"
