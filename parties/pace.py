"""When a release may leave: at ticks that public numbers fix, and not when its work happened to be done.

Drawing a larger number takes a little longer, so the moment at which a release is ready would say something about its
noise. From the start of the draw to the next step a whole number of ticks passes. The tick depends on the number of
cells, which stands in the plan, and on nothing else: the time of a draw does not depend on the scale. In the same way
adding up takes longer over more people, so from the start of the sums to the draw a whole number of other ticks passes,
each long enough for a table as large as the declared capacity, or for every word of every slot of a match.

Measured on one core (opendp 0.16, scales 1 to 2^40, the usual over 200 draws): 9 to 14 µs a number and 0.11 ms for
each draw, 6.6 ms at worst. A tick is 50 µs a number and 10 ms, so that a machine several times slower, or a moment's
pause, still ends within the first. A draw that takes longer waits for a later tick: what is then seen is how many.
Sums over a table take 0.05 µs a person, masking 0.11 µs a word of a slot: a tick is 0.2 µs of either.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

TICK_S = 0.010
TICK_S_PER_CELL = 0.000_050
TICK_S_PER_NUMBER = 0.000_000_2


def tick_s(cells: int) -> float:
    """Seconds from one moment at which a release of so many cells may leave to the next."""
    return TICK_S + TICK_S_PER_CELL * cells


def sums_tick_s(numbers: int) -> float:
    """Seconds from one moment at which sums over so many numbers may be gone on with to the next."""
    return TICK_S + TICK_S_PER_NUMBER * numbers


@dataclass(frozen=True, slots=True)
class Pace:
    """A clock that only goes forwards, in seconds, and a way to let time pass; tests give their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait_until_tick(self, *, since: float, tick: float) -> None:
        """Return at the next whole number of ticks, of so many seconds, after `since` (a reading of `now`)."""
        due = since + tick * max(1, math.ceil((self.now() - since) / tick))
        while (left := due - self.now()) > 0:
            self.sleep(left)


WALL_CLOCK = Pace()
