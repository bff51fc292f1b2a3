"""What the entries' sentences and tables have in common: labels, bases, and what no number here says."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from cleanroom.question.columns import Measure
from cleanroom.report.answer import Answer, Cell
from cleanroom.report.sentence import with_noise


def label(column: str | None, party: str) -> str:
    """A column of the result table: two parties may each have a column of one name."""
    return f"{column} ({party})"


def shared(answer: Answer) -> str:
    """The base of most percentages."""
    return f"customers that {answer.asker} shares with {answer.owner}"


def named(cell: str | None) -> str:
    """A declared value; where nobody was split, everybody."""
    return cell if cell is not None else "all"


def few(answer: Answer, cells: Sequence[Cell]) -> bool:
    """Whether these cells together are fewer people than the contract shows as a number."""
    return bool(answer.threshold) and sum(cell.value for cell in cells) < answer.threshold


def not_covered(answer: Answer) -> tuple[str, ...]:
    """What holds of every count over a match."""
    return (
        f"People who are missing from the table of {answer.asker} or {answer.owner}, or are in them under different"
        " identifiers, are not counted as shared.",
        "The intervals are about the noise alone: the numbers describe these customers and are no sample of others.",
        *with_noise(answer.threshold),
    )


def on_a_grid(measures: Iterable[Measure]) -> tuple[str, ...]:
    """What rounding each person's amount leaves out; nothing where every amount lies on the agreed steps anyway."""
    coarse = [each for each in measures if Decimal(1).scaleb(-each.decimals) % each.step]
    if not coarse:
        return ()
    steps = " or ".join(dict.fromkeys(f"{each.step.normalize():f}" for each in coarse))
    return (
        f"Amounts between the agreed steps: each person's is rounded to a multiple of {steps} {coarse[0].unit} before"
        " it is added up.",
    )
