"""Every way the clean room says no, as one tree.

    CleanroomError
      UsageError          the person at this keyboard can mend it: a file, a name, a number
      SourceError         the company's own table is not what the contract says
      RefusedError        a rule of the contract forbids it; carries rule, whose, what would be allowed
      PendingError        a person of another company must agree first; the question had cost nothing by then
      PeerError           another process sent something malformed, foreign, stale or forged
        CallRefused       a remote call that ends with a named reason (`cleanroom.transport.reasons`)
        AuthenticationError
        ConflictError     other bytes stand under the name that ours would have
        OutOfTurnError    well-formed, at the wrong moment; the relay's doing as easily as the sender's
      UnavailableError    another process did not answer in time; names it
        MailboxFullError  the recipient of a message does not read; everybody else is as reachable as before
        UnreachableError  nobody was there to be asked, so nothing can have been done
      StateError          this node's own state forbids going on (key file readable by others, restored backup)
        ForgottenError    a peer holds our signature over what our ledger lacks (`parties.heads`)
        RolledBackError, SplitViewError, BrokenRuleError
                          a cosigner signs nothing more (`cleanroom.cosigner.stops`)

One more never leaves the module that raises it: what an owner's ledger head is disputed for (`parties.receipts`).

The text of an error is for the operator of the process it happened in. What a peer is told comes from the
table in `cleanroom.transport.status`, never from this text. No error text holds an identifier, a row, a key
or an exact count.
"""


class CleanroomError(Exception):
    """Base of every refusal; its text is one line."""


class UsageError(CleanroomError):
    """Something the user typed or a file the user wrote is wrong."""


class SourceError(CleanroomError):
    """The company's own table does not fit the contract; seen by its own operator only."""


class RefusedError(CleanroomError):
    """A rule says no. `rule` is a stable name, `owner` whose rule it is, `advice` the nearest allowed thing."""

    def __init__(self, rule: str, owner: str, explanation: str, advice: str) -> None:
        super().__init__(f"{explanation} (rule {rule} of {owner}); {advice}")
        self.rule = rule
        self.owner = owner
        self.explanation = explanation
        self.advice = advice


_LATER = "ask the same again later: once it is approved the answer is there, and is charged once"


class PendingError(CleanroomError):
    """A question waits for an approver of `owner`: nothing is wrong, and when the owner said so it had charged nothing
    for it. A match that was made for the question was counted.

    `plan` is the question's hash, `reasons` are the owner's; `advice` says what to do and is in the text only.
    """

    def __init__(self, owner: str, plan: str, reasons: tuple[str, ...], advice: str = _LATER) -> None:
        super().__init__(
            f"an approver of {owner} must agree to question {plan[:12]} first: {'; '.join(reasons)}; nothing was spent"
            f" on it; {advice}"
        )
        self.owner = owner
        self.plan = plan
        self.reasons = reasons


class PeerError(CleanroomError):
    """Another process sent bytes that this process will not act on."""


class ConflictError(PeerError):
    """The coordinator holds other bytes under this name; ours were not taken and never will be."""


class OutOfTurnError(PeerError):
    """A well-formed message at the wrong moment; a relay can cause it, so it accuses nobody."""


class AuthenticationError(PeerError):
    """The sender is not who the message says, or may not send it."""


class UnavailableError(CleanroomError):
    """Another process did not answer in time."""


class MailboxFullError(UnavailableError):
    """The coordinator holds as much for this recipient as it keeps for one sender; later it may take more."""


class UnreachableError(UnavailableError):
    """Nobody was there: no request has left, so whoever can do it elsewhere may."""


class StateError(CleanroomError):
    """This process's own state forbids going on until the operator has acted."""
