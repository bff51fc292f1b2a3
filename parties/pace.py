"""When a release may leave: at a tick that public numbers fix, and not when its noise happened to be drawn.

Drawing a larger number takes a little longer, so the moment at which a release is ready would say something about its
noise. From the start of the draw to the next step a whole number of ticks passes. The tick depends on the number of
cells, which stands in the plan, and on nothing else: the time of a draw does not depend on the scale.

Measured on one core (opendp 0.16, scales 1 to 2^40, the usual over 200 draws): 9 to 14 µs a number and 0.11 ms for
each draw, 6.6 ms at worst. A tick is 50 µs a number and 10 ms, so that a machine several times slower, or a moment's
pause, still ends within the first. A draw that takes longer waits for a later tick: what is then seen is how many.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

TICK_S = 0.010
TICK_S_PER_CELL = 0.000_050


def tick_s(cells: int) -> float:
    """Seconds from one moment at which a release of so many cells may leave to the next."""
    return TICK_S + TICK_S_PER_CELL * cells


@dataclass(frozen=True, slots=True)
class Pace:
    """A clock that only goes forwards, in seconds, and a way to let time pass; tests give their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait_until_tick(self, *, since: float, cells: int) -> None:
        """Return at the first tick after `since` (a reading of `now`) that is not over."""
        tick = tick_s(cells)
        due = since + tick * max(1, math.ceil((self.now() - since) / tick))
        while (left := due - self.now()) > 0:
            self.sleep(left)
