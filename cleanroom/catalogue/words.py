"""What the entries' sentences and tables have in common: labels, bases, and what no number here says."""

from cleanroom.report.answer import Answer, Cell


def label(column: str | None, party: str) -> str:
    """A column of the result table: two parties may each have a column of one name."""
    return f"{column} ({party})"


def shared(answer: Answer) -> str:
    """The base of most percentages."""
    return f"customers that {answer.asker} shares with {answer.owner}"


def named(cell: str | None) -> str:
    """A declared value; where nobody was split, everybody."""
    return cell if cell is not None else "all"


def few(answer: Answer, cells: tuple[Cell, ...]) -> bool:
    """Whether these cells together are fewer people than the contract shows as a number."""
    return bool(answer.threshold) and sum(cell.value for cell in cells) < answer.threshold


def not_covered(asker: str, owner: str) -> tuple[str, ...]:
    """What holds of every count over a match."""
    return (
        f"People who are missing from the table of {asker} or {owner}, or are in them under different identifiers, are"
        " not counted as shared.",
        "The intervals are about the noise alone: the numbers describe these customers and are no sample of others.",
    )
