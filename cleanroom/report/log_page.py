"""A room's history as one page that loads nothing: a timeline, each dataset's budget, and every record.

The page is a tree of elements, so text can only ever be text: the writer escapes it, and nothing from the log becomes
a tag, an attribute's name, a style or an address. A policy inside the page forbids scripts and everything from outside
as well. Readable in grey and on paper.
"""

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from cleanroom.privacy.accountant import UNITS
from cleanroom.querylog.recount import Account, Recount
from cleanroom.question.contract import Contract
from cleanroom.report.log_drawing import LEGEND, TimeAxis, burn_down, mark, moment, swatch, timeline, together
from cleanroom.report.log_rows import LogRow, epsilon_of
from cleanroom.report.log_table import cost_text, entries_text, outcome_text, when_text, why_text
from cleanroom.report.visible import visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, 'DejaVu Sans', sans-serif; color: #1b1b1b; background: #fff; max-width: 1100px;
  margin: 2rem auto; padding: 0 1.5rem }
h1 { font-size: 1.6rem; margin: 0 0 .2rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem } p { margin: .3rem 0 }
.vouched { border-left: 4px solid #1b1b1b; padding: .3rem .9rem; margin: 1rem 0; background: #f4f4f4;
  overflow-wrap: anywhere } .bad { border-left-width: 10px }
