"""One line of the audit: what is claimed, what was measured, and how sure the verdict is."""

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = (
    "| claim | bound claimed | measured | samples | false alarms | verdict |\n| --- | --- | --- | ---: | ---: | --- |"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`false_alarm` is how often an honest program fails this line; 0 where nothing is drawn."""

    claim: str
    bound: str
    measured: str
    samples: str
    false_alarm: float
    passed: bool

    def line(self) -> str:
        """A row of Markdown."""
        rare = f"{self.false_alarm:.0e}" if self.false_alarm else "0"
        verdict = "holds" if self.passed else "**FAILS**"
        return f"| {self.claim} | {self.bound} | {self.measured} | {self.samples} | {rare} | {verdict} |"


def all_hold(findings: Iterable[Finding]) -> bool:
    """Whether there is a line and every one holds; looks at all of them."""
    verdicts = [finding.passed for finding in findings]
    return bool(verdicts) and all(verdicts)
