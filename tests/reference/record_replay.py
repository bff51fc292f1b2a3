"""Two stand-ins for `release` that hold a whole pipeline to the sensitivity it declares.

Run the pipeline once with a Recorder in the place of `release`, then on a neighbouring table with a Replayer
of that recording. The Replayer demands the same releases in the same order, no further apart than declared,
and hands out the recorded answers, so whatever the pipeline computes from them must come out equal: anything
else reached the result around the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.privacy.accountant import Accountant
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import NoiseSource, release


@dataclass(frozen=True, slots=True)
class Recorded:
    tag: str
    vector: tuple[int, ...]
    sensitivity: int
    scale: Fraction
    law: Law
    released: tuple[int, ...]


class Recorder:
    """Releases as the product does and remembers."""

    def __init__(self) -> None:
        self.records: list[Recorded] = []

    def __call__(
        self,
        vector: Sequence[int],
        *,
        sensitivity: int,
        scale: Fraction,
        accountant: Accountant,
        tag: str,
        source: NoiseSource,
    ) -> list[int]:
        released = release(vector, sensitivity=sensitivity, scale=scale, accountant=accountant, tag=tag, source=source)
        self.records.append(Recorded(tag, tuple(vector), sensitivity, scale, accountant.law, tuple(released)))
        return released


class Replayer:
    """Answers with what was recorded, if this run may have been the recorded one."""

    def __init__(self, records: Sequence[Recorded]) -> None:
        self._left = list(records)

    def __call__(
        self,
        vector: Sequence[int],
        *,
        sensitivity: int,
        scale: Fraction,
        accountant: Accountant,
        tag: str,
        source: NoiseSource,
    ) -> list[int]:
        assert self._left, f"{tag}: the neighbour releases more often"
        record = self._left.pop(0)
        assert (record.tag, len(record.vector)) == (tag, len(vector))
        assert (record.sensitivity, record.scale, record.law) == (sensitivity, scale, accountant.law)
        # The sum of all moves bounds the Euclidean distance too, so this one check serves both laws.
        moved = sum(abs(a - b) for a, b in zip(record.vector, vector, strict=True))
        assert moved <= record.sensitivity, f"{tag}: one person moves the vector too far"
        return list(record.released)

    def assert_finished(self) -> None:
        assert not self._left, f"{self._left[0].tag}: the neighbour releases less often"
