"""What a question would cost and how exact it would be, as the own node said without asking anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from cleanroom.client.sheet import in_notebook
from cleanroom.errors import RefusedError
from cleanroom.report.forecast import together_lines


@dataclass(frozen=True, slots=True, repr=False)
class Forecast:
    """A dry run. `raw` is its JSON; `refusal` what the owner would say, None where it would answer."""

    raw: Mapping[str, Any]

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        return tuple(together_lines(self.raw))

    @property
    def epsilon(self) -> float:
        """What would be charged, as epsilon; 0 where everything is stored."""
        return float(self.raw["cost"]["epsilon"])

    @property
    def stored(self) -> bool:
        """Whether all of it was answered before, so that asking costs nothing."""
        return bool(self.raw["stored"])

    @property
    def refusal(self) -> RefusedError | None:
        """The rule that says no."""
        refusal = self.raw["refusal"]
        return None if refusal is None else RefusedError(**refusal)

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        return in_notebook(f'<pre style="white-space: pre-wrap">{escape(repr(self))}</pre>')
