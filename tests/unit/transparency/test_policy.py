"""Whose signatures are asked for, as a value and as the ecosystem's file; one key is one voice."""

import pytest

from cleanroom.errors import UsageError
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.policy import NOBODY, Policy, Quorum, all_of
from cleanroom.transparency.policy_file import parse_policy, policy_text
from tests.built_log import COSIGNERS, LOG_KEY, POLICY

KEYS = {name: key.vkey() for name, key in COSIGNERS.items()}
LOG = f"log {LOG_KEY.vkey()}\n"
WITNESSES = "".join(f"witness {name} {vkey}\n" for name, vkey in KEYS.items())
BEGINNING = LOG + WITNESSES


def test_the_quorum_of_a_question_is_each_of_those_it_names() -> None:
    quorum = all_of("asker", "owner", "auditor")
    assert quorum.is_met_by({"asker", "owner", "auditor", "somebody"})
    for missing in ("asker", "owner", "auditor"):
        assert not quorum.is_met_by({"asker", "owner", "auditor"} - {missing})


@pytest.mark.parametrize("names", [(), ("asker", "asker")])
def test_a_quorum_of_nobody_must_be_asked_for_by_its_name(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        all_of(*names)
    assert NOBODY.is_met_by(())


def test_a_file_like_the_specification_s_example_is_read() -> None:
    text = (
        f"# who must have seen it\n\t{LOG}\n{WITNESSES}"
        "group companies all  asker\towner\ngroup everyone 2 companies auditor\nquorum everyone\n"
    )
    policy = parse_policy(text.encode())
    assert policy.log_keys == (LOG_KEY,)
    assert dict(policy.cosigners) == COSIGNERS
    assert policy.quorum.is_met_by({"asker", "owner", "auditor"})
    assert not policy.quorum.is_met_by({"asker", "owner"})
    assert not policy.quorum.is_met_by({"asker", "auditor"})


@pytest.mark.parametrize(
    ("line", "enough", "too_few"),
    [
        ("group g any asker owner", {"owner"}, set()),
        ("group g 2 asker owner auditor", {"owner", "auditor"}, {"owner"}),
        ("group g all asker owner", {"owner", "asker"}, {"owner", "auditor"}),
    ],
)
def test_thresholds_count_members(line: str, enough: set[str], too_few: set[str]) -> None:
    quorum = parse_policy(f"{BEGINNING}{line}\nquorum g\n".encode()).quorum
    assert quorum.is_met_by(enough)
    assert not quorum.is_met_by(too_few)


def test_a_single_witness_or_nobody_can_be_the_quorum() -> None:
    assert not parse_policy(f"{BEGINNING}quorum owner\n".encode()).quorum.is_met_by({"asker"})
    assert parse_policy(f"{BEGINNING}quorum none\n".encode()).quorum.is_met_by(())


def test_addresses_are_read_over() -> None:
    text = f"log {LOG_KEY.vkey()} https://log.example/\nwitness w {KEYS['asker']} https://w.example/\nquorum w\n"
    assert set(parse_policy(text.encode()).cosigners) == {"w"}


WRONG_FILES = {
    "no quorum": BEGINNING,
    "two quorums": f"{BEGINNING}quorum asker\nquorum owner\n",
    "a quorum that is defined below": f"{LOG}quorum asker\n{WITNESSES}",
    "an unknown quorum": f"{BEGINNING}quorum somebody\n",
    "no log": f"{WITNESSES}quorum asker\n",
    "the same log twice": f"{LOG}{BEGINNING}quorum asker\n",
    "the same witness under two names": f"{BEGINNING}witness again {KEYS['asker']}\nquorum asker\n",
    "the same name twice": f"{BEGINNING}witness asker {KEYS['asker']}\nquorum asker\n",
    "the name none": f"{LOG}witness none {KEYS['asker']}\nquorum none\n",
    "none as a member": f"{BEGINNING}group g any none\nquorum g\n",
    "a member twice": f"{BEGINNING}group g 2 asker asker\nquorum g\n",
    "a member of two groups": f"{BEGINNING}group g any asker\ngroup h any asker owner\nquorum h\n",
    "a group of itself": f"{BEGINNING}group g any g\nquorum g\n",
    "a threshold of zero": f"{BEGINNING}group g 0 asker\nquorum g\n",
    "a threshold above the members": f"{BEGINNING}group g 2 asker\nquorum g\n",
    "a threshold with a leading zero": f"{BEGINNING}group g 01 asker\nquorum g\n",
    "a threshold in other digits": f"{BEGINNING}group g \uff11 asker\nquorum g\n",
    "a group of nobody": f"{BEGINNING}group g any\nquorum g\n",
    "an unknown word": f"{BEGINNING}require asker\nquorum asker\n",
    "a word too many": f"{BEGINNING}quorum asker owner\n",
    "a no-break space between words": f"{BEGINNING}quorum\u00a0asker\n",
    "CRLF": f"{BEGINNING}quorum asker\n".replace("\n", "\r\n"),
    "no last line feed": f"{BEGINNING}quorum asker",
    "a log's key as a witness": f"{BEGINNING}witness w {LOG_KEY.vkey()}\nquorum w\n",
    "a witness's key as a log": f"log {KEYS['asker']}\nquorum none\n",
    "a thousand and one lines": BEGINNING + "\n" * 1000 + "quorum asker\n",
    "groups nested 33 deep": BEGINNING
    + "".join(f"group g{n} any {f'g{n - 1}' if n else 'asker'}\n" for n in range(33))
    + "quorum g32\n",
}


@pytest.mark.parametrize("text", WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_a_policy_file_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_policy(text.encode())


def test_the_line_that_is_wrong_is_named() -> None:
    with pytest.raises(UsageError, match="policy line 5: somebody is not defined above"):
        parse_policy(f"{BEGINNING}quorum somebody\n".encode())


@pytest.mark.parametrize("data", [b"\xff\n", b"#" * 140_000 + b"\n"])
def test_a_file_that_is_no_text_or_too_long_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        parse_policy(data)


@pytest.mark.parametrize(
    "quorum",
    [
        NOBODY,
        all_of("asker"),
        all_of("asker", "owner", "auditor"),
        Quorum("asker", 1, ("asker",)),
        Quorum("outer", 1, (Quorum("inner", 2, ("asker", "owner")), "auditor")),
    ],
)
def test_a_policy_is_written_as_it_is_read(quorum: Quorum) -> None:
    policy = POLICY.with_quorum(quorum)
    assert parse_policy(policy_text(policy).encode()) == policy


def test_a_name_that_the_file_cannot_hold_is_refused_and_not_written_wrongly() -> None:
    policy = Policy((LOG_KEY,), {"two words": COSIGNERS["asker"]}, all_of("two words"))
    with pytest.raises(UsageError):
        policy_text(policy)


def test_one_key_is_never_for_two_kinds_of_statement() -> None:
    as_cosigner = NoteKey("coordinator.example/cosigner", KeyKind.COSIGNER, LOG_KEY.public)
    with pytest.raises(UsageError, match="one public key twice"):
        Policy((LOG_KEY,), {"coordinator": as_cosigner}, all_of("coordinator"))


def test_a_quorum_of_somebody_without_a_key_is_refused() -> None:
    with pytest.raises(UsageError, match="the quorum names somebody"):
        POLICY.with_quorum(all_of("somebody"))
