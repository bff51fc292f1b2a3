"""The sentences that a marketer can repeat: ranges instead of points, whose base a percentage uses, no false winner.

Rules kept here:

- A percentage names its base, in words and in people.
- Everything in one answer's sentences holds at once, at the answer's level (`certainty`).
- Something is called first only if its range lies above every other one. Otherwise all that may be first are named
  in the order in which the contract declares them, which says nothing about the data, as "cannot be told apart".
- `other` is never ranked: how large it is depends on what the contract names. Who is first among the named values is
  "more than any other" only if it is also above `other`.
- A number of people under the contract's display threshold is said as such. No interval goes with that, and no level:
  the noisy number is under it, the true one may not be, and the caption says so.
- A mean or a quantile is said as its interval, each for itself and marked with its level; they are not compared.
- Where the noise leaves nothing to say, that is what is said.
"""

from collections.abc import Sequence
from fractions import Fraction

from cleanroom.answer.number import percent
from cleanroom.question.columns import OTHER
from cleanroom.report.answer import Answer, Cell, Estimate
from cleanroom.report.certainty import EVERYTHING, Range, base_range, leaders, number_ranges, share_ranges
from cleanroom.report.figure import enumerated, show_range, spanned
from cleanroom.report.wording import Wording

_PARTS = {Fraction(1, 4): "a quarter", Fraction(1, 2): "half", Fraction(3, 4): "three quarters"}


def sentences(answer: Answer, wording: Wording | None = None) -> tuple[str, ...]:
    """What the answer says, in a few sentences; the first is the headline."""
    words = wording if wording is not None else Wording()
    if answer.quantity == "count":
        return _count(answer, words)
    if answer.quantity == "sum":
        return _sum(answer, words)
    if answer.quantity == "mean":
        return tuple(_mean(answer, estimate, words) for estimate in answer.estimates)
    if answer.quantity == "quantile":
        return tuple(_quantiles(answer, group, words) for group in answer.groups())
    if answer.top:
        return tuple(_top(answer, group, words) for group in answer.groups())
    return tuple(_spread(answer, group, _members(answer, group[0].by, words), words) for group in answer.groups())


def caption(answer: Answer) -> str:
    """One line on how sure all of this is and what it cost."""
    cost = "; ".join(
        f"cost {line.consumer} epsilon {line.epsilon:g} of its budget at {line.party}" for line in answer.spent
    )
    together = "Each interval holds for itself" if answer.estimates else "The statements on this question hold together"
    tables = "either table" if answer.base == "match" else "its table"
    return (
        f"{together} with probability {percent(answer.level)} or more over the noise that {answer.owner} added; they"
        f" say nothing about people missing from {tables}."
        f" {cost[:1].upper()}{cost[1:]}{f' (delta {answer.delta:g})' if answer.delta else ''}."
        f"{''.join(f' {line}' for line in with_noise(answer.threshold))}"
    )


def with_noise(threshold: int) -> tuple[str, ...]:
    """What being under the contract's threshold does not say; nothing where the contract has none."""
    if not threshold:
        return ()
    return (
        f"Whether a number is under {threshold} is judged with its noise: the true one may be {threshold} or more.",
    )


def _count(answer: Answer, words: Wording) -> tuple[str, ...]:
    if len(answer.cells) > 1:
        everybody = _between(base_range(answer, answer.cells))
    else:
        everybody = _under(answer) if answer.cells[0].below else _between(number_ranges(answer)[0])
    if answer.base == "match":
        headline = f"{answer.asker} shares {everybody} customers with {answer.owner}."
    else:
        headline = f"{answer.owner} has {everybody} customers."
    if answer.by is None:
        return (headline,)
    phrases = [_member(answer, cell.by, words) for cell in answer.cells]
    return (headline, _of_base(answer, "them", share_ranges(answer, answer.cells), answer.cells, phrases))


def _sum(answer: Answer, words: Wording) -> tuple[str, ...]:
    ranges = number_ranges(answer)
    what = f"{answer.column} at {answer.owner}"
    headline = tuple(
        f"The customers that {_members(answer, cell.by, words)} have {_between(range_)} {answer.unit} of {what}."
        for cell, range_ in zip(answer.cells, ranges, strict=True)
    )
    ranked = [place for place, cell in enumerate(answer.cells) if cell.by != OTHER]
    if len(ranked) < 2:
        return headline
    first = [ranked[place] for place in leaders([ranges[place] for place in ranked])]
    groups = [cell.by or "all" for cell in answer.cells]
    if len(first) == 1:
        return (*headline, f"{groups[first[0]]} has the largest total {what}.")
    tied = enumerated([groups[place] for place in first])
    return (*headline, f"Which group has the largest total {what} is not known: {tied} cannot be told apart.")


def _mean(answer: Answer, estimate: Estimate, words: Wording) -> str:
    mean = f"The mean {answer.column} at {answer.owner} of the customers that {_members(answer, estimate.by, words)}"
    if estimate.below:
        return f"{mean} is not shown: they are {_under(answer)}."
    if estimate.low is None or estimate.high is None:
        return f"{mean} cannot be told: too few people for this noise."
    low, high = show_range(estimate.low, estimate.high)
    return f"{mean} is between {low} and {high} {answer.unit} ({_level(answer)})."


