"""`cleanroom audit prove`: receipts for one question that a third party checks alone, with our tool or another one."""

import re
from pathlib import Path

import click

from cleanroom.audit.checked import verified
from cleanroom.audit.files import write_durably
from cleanroom.audit.options import AGREEMENTS, LOG_FOLDER
from cleanroom.errors import CleanroomError, UsageError
from cleanroom.nearest import quoted
from cleanroom.querylog.dsse import peek_statement
from cleanroom.transparency.folder import VerifiedLog
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.policy_file import policy_text
from cleanroom.transparency.proof_file import MAX_EXTRA_BYTES, ProofFile

_PLAN = re.compile(r"[0-9a-f]{8,64}")
_WORD = re.compile(r"[a-z.]{1,40}")
_README = """Receipts of the log {origin}
about question {plan}.

Each .proof file is a C2SP tlog-proof: it shows that one entry stands in the log, under a head that the log and its
cosigners signed. The entry is the file's `extra` line, or the .entry file beside it. `policy` says whose signatures
count; compare the keys in it with the signed agreement of the room before you rely on them.

Check one:  cleanroom audit verify FILE.proof --policy policy

A receipt says that the entry was there and whom it was shown to. It does not say that what it states is true.
"""


@click.command()
@LOG_FOLDER
@click.argument("plan_hash")
@AGREEMENTS
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), help="A C2SP policy file, instead.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the receipts.")
def prove(log: Path, plan_hash: str, agreements: tuple[Path, ...], policy_file: Path | None, out: Path) -> None:
    """Write a receipt for every entry about the question PLAN_HASH (its first 8 digits or more) in the log LOG."""
    from cleanroom.audit.given import read_policy, read_terms

    if bool(agreements) == (policy_file is not None):
        raise UsageError("say by whose keys: either --agreement FILE or --policy FILE")
    if _PLAN.fullmatch(plan_hash) is None:
        raise UsageError("a question is named by 8 to 64 hex digits of its plan's hash; `audit show --format json`")
    if out.exists():
        raise UsageError(f"{out} exists already; choose a new folder")
    policy = read_terms(agreements).policy if agreements else read_policy(policy_file, ())
    found = verified(log, policy)
    plan, indexes = _entries_about(found, plan_hash)
    _write(found, policy, plan, indexes, out)
    click.echo(f"question {plan}: {len(indexes)} receipts in {out}")


def _entries_about(found: VerifiedLog, wanted: str) -> tuple[str, list[tuple[int, str]]]:
    """The question's whole hash, and index and kind of every entry about it; raises UsageError."""
    subjects: dict[str, list[tuple[int, str]]] = {}
    for index, entry in enumerate(found.contents.entries):
        try:
            body = peek_statement(entry)
        except CleanroomError:
            continue
        subject, kind = body.get("subject"), body.get("kind")
        if isinstance(subject, str) and _PLAN.fullmatch(subject) and subject.startswith(wanted):
            word = kind if isinstance(kind, str) and _WORD.fullmatch(kind) else "entry"
            subjects.setdefault(subject, []).append((index, word))
    if len(subjects) != 1:
        many = "more than one question; give more digits" if subjects else "nothing"
        raise UsageError(f"{quoted(wanted)} names {many} in this log")
    return next(iter(subjects.items()))


def _write(found: VerifiedLog, policy: Policy, plan: str, indexes: list[tuple[int, str]], out: Path) -> None:
    contents, head = found.contents, found.head
    for index, kind in indexes:
        entry = contents.entries[index]
        hashes = prove_inclusion(contents.tree, index, head.checkpoint.size)
        inside = entry if len(entry) <= MAX_EXTRA_BYTES else None
        proof = ProofFile(index, tuple(hashes), head.note.to_bytes(), inside)
        file = out / f"{index:06d}-{kind.replace('.', '-')}.proof"
        write_durably(file, proof.to_bytes())
        if inside is None:
            write_durably(file.with_suffix(".entry"), entry)
    write_durably(out / "policy", policy_text(policy).encode("utf-8"))
    write_durably(out / "README", _README.format(origin=head.checkpoint.origin, plan=plan).encode("utf-8"))
