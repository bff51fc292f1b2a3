"""The sentences that a marketer can repeat: ranges instead of points, whose base a percentage uses, no false winner.

Rules kept here:

- A percentage names its base, in words and in people.
- Everything in one answer's sentences holds at once, at the answer's level (`certainty`).
- Something is called first only if its range lies above every other one. Otherwise all that may be first are named
  in the order in which the contract declares them, which says nothing about the data, as "cannot be told apart".
- Where the noise leaves nothing to say, that is what is said.
"""

from collections.abc import Sequence

from cleanroom.report.answer import Answer, Cell
from cleanroom.report.certainty import EVERYTHING, Range, base_range, leaders, number_ranges, share_ranges
from cleanroom.report.wording import Wording


def sentences(answer: Answer, wording: Wording | None = None) -> tuple[str, ...]:
    """What the answer says, in a few sentences; the first is the headline."""
    words = wording if wording is not None else Wording()
    if answer.quantity == "count":
        return _count(answer, words)
    if answer.quantity == "sum":
        return _sum(answer, words)
    return tuple(_spread(answer, group, _members(answer, group[0], words), words) for group in answer.groups())


def caption(answer: Answer) -> str:
    """One line on how sure all of this is and what it cost."""
    cost = "; ".join(
        f"cost {line.consumer} epsilon {line.epsilon:g} of its budget at {line.party}" for line in answer.spent
    )
    return (
        f"The statements on this question hold together with probability {float(answer.level):.0%} or more over the"
        f" noise that {answer.owner} added; they say nothing about people missing from either table."
        f" {cost[:1].upper()}{cost[1:]}{f' (delta {answer.delta:g})' if answer.delta else ''}."
    )


def name(cell: Cell) -> str:
    """A cell's name in a table: the asker's value, the owner's, or both."""
    return " × ".join(text for text in (cell.by, cell.of) if text is not None) or "all"


def _count(answer: Answer, words: Wording) -> tuple[str, ...]:
    everybody = base_range(answer, answer.cells) if len(answer.cells) > 1 else number_ranges(answer)[0]
    headline = f"{answer.asker} shares {_between(everybody)} customers with {answer.owner}."
    if answer.by is None:
        return (headline,)
    phrases = [_member(answer, cell, words) for cell in answer.cells]
    return (headline, _of_base("them", share_ranges(answer, answer.cells), answer.cells, phrases))


def _sum(answer: Answer, words: Wording) -> tuple[str, ...]:
    ranges = number_ranges(answer)
    what = f"{answer.column} at {answer.owner}"
    headline = tuple(
        f"The customers that {_members(answer, cell, words)} have {_between(range_)} {answer.unit} of {what}."
        for cell, range_ in zip(answer.cells, ranges, strict=True)
    )
    if len(ranges) == 1:
        return headline
    first = leaders(ranges)
    groups = [cell.by or "all" for cell in answer.cells]
    if len(first) == 1:
        return (*headline, f"{groups[first[0]]} has the largest total {what}.")
    tied = _listed([groups[place] for place in first])
    return (*headline, f"Which group has the largest total {what} is not known: {tied} cannot be told apart.")


def _spread(answer: Answer, group: Sequence[Cell], members: str, words: Wording) -> str:
    phrases = [words.preference.format(of=cell.of, column=answer.column, owner=answer.owner) for cell in group]
    people = _between(base_range(answer, group))
    return _of_base(f"the {people} customers that {members}", share_ranges(answer, group), group, phrases)


def _of_base(base: str, shares: Sequence[Range], cells: Sequence[Cell], phrases: Sequence[str]) -> str:
    """Who leads within one base, or who cannot be told apart, and the others' shares."""
    if all(share == EVERYTHING for share in shares) and len(shares) > 1:
        return f"Of {base}, nothing can be said about shares: the noise is as large as the group."
    first = leaders(shares)
    short = [cell.of if cell.of is not None else cell.by or "all" for cell in cells]
    others = [f"{short[place]} {_percent(shares[place])}" for place in range(len(cells)) if place not in first]
    if len(first) == 1:
        line = f"{_between_percent(shares[first[0]])} of {base} {phrases[first[0]]}"
        line += ", more than any other" if others else ""
    else:
        tied = _listed([f"{short[place]} ({_percent(shares[place])})" for place in first])
        line = f"Of {base}, the largest part is not known: {tied} cannot be told apart"
    return f"{line}; {'further' if len(first) > 1 else 'the others'}: {', '.join(others)}." if others else f"{line}."


def _members(answer: Answer, cell: Cell, words: Wording) -> str:
    shared = f"{answer.asker} shares with {answer.owner}"
    return shared if answer.by is None else f"{shared} and that {_member(answer, cell, words)}"


def _member(answer: Answer, cell: Cell, words: Wording) -> str:
    return words.member.format(by=cell.by, by_column=answer.by, asker=answer.asker)


def _between(range_: Range) -> str:
    if range_.low == range_.high:
        return f"{range_.low:,}"
    return f"{range_.low:,} to {range_.high:,}"


def _between_percent(range_: Range) -> str:
    return f"{range_.low}%" if range_.low == range_.high else f"Between {range_.low}% and {range_.high}%"


def _percent(range_: Range) -> str:
    return f"{range_.low}%" if range_.low == range_.high else f"{range_.low}% to {range_.high}%"


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
