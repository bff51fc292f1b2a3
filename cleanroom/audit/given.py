"""What an auditor was given beside the log, and what follows from it: agreements, keys, a policy, heads kept elsewhere.

An agreement is signed by every party, so it says by itself whose signatures the log needs. A room that changed its
terms has several; the last one given is the one in force, and nothing that stands in the log chooses another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanroom.errors import CleanroomError, UsageError
from cleanroom.querylog.log_policy import log_key, log_policy
from cleanroom.question.agreement import in_force
from cleanroom.question.contract import Contract
from cleanroom.transparency.note_key import NoteKey, parse_vkey
from cleanroom.transparency.policy import NOBODY, Policy
from cleanroom.transparency.policy_file import parse_policy
from cleanroom.transparency.proof_file import FIRST_LINE, parse_proof
from cleanroom.whole_file import read_input

_AGE = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Terms:
    """Contracts of signed agreements by hash (hex), at least one, in the order in which they were given."""

    contracts: dict[str, Contract]

    @property
    def in_force(self) -> Contract:
        """The last one."""
        return list(self.contracts.values())[-1]

    @property
    def policy(self) -> Policy:
        """Whose signatures the log needs: any two parties and every required auditor."""
        return log_policy(self.in_force)

    @property
    def former_keys(self) -> tuple[NoteKey, ...]:
        """Keys that the same log had under the agreements before, for heads that were kept then."""
        present = log_key(self.in_force)
        keys = dict.fromkeys(log_key(contract) for contract in self.contracts.values())
        return tuple(key for key in keys if key.name == present.name and key != present)


def read_terms(paths: Sequence[Path]) -> Terms:
    """The agreements in these files, complete and of one room; raises UsageError naming the file."""
    contracts: dict[str, Contract] = {}
    for path in paths:
        try:
            agreement = in_force(read_input(path))
        except CleanroomError as error:
            raise UsageError(f"{path}: {error}") from error
        contracts.pop(agreement.hash, None)
        contracts[agreement.hash] = agreement.contract
        if len({contract.room for contract in contracts.values()}) > 1:
            raise UsageError(f"{path} is the agreement of another room than the one before")
    return Terms(contracts)


def read_policy(path: Path | None, vkeys: Sequence[str]) -> Policy:
    """A policy file, its log's key read out to the auditor as well if that is given; or the log's word alone."""
    if path is None:
        return Policy(tuple(parse_vkey(vkey) for vkey in vkeys), {}, NOBODY)
    try:
        policy = parse_policy(read_input(path))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    if not vkeys:
        return policy
    keys = tuple(parse_vkey(vkey) for vkey in vkeys)
    if not set(keys) <= set(policy.log_keys):
        raise UsageError(f"{path} names another key of the log than --vkey; trust neither before you have asked")
    return Policy(keys, policy.cosigners, policy.quorum)


def read_kept(paths: Sequence[Path]) -> dict[str, bytes]:
    """Heads of the log from elsewhere by file name: a checkpoint, or the one in a receipt that a party was given."""
    heads: dict[str, bytes] = {}
    for path in paths:
        data = read_input(path)
        if data.startswith(FIRST_LINE.encode("ascii")):
            try:
                data = parse_proof(data).checkpoint
            except CleanroomError as error:
                raise UsageError(f"{path}: {error}") from error
        heads[str(path)] = data
    return heads


def age_seconds(text: str) -> int:
    """90s, 15m, 12h or 7d; raises UsageError."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError("--max-age is a number and a unit: 90s, 15m, 12h or 7d")
    return int(found[1]) * _SECONDS[found[2]]