def _quantiles(answer: Answer, group: Sequence[Cell], words: Wording) -> str:
    """What part of a group's people have at most how much."""
    by = group[0].by
    people = f"the customers that {_members(answer, by, words)} and that have a {answer.column} at {answer.owner}"
    if answer.threshold and sum(cell.value for cell in group) < answer.threshold:
        return f"Of {people}, nothing is shown: they are {_under(answer)}."
    parts = []
    for estimate in answer.estimates:
        if estimate.by != by or estimate.low is None or estimate.high is None or estimate.level is None:
            continue
        part = _PARTS.get(estimate.level, f"{float(100 * estimate.level):g}%")
        ends = dict.fromkeys(show_range(estimate.low, estimate.high))
        parts.append(f"{part} have at most {' to '.join(ends)} {answer.column_unit} ({_level(answer)})")
    if not parts:
        return f"Of {people}, no quantile can be told: too few people for this noise."
    return f"Of {people}, {', '.join(parts)}."


def _top(answer: Answer, group: Sequence[Cell], words: Wording) -> str:
    """Who is certainly among the largest, and who cannot be told apart for the rest."""
    of_group = [rank for rank in answer.ranking if rank.by == group[0].by]
    order = [cell.of for cell in group]
    certain, possible = (
        sorted((rank.of for rank in of_group if rank.in_top == kind), key=order.index)
        for kind in ("certainly", "possibly")
    )
    among = f"For the customers that {_members(answer, group[0].by, words)}"
    what = f"the top {answer.top} of {answer.column} at {answer.owner}"
    if not certain:
        return f"{among}, {what} cannot be told: {enumerated(possible)} cannot be told apart."
    line = f"{among}, {what} certainly {'has' if possible else 'is'} {enumerated(certain)}"
    rest = f"; for the rest, {enumerated(possible)} cannot be told apart" if possible else ""
    return f"{line}{rest}."


def _spread(answer: Answer, group: Sequence[Cell], members: str, words: Wording) -> str:
    phrases = [words.preference.format(of=cell.of, column=answer.column, owner=answer.owner) for cell in group]
    few = answer.threshold and sum(cell.value for cell in group) < answer.threshold
    people = _under(answer) if few else _between(base_range(answer, group))
    return _of_base(answer, f"the {people} customers that {members}", share_ranges(answer, group), group, phrases)


def _of_base(answer: Answer, base: str, shares: Sequence[Range], cells: Sequence[Cell], phrases: Sequence[str]) -> str:
    """Who leads within one base, or who cannot be told apart, and the others' shares."""
    if all(share == EVERYTHING for share in shares) and len(shares) > 1:
        return f"Of {base}, nothing can be said about shares: the noise is as large as the group."
    short = [cell.of if cell.of is not None else cell.by or "all" for cell in cells]
    ranked = [place for place in range(len(cells)) if short[place] != OTHER]
    first = [ranked[place] for place in leaders([shares[place] for place in ranked])]
    parts = [
        f"{of} {_under(answer) if cell.below else _percent(share)}"
        for of, cell, share in zip(short, cells, shares, strict=True)
    ]
    if all(cells[place].below for place in ranked):
        line, first, further = f"Of {base}, no value that is named reaches {answer.threshold} people", ranked, "further"
    elif len(first) == 1:
        line, further = f"{_between_percent(shares[first[0]])} of {base} {phrases[first[0]]}", "the others"
        rivals = [share for place, share in enumerate(shares) if place != first[0]]
        if rivals and all(shares[first[0]].above(share) for share in rivals):
            line += ", more than any other"
        elif len(ranked) > 1:
            line += ", more than any other value that is named"
    else:
        tied = enumerated([f"{short[place]} ({parts[place].removeprefix(short[place] + ' ')})" for place in first])
        line, further = f"Of {base}, the largest part is not known: {tied} cannot be told apart", "further"
    others = [parts[place] for place in range(len(cells)) if place not in first]
    return f"{line}; {further}: {', '.join(others)}." if others else f"{line}."


def _members(answer: Answer, by: str | None, words: Wording) -> str:
    """Whose share or mean it is: the base of every percentage."""
    match = answer.base == "match"
    people = f"{answer.asker} shares with {answer.owner}" if match else f"{answer.owner} has"
    return people if answer.by is None else f"{people} and that {_member(answer, by, words)}"


def _member(answer: Answer, by: str | None, words: Wording) -> str:
    return words.member.format(by=by, by_column=answer.by, asker=answer.splitter)


def _under(answer: Answer) -> str:
    return f"under {answer.threshold}"


def _level(answer: Answer) -> str:
    return percent(answer.level)


def _between(range_: Range) -> str:
    return spanned(range_.low, range_.high)


def _between_percent(range_: Range) -> str:
    text = spanned(range_.low, range_.high, "%")
    return text if range_.low == range_.high else f"Between {text.replace(' to ', ' and ')}"


def _percent(range_: Range) -> str:
    return spanned(range_.low, range_.high, "%")
