"""The opened numbers of an answer, named by the contract's words, and what may be read off them.

For each kind of question:

    count, histogram   a cell is a noisy number of people
    sum                a cell is in the column's unit; `released` has it in whole steps
    mean               a cell is a mean or undefined; `released` has the noisy count and the noisy centred sum
    quantile           a cell is a noisy number of people in a bin; `quantiles` are read off them
    top k              `ranking` beside a histogram's cells

Every number that the owner released is in the answer as the signed integer that it was: `value` where people are
counted, `released` elsewhere. All else is arithmetic on these and on public terms. `below_threshold` says that a noisy
number of people is under the contract's display threshold: programs that show it should say "under 20"; it is never
said of sums, and hides nothing that was not noisy already.

A cell's interval is about that cell. A ranking holds at once for all groups of an answer.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cleanroom.answer.mean import mean
from cleanroom.answer.number import json_number
from cleanroom.answer.quantile import quantile
from cleanroom.answer.top_k import top_k
from cleanroom.answer.view import View
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.interval import LEVEL
from cleanroom.privacy.law import Law
from cleanroom.question.columns import Measure
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.shape import partition_cells, quantity_cells, split_party

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """`numbers` are whole steps, groups outermost, words innermost."""

    contract: Contract
    plan: Plan
    numbers: tuple[int, ...]

    @property
    def kind(self) -> str:
        """What was asked for."""
        return self.plan.quantity.kind

    @property
    def law(self) -> Law:
        """The law of the noise."""
        return accountant(self.contract.accountant).law

    @property
    def column(self) -> Measure | None:
        """The owner's measure that the question is about, if it is about one."""
        if self.plan.quantity.role != "measure":
            return None
        return self.contract.datasets[self.plan.owner].measure(self.plan.quantity.column)

    @property
    def step(self) -> Decimal:
        """What one whole step of the first number of a group is in its unit."""
        return self._measure().step if self.kind == "sum" else Decimal(1)

    @property
    def unit(self) -> str:
        """The unit of a cell's `value`."""
        return self._measure().unit if self.kind in ("sum", "mean") else "people"

    def _measure(self) -> Measure:
        column = self.column
        if column is None:
            raise ValueError("the question is about no measure")
        return column

    def _threshold(self) -> int:
        return self.contract.datasets[self.plan.owner].display_threshold

    def more_of_the_question(self, view: View) -> Body:
        """What a kind adds to `question`: between which numbers the truth lies for certain, by public terms alone."""
        more: Body = {}
        if self._threshold() and self.kind != "sum":
            more["display_threshold"] = self._threshold()
        if view.top and self.kind == "histogram":
            more["top"] = view.top
        column = self.column
        if column is None:
            return more
        if self.kind == "quantile":
            more["column_unit"] = column.unit
        ends = (column.low, column.high)
        if self.kind == "sum":
            # Nobody adds nothing, so 0 is always among the sums.
            ends = (
                min(column.low, Decimal(0)) * self._most_people(),
                max(column.high, Decimal(0)) * self._most_people(),
            )
        return {**more, "possible": [json_number(end) for end in ends]}

    def _most_people(self) -> int:
        """No more people than either list may have can be in a cell."""
        parties = {self.plan.owner, split_party(self.plan)}
        return min(self.contract.datasets[party].capacity for party in parties)

    def groups(self) -> tuple[tuple[str | None, tuple[int, ...]], ...]:
        """Each value of the column that splits, with its numbers; raises ValueError when there are too few or many."""
        names = partition_cells(self.contract, split_party(self.plan), self.plan.by)
        words = self.plan.words
        if len(self.numbers) != len(names) * words:
            raise ValueError("an answer has one number for each group and word")
        return tuple((name, self.numbers[at * words : (at + 1) * words]) for at, name in enumerate(names))

    def cells(self) -> list[Body]:
        """The cells in contract order, the column that splits outermost."""
        if self.kind == "mean":
            return [self._mean(by, count, centred_sum) for by, (count, centred_sum) in self.groups()]
        half_width = accountant(self.contract.accountant).noise_interval(self.plan.scales[0]).half_width
        names = quantity_cells(self.contract, self.plan.owner, self.plan.quantity)
        return [
            {
                "by": by,
                "of": of,
                "value": json_number(self.step * value),
                "low": json_number(self.step * (value - half_width)),
                "high": json_number(self.step * (value + half_width)),
                **self._beside(value),
            }
            for by, values in self.groups()
            for of, value in zip(names, values, strict=True)
        ]

    def _beside(self, value: int) -> Body:
        if self.kind == "sum":
            return {"released": {"sum": value, "sum_scale": float(self.plan.scales[0]), "step": json_number(self.step)}}
        return self._below(value)

    def _below(self, people: int) -> Body:
        return {"below_threshold": people < self._threshold()} if self._threshold() else {}

    def _mean(self, by: str | None, count: int, centred_sum: int) -> Body:
        column = self._measure()
        scale_count, scale_sum = self.plan.scales
        found = mean(
            centred_sum=centred_sum,
            count=count,
            column=column,
            scale_sum=scale_sum,
            scale_count=scale_count,
            law=self.law,
        )
        defined = found.value is not None
        return {
            "by": by,
            "of": None,
            "value": json_number(found.value),
            "low": json_number(found.low) if defined else None,
            "high": json_number(found.high) if defined else None,
            "defined": defined,
            "released": {
                "count": count,
                "count_scale": float(scale_count),
                "sum": centred_sum,
                "sum_scale": float(scale_sum),
                "step": json_number(column.step),
                "middle": json_number(column.step * column.middle_units),
            },
            **self._below(count),
        }

    def read_off(self, view: View) -> Body:
        """What is read off the cells: quantiles, or a ranking if one was asked for."""
        if self.kind == "quantile":
            return {"quantiles": [self._quantile(by, of, level) for by, of in self.groups() for level in view.levels]}
        if self.kind == "histogram" and view.top:
            return {"ranking": [line for by, values in self.groups() for line in self._ranking(by, values, view.top)]}
        return {}

    def _quantile(self, by: str | None, people: tuple[int, ...], level: Fraction) -> Body:
        column = self._measure()
        found = quantile(
            people, order=level, column=column, edges=column.edges, scale=self.plan.scales[0], law=self.law
        )
        defined = found.value is not None
        return {
            "by": by,
            "level": float(level),
            "value": json_number(found.value),
            "low": json_number(found.low) if defined else None,
            "high": json_number(found.high) if defined else None,
            "defined": defined,
        }

    def _ranking(self, by: str | None, values: tuple[int, ...], top: int) -> list[Body]:
        """Those that may be first come first; ties stand in the contract's order, which says nothing about people."""
        names = [str(name) for name in quantity_cells(self.contract, self.plan.owner, self.plan.quantity)]
        at_once = 1 - (1 - LEVEL) / (len(self.numbers) // self.plan.words)
        found = top_k(names, values, k=top, scale=self.plan.scales[0], law=self.law, level=at_once)
        ranked = [cell for cell in found.cells if cell.best is not None and cell.worst is not None]
        ranked.sort(key=lambda cell: (cell.best, cell.worst, names.index(cell.name)))
        return [
            {
                "by": by,
                "of": cell.name,
                "best_rank": cell.best,
                "worst_rank": cell.worst,
                "in_top": cell.in_top,
            }
            for cell in ranked
        ]
