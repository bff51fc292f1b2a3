"""What ends a cosigner's work until its operator has acted; nothing is signed after any of these."""

from cleanroom.errors import StateError

REPLAY = "cleanroom party ledger replay --home FOLDER"


class RolledBackError(StateError):
    """Our own key has signed more than this state knows: it was restored from a backup, or copied to a second node."""


class SplitViewError(StateError):
    """The log signed two histories; both signed notes are kept as evidence."""


class BrokenRuleError(StateError):
    """The log signed an entry that breaks a rule of the room; its signed head is kept as evidence."""
