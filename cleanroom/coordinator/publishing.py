"""When the log publishes a new head: so that cosigners sign the same sizes, and nobody waits for who has gone.

A new head is due when nobody has taken the last one yet, or everybody who took it has answered, or two seconds have
passed since it was published. Without the second rule one cosigner would sign one size and the next another, and no
head would have two signatures; without the third a cosigner that died would hold up the room.
"""

LONGEST_WAIT_S = 2.0


class PublishingRule:
    """Who has taken the newest head and who has answered. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._published_s = 0.0
        self._taken: set[str] = set()
        self._answered: set[str] = set()

    def published(self, now_s: float) -> None:
        """A new head was published; what was said about older ones counts no more."""
        self._published_s = now_s
        self._taken.clear()
        self._answered.clear()

    def took(self, cosigner: str) -> None:
        """The newest head was handed to this cosigner."""
        self._taken.add(cosigner)

    def answered(self, cosigner: str) -> None:
        """This cosigner signed the newest head or refused it."""
        self._answered.add(cosigner)

    def wait_s(self, now_s: float) -> float:
        """How long until a new head is due at the latest; 0 when it is due."""
        if self._taken <= self._answered:
            return 0.0
        return max(0.0, self._published_s + LONGEST_WAIT_S - now_s)