.vouched p, .note { font-size: .9rem } .note { color: #444 }
table { border-collapse: collapse; width: 100%; font-size: .85rem } caption { text-align: left; color: #444 }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #ccc;
  overflow-wrap: anywhere; min-width: 5.2rem } thead th { border-bottom: 2px solid #1b1b1b }
.number { text-align: right !important } td.narrow { white-space: nowrap } td.what { min-width: 8rem }
tr.refused td, tr.voided td { color: #555 }
tr.doubtful td { border-left: 4px solid #1b1b1b; padding-left: .5rem }
.wide { overflow-x: auto }
svg.drawing { width: 100%; height: auto; display: block; margin: .4rem 0 } svg text { font-size: 12px; fill: #1b1b1b }
svg .tick { fill: #555; font-size: 11px } .grid { stroke: #ddd } .lane { stroke: #999 }
.mark .stroke { stroke: #9c2f00; stroke-width: 2.2 } .mark.asked .stroke, .mark.approved .stroke { stroke: #555 }
.filled { fill: #0b5cab } .hollow { fill: #fff; stroke: #0b5cab; stroke-width: 1.8 } .half { fill: #fff;
  stroke: #0b5cab; stroke-width: 1.8 } .other path { fill: #1b1b1b }
.burn { fill: none; stroke-width: 2 } .burn0 { stroke: #0b5cab } .burn1 { stroke: #9c2f00; stroke-dasharray: 8 4 }
.burn2 { stroke: #2f6b2f; stroke-dasharray: 2 3 } .burn3 { stroke: #6a3d9a; stroke-dasharray: 10 3 2 3 }
.burnall { stroke: #1b1b1b; stroke-width: 4; opacity: .35 }
ul.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .2rem 0;
  font-size: .85rem } ul.legend svg { width: 16px; height: 14px; vertical-align: -2px; margin-right: .3rem }
@media print { body { margin: 0; max-width: none; font-size: 10pt } h2, tr, svg { break-inside: avoid }
  .wide { overflow: visible } @page { size: A4 landscape; margin: 12mm } }
"""
_NOT_PROVEN = (
    "The log shows what was stated, in which order, and that nothing was changed or taken out since it was cosigned. It"
    " does not prove that noise was honestly drawn, that a company's table was true, or anything at all if the"
    " coordinator and every cosigner lied together. Times are each party's own word. Budgets are those of this log: a"
    " lineage may be asked about in other rooms as well."
)


def log_page(
    rows: Sequence[LogRow],
    counted: Recount,
    terms: Mapping[str, Contract],
    vouched: Sequence[str],
    *,
    dataset: str = "",
) -> str:
    """The page; `vouched` says which log this is and who signed it, line by line. Budgets of one dataset, or of all."""
    contract = list(terms.values())[-1] if terms else None
    title = f"Room {contract.room}: what was asked" if contract is not None else "A room's log: what was asked"
    page = Element("html", {"lang": "en"})
    head = SubElement(page, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "title").text = visible(title)
    SubElement(head, "style").text = _STYLE
    body = SubElement(page, "body")
    SubElement(body, "h1").text = visible(title)
    if contract is not None:
        _paragraph(body, f"Purpose: {contract.purpose}")
    _vouched(body, vouched, counted if terms else None)
    axis = TimeAxis.of(at for text in _times(rows, counted) if (at := moment(text)) is not None)
    _timeline(body, rows, axis)
    for accounts in _by_lineage([one for one in counted.accounts if dataset in ("", one.lineage)]):
        _dataset(body, accounts, axis)
    _records(body, rows)
    SubElement(body, "h2").text = "What this does not prove"
    _paragraph(body, _NOT_PROVEN, "note")
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _paragraph(parent: Element, text: str, kind: str = "") -> None:
    SubElement(parent, "p", {"class": kind} if kind else {}).text = visible(text)


def _vouched(body: Element, vouched: Sequence[str], counted: Recount | None) -> None:
    wrong = counted.deviations if counted is not None else ()
    box = SubElement(body, "div", {"class": "vouched bad" if wrong or counted is None else "vouched"})
    for line in vouched:
        _paragraph(box, line)
    if counted is None:
        return
    if not wrong:
        _paragraph(box, "Every price and budget was added up again from the entries and fits the agreements.")
    for deviation in wrong[:50]:
        _paragraph(box, f"DEVIATION {deviation.line()}")
    if len(wrong) > 50:
        _paragraph(box, f"… and {len(wrong) - 50} deviations more; `cleanroom audit replay` names them all")


def _times(rows: Sequence[LogRow], counted: Recount) -> Iterator[str]:
    """Every drawing has the same moments from left to right."""
    yield from (row.at for row in rows)
    yield from (one.at for account in counted.accounts for one in account.moments)


def _timeline(body: Element, rows: Sequence[LogRow], axis: TimeAxis) -> None:
    SubElement(body, "h2").text = "What happened when"
    if not rows:
        _paragraph(body, "Nothing.")
        return
    body.append(timeline(rows, axis))
    legend = SubElement(body, "ul", {"class": "legend"})
    for shape, words in LEGEND:
        item = SubElement(legend, "li")
        drawing = SubElement(item, "svg", {"viewBox": "0 0 16 14"})
        mark(drawing, shape, 8, 7)
        drawing.tail = words
    times = sorted(row.at for row in rows if moment(row.at) is not None)
    if times:
        _paragraph(body, f"From {times[0]} to {times[-1]}; times are UTC, as each party stated them.", "note")


def _by_lineage(accounts: Sequence[Account]) -> list[list[Account]]:
    found: dict[tuple[str, str], list[Account]] = {}
    for account in accounts:
        found.setdefault((account.owner, account.lineage), []).append(account)
    return list(found.values())


def _dataset(body: Element, accounts: Sequence[Account], axis: TimeAxis) -> None:
    one, title = accounts[0], f"Budget of “{accounts[0].lineage}”, people of {accounts[0].owner}"
    SubElement(body, "h2").text = visible(title)
    body.append(burn_down(accounts, axis, title))
    rows = SubElement(body, "table")
    _heads(rows, ("", "consumer", "spent", "of", "questions", "of them voided", "matches"))
    lines = SubElement(rows, "tbody")
    capped = [account for account in accounts if account.cap]
    for account in accounts:
        kind = f"burn{capped.index(account) % 4}" if account in capped else ""
        _account_row(lines, kind, account.consumer, account, account.spent, account.cap)
    if len(accounts) > 1 or one.lineage_cap != one.cap:
        spent = together(accounts)[-1].spent
        _account_row(lines, "burnall", "all together", one, spent, one.lineage_cap, accounts)


def _account_row(
    parent: Element, kind: str, name: str, one: Account, spent: int, cap: int | None, of: Sequence[Account] = ()
) -> None:
    row, counted = SubElement(parent, "tr"), of or (one,)
    sign = SubElement(row, "td", {"class": "narrow"})
    if kind:
        sign.append(swatch(kind))
    SubElement(row, "td").text = visible(name)
    for text in (
        _amount(spent, one.accountant),
        _amount(cap, one.accountant) if cap is not None else "no agreement given",
        str(sum(account.questions for account in counted)),
        str(sum(account.voided for account in counted)),
        str(sum(account.matches for account in counted)),
    ):
        SubElement(row, "td").text = text


def _amount(units: int, name: str) -> str:
    """As epsilon; what adds up are the units, which are rho in a room of that accountant."""
    epsilon = epsilon_of(units, name)
    if epsilon is None:
        return f"{units} units"
    return f"ε {epsilon:g}" + (f" ({units / UNITS:.4g} rho)" if name == "zcdp" else "")


def _heads(table: Element, names: Sequence[str]) -> None:
    row = SubElement(SubElement(table, "thead"), "tr")
    for name in names:
        SubElement(row, "th", {"scope": "col", "class": "number" if name == "cost" else ""}).text = name


def _records(body: Element, rows: Sequence[LogRow]) -> None:
    SubElement(body, "h2").text = f"Records ({len(rows)})"
    wide = SubElement(body, "div", {"class": "wide"})
    table = SubElement(wide, "table")
    _heads(table, ("entries", "when (UTC)", "what", "who", "about", "what was asked", "cost", "decided by, and why"))
    lines = SubElement(table, "tbody")
    for row in rows:
        kinds = [row.outcome] if row.outcome in ("refused", "voided") else []
        line = SubElement(lines, "tr", {"class": " ".join([*kinds, *(["doubtful"] if row.doubt else [])])})
        who = f"{row.by} ({row.analyst})" if row.analyst else row.by
        about = f"{row.about} ({', '.join(row.datasets)})" if row.datasets else row.about
        for kind, text in (
            ("narrow", entries_text(row)), ("narrow", when_text(row)), ("what", outcome_text(row)), ("", who),
            ("", about), ("", row.says), ("number", cost_text(row)), ("", why_text(row)),
        ):  # fmt: skip
            SubElement(line, "td", {"class": kind} if kind else {}).text = visible(text)
