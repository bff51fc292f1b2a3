"""The measurement as Markdown, ready for the README."""

from tests.bench.companies import ASKER, BY, DECLARED, OF, OWNER
from tests.bench.machine import machine_line, versions_line
from tests.bench.run import Measured

_MIB = 1 << 20
_RATES = (
    ("hash_and_mask", "identifiers hashed to the curve and masked"),
    ("mask_and_tag", "points of the peer checked, masked and tagged"),
    ("transfers_asker", "oblivious transfers, asker: matrix, answer to the check, siblings"),
    ("transfers_owner", "oblivious transfers, owner: check, trees, corrections"),
    ("rows_masked", f"rows masked by the owner ({DECLARED + 1} words of 24 bits, 16 leaves)"),
    ("rows_opened", "the same rows opened by the asker"),
)


def markdown(measured: Measured) -> str:
    """Machine, steps, memory and rates."""
    return "\n".join([*_heading(measured), "", *_steps(measured), "", *_memory(measured), "", *_kernel(measured)])


def _heading(measured: Measured) -> list[str]:
    companies = measured.companies
    return [
        f"Two companies of {measured.people:,} people ({companies.order_lines:,} order lines in all, half of the people"
        f" shared), capacity {companies.capacity:,} each; `{ASKER}` asks `{OWNER}` for `{BY}` × `{OF}`,"
        f" {DECLARED} declared values and `other` on either side, {measured.cells} cells, epsilon {measured.epsilon}."
        f" The 95% intervals of {measured.cells_holding_the_truth} of {measured.cells} cells hold the truth.",
        "",
        f"Machine: {machine_line()}. All processes share it.  ",
        f"Versions: {versions_line()}.",
    ]


def _steps(measured: Measured) -> list[str]:
    lines = [
        f"| step | wall, s | `{ASKER}` works, s | `{OWNER}` works, s | `{ASKER}` sends, MiB | `{OWNER}` sends, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        f"| keys, certificates, contract (once) | {measured.enrol_s:.2f} | | | | |",
        f"| start three processes, import tables | {measured.start_s:.2f} | {measured.import_s[ASKER]:.2f}"
        f" | {measured.import_s[OWNER]:.2f} | | |",
    ]
    lines += [
        f"| {step.name} | {step.wall_s:.2f} | {step.asker_s:.2f} | {step.owner_s:.2f}"
        f" | {_mebibytes(step.asker_bytes)} | {_mebibytes(step.owner_bytes)} |"
        for step in measured.steps
    ]
    steps = measured.steps
    lines.append(
        f"| **match, set-up and answer** | **{measured.total_s:.2f}** | {sum(step.asker_s for step in steps):.2f}"
        f" | {sum(step.owner_s for step in steps):.2f} | {_mebibytes(sum(step.asker_bytes for step in steps))}"
        f" | {_mebibytes(sum(step.owner_bytes for step in steps))} |"
    )
    lines.append(f"| the same question again (stored answer) | {measured.repeat_s:.2f} | | | | |")
    return lines


def _mebibytes(size: int) -> str:
    if size == 0:
        return ""
    return f"{size / _MIB:.2f}" if size >= _MIB // 100 else "< 0.01"


def _memory(measured: Measured) -> list[str]:
    return [
        "| process | peak memory, MiB |",
        "| --- | ---: |",
        *(f"| {name} | {size / _MIB:.0f} |" for name, size in measured.memory.items()),
    ]


def _kernel(measured: Measured) -> list[str]:
    return [
        "| on one core | a second |",
        "| --- | ---: |",
        *(f"| {text} | {_rounded(measured.rates[name])} |" for name, text in _RATES),
        f"| entries appended to the log, each on disk before the next | {_rounded(measured.rates['log_entries'])} |",
        "| the same while heads are published and the folder is exported"
        f" | {_rounded(measured.rates['log_entries_exported'])} |",
    ]


def _rounded(rate: float) -> str:
    digits = max(len(str(int(rate))) - 3, 0)
    return f"{round(rate, -digits):,.0f}"
