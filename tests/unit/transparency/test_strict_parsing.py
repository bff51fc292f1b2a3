"""Every trap of audit-log.md section 4 and hostile-inputs.md row 39: one spelling each, all others refused."""

import json
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.crypto.public_keys import check_public_key
from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import AuthenticationError, CleanroomError, PeerError, UsageError
from cleanroom.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from cleanroom.transparency.cosignature import cosigned_at
from cleanroom.transparency.note import MAX_NOTE_BYTES, SignatureLine, SignedNote, parse_note
from cleanroom.transparency.note_key import KeyKind, NoteKey, parse_vkey
from cleanroom.transparency.policy_file import parse_policy
from cleanroom.transparency.proof_file import parse_proof
from cleanroom.transparency.spelling import base64_bytes, decimal
from cleanroom.transparency.tile import parse_place
from cleanroom.transparency.witness_message import parse_request
from tests.built_log import COSIGNERS, LOG_KEY, LOG_SEED, ORIGIN, checkpoint_of, signed, some_entries
from tests.reference import small_order

HEAD = checkpoint_of(some_entries(3))
NOTE = signed(HEAD, "asker", "owner").to_bytes()
TEXT = HEAD.text()

WRONG_NUMBERS = [
    "+5", "-5", "-0", "1_0", " 7", "7 ", "\uff17", "\u0663", "007", "00", "", "0x7", "7.0", "1e3",
    str(2**63), "9" * 400,
]  # fmt: skip
WRONG_BASE64 = [
    "AAAA====",
    "AA=A",
    "AAB=",
    "AAAB\n",
    " AAAA",
    "AA AA",
    "AAA",
    "AAA-",
    "AAA_",
    "\uff21AAA",
    "A*AAA",
    "=",
    "AB==",
]


def signed_text(text: str) -> bytes:
    """Text that the log's key really signed, however wrong it is."""
    line = SignatureLine(ORIGIN, LOG_KEY.key_id, LOG_SEED.sign(text.encode("utf-8")))
    return text.encode("utf-8") + b"\n" + line.text().encode("utf-8")


@pytest.mark.parametrize("text", WRONG_NUMBERS)
def test_a_number_has_one_spelling(text: str) -> None:
    with pytest.raises(PeerError):
        decimal(text, "a number")
    with pytest.raises(PeerError):
        parse_checkpoint(TEXT.replace("\n3\n", f"\n{text}\n"))
    with pytest.raises(PeerError):
        parse_request(f"old {text}\n\n".encode() + NOTE)
    with pytest.raises(PeerError):
        parse_proof(f"c2sp.org/tlog-proof@v1\nindex {text}\n\n".encode() + NOTE)


def test_a_number_ends_where_its_text_ends() -> None:
    """A pattern that ends in a dollar sign would take a line feed after it."""
    with pytest.raises(PeerError):
        decimal("7\n", "a number")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("10", 10), (str(2**63 - 1), 2**63 - 1)])
def test_plain_decimals_up_to_the_largest_size_are_numbers(text: str, number: int) -> None:
    assert decimal(text, "a number") == number


@pytest.mark.parametrize("text", WRONG_BASE64)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(PeerError):
        base64_bytes(text, "a field")


@given(st.text(max_size=12))
def test_whatever_is_read_as_base64_is_written_the_same(text: str) -> None:
    try:
        data = base64_bytes(text, "a field")
    except PeerError:
        return
    assert b64encode(data).decode("ascii") == text


def test_the_right_note_is_read() -> None:
    assert open_checkpoint(parse_note(NOTE), [LOG_KEY]) == HEAD


SPOILED_NOTES = {
    "CRLF line ends": NOTE.replace(b"\n", b"\r\n"),
    "a hyphen for the em dash": NOTE.replace("—".encode(), b"-"),
    "an en dash for the em dash": NOTE.replace("—".encode(), "–".encode()),
    "no space after the em dash": NOTE.replace("— ".encode(), "—".encode()),
    "a no-break space after the em dash": NOTE.replace("— ".encode(), "—\u00a0".encode()),
    "a tab in the text": NOTE.replace(b"\n3\n", b"\n3\t\n"),
    "a NUL in the text": NOTE.replace(b"\n3\n", b"\n3\0\n"),
    "bytes that are not UTF-8": NOTE.replace(b"\n3\n", b"\n3\xff\n"),
    "an overlong UTF-8 line feed": NOTE.replace(b"\n3\n", b"\n3\xc0\x8a"),
    "no empty line": NOTE.replace(b"\n\n", b"\n"),
    "no last line feed": NOTE[:-1],
    "an empty line at the end": NOTE + b"\n",
    "words after the signatures": NOTE + b"more\n",
    "U+2028 for a line feed between signatures": NOTE[:-1].replace(b"\n\xe2\x80\x94", "\u2028—".encode()) + b"\n",
    "no signature": NOTE[: NOTE.index(b"\n\n") + 2],
    "a signature of a key id only": TEXT.encode() + b"\n" + f"— {ORIGIN} AAAAAA==\n".encode(),
    "a signature line without a name": TEXT.encode() + b"\n" + "—  AAAAAAAA\n".encode(),
    "a signature line without a signature": TEXT.encode() + b"\n" + f"— {ORIGIN}\n".encode(),
    "a plus sign in a name": NOTE.replace(b"asker.example/", b"asker.example+"),
    "an ideographic space in a name": NOTE.replace(b"asker.example/", "asker.example\u3000".encode()),
    "loose base64 in a signature": NOTE[:-2] + b"\x20\n",
    "300 signatures": NOTE + b"".join(f"— stranger{n}.example AAAAAAAA\n".encode() for n in range(300)),
    "more than 128 KiB": NOTE + b"".join(b"\xe2\x80\x94 s%d " % n + b"A" * 4000 + b"\n" for n in range(33)),
}


@pytest.mark.parametrize("data", SPOILED_NOTES.values(), ids=SPOILED_NOTES.keys())
def test_a_note_has_one_form(data: bytes) -> None:
    with pytest.raises(PeerError):
        parse_note(data)


def with_lines(*lines: SignatureLine) -> bytes:
    return SignedNote(TEXT, (*parse_note(NOTE).signatures, *lines)).to_bytes()


def test_a_note_may_carry_a_hundred_signatures_and_not_one_more() -> None:
    held = len(parse_note(NOTE).signatures)
    strangers = [SignatureLine(f"stranger{number}.example", b"\0\0\0\0", b"x") for number in range(100 - held)]
    assert open_checkpoint(parse_note(with_lines(*strangers)), [LOG_KEY]) == HEAD
    with pytest.raises(PeerError):
        with_lines(*strangers, SignatureLine("one-more.example", b"\0\0\0\0", b"x"))


def test_a_note_may_have_128_KiB_and_not_one_byte_more() -> None:
    empty = SignedNote("\n", (SignatureLine("s", b"\0\0\0\0", b"x"),)).to_bytes()
    text = b"a" * (MAX_NOTE_BYTES - len(empty))
    assert len(parse_note(text + empty).text) == len(text) + 1
    with pytest.raises(PeerError, match="more than"):
        parse_note(b"a" + text + empty)


def test_the_text_ends_at_the_last_empty_line_so_it_may_hold_others() -> None:
    note = parse_note(b"a\n\nb\n\n" + SignatureLine("s", b"\0\0\0\0", b"x").text().encode())
    assert note.text == "a\n\nb\n"


def test_line_separators_of_other_alphabets_do_not_end_a_line() -> None:
    for letter in ("\u2028", "\u2029", "\u0085"):
        with pytest.raises(PeerError, match=r"three lines|plain name"):
            parse_checkpoint(TEXT.replace("\n3\n", f"{letter}3\n", 1))


def test_lines_of_unknown_keys_are_ignored_whatever_they_say() -> None:
    strangers = [
        SignatureLine("stranger.example", b"\1\2\3\4", b"forged"),
        SignatureLine(ORIGIN, b"\1\2\3\4", b"the log's name, another key id"),
        SignatureLine("stranger.example", LOG_KEY.key_id, b"the log's key id, another name"),
    ]
    note = parse_note(with_lines(*strangers))
    assert open_checkpoint(note, [LOG_KEY]) == HEAD
    assert cosigned_at(note, COSIGNERS["auditor"]) is None


def test_a_known_log_key_with_a_bad_signature_refuses_the_note() -> None:
    with pytest.raises(AuthenticationError):
        open_checkpoint(parse_note(with_lines(SignatureLine(ORIGIN, LOG_KEY.key_id, bytes(64)))), [LOG_KEY])


@pytest.mark.parametrize("signature", [bytes(72), bytes(71), bytes(73), b"\xff" * 72, b"x"])
def test_a_known_cosigner_with_a_bad_signature_refuses_the_note(signature: bytes) -> None:
    key = COSIGNERS["asker"]
    with pytest.raises(AuthenticationError):
        cosigned_at(parse_note(with_lines(SignatureLine(key.name, key.key_id, signature))), key)


def test_a_checkpoint_without_its_log_s_signature_is_nobody_s() -> None:
    lines = tuple(line for line in parse_note(NOTE).signatures if line.name != ORIGIN)
    with pytest.raises(AuthenticationError, match="not signed by the log"):
        open_checkpoint(SignedNote(TEXT, lines), [LOG_KEY])


def test_a_log_signs_for_its_own_origin_only() -> None:
    text = TEXT.replace("spring", "autumn")
    line = SignatureLine(ORIGIN, LOG_KEY.key_id, LOG_SEED.sign(text.encode()))
    with pytest.raises(AuthenticationError):
        open_checkpoint(SignedNote(text, (line,)), [LOG_KEY])


SPOILED_CHECKPOINTS = {
    "an extension line": TEXT + "extension\n",
    "an empty extension line": TEXT + "\n",
    "no root": "".join(TEXT.splitlines(keepends=True)[:2]),
    "a root of 31 bytes": f"{ORIGIN}\n3\n{'A' * 41}=\n",
    "a root of 33 bytes": f"{ORIGIN}\n3\n{'A' * 44}\n",
    "a space before the size": TEXT.replace("\n3\n", "\n 3\n"),
    "no origin": TEXT.replace(ORIGIN, ""),
    "a space in the origin": TEXT.replace("spring", "spr ing"),
    "size 2^63": TEXT.replace("\n3\n", f"\n{2**63}\n"),
}


@pytest.mark.parametrize("text", SPOILED_CHECKPOINTS.values(), ids=SPOILED_CHECKPOINTS.keys())
def test_a_checkpoint_has_three_lines_even_when_its_log_signed_more(text: str) -> None:
    with pytest.raises(PeerError):
        open_checkpoint(parse_note(signed_text(text)), [LOG_KEY])


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_are_refused_as_our_own_errors_and_nothing_else(data: bytes) -> None:
    for read in (parse_note, parse_request, parse_proof, parse_policy):
        for candidate in (data, NOTE[:40] + data, NOTE + data):
            with suppress(CleanroomError):
                read(candidate)
    for read_text in (parse_vkey, parse_place, parse_checkpoint):
        with suppress(CleanroomError):
            read_text(data.decode("utf-8", "replace"))


def test_every_point_of_small_order_is_refused_as_a_key_in_every_spelling() -> None:
    points = small_order.small_order_points()
    assert len(points) == 8
    spellings = {small_order.encode(point) for point in points}
    spellings |= {(int.from_bytes(text, "little") ^ 2**255).to_bytes(32, "little") for text in spellings}
    spellings |= {(y + sign).to_bytes(32, "little") for y in range(2**255 - 19, 2**255) for sign in (0, 2**255)}
    for text in spellings:
        with pytest.raises(UsageError):
            check_public_key(text, "cosigner")
        with pytest.raises(UsageError):
            NoteKey("cosigner.example", KeyKind.COSIGNER, text)


@given(st.binary(min_size=32, max_size=32))
def test_keys_that_somebody_made_are_accepted(seed: bytes) -> None:
    check_public_key(SigningKey(seed).public_bytes(), "cosigner")


def test_under_a_small_order_key_anybody_could_have_signed() -> None:
    """Why they are refused: the identity verifies a signature that needed no secret."""
    identity = (1).to_bytes(32, "little")
    verify(identity, identity + bytes(32), b"anything at all")


@pytest.mark.parametrize(
    "vkey",
    [
        LOG_KEY.vkey() + "\n",
        " " + LOG_KEY.vkey(),
        LOG_KEY.vkey().replace("+", " ", 1),
        LOG_KEY.vkey().replace(LOG_KEY.key_id.hex(), LOG_KEY.key_id.hex().upper()),
        LOG_KEY.vkey().replace("spring", "autumn"),
    ],
)
def test_a_verifier_key_has_one_spelling(vkey: str) -> None:
    with pytest.raises(UsageError):
        parse_vkey(vkey)


@pytest.mark.parametrize("kind", [0x00, 0x02, 0x05, 0x06, 0xFF])
def test_keys_of_other_types_are_refused(kind: int) -> None:
    data = bytes([kind]) + LOG_KEY.public
    key_id = sha256(ORIGIN.encode() + b"\n" + data).digest()[:4].hex()
    with pytest.raises(UsageError, match="neither"):
        parse_vkey(f"{ORIGIN}+{key_id}+{b64encode(data).decode()}")


def test_a_checkpoint_s_numbers_are_never_read_as_json_would() -> None:
    """JSON's reader takes 1e2 and NaN; a size is neither."""
    for text in ("1e2", "NaN", "Infinity"):
        assert json.loads(text) is not None
        with pytest.raises(PeerError):
            decimal(text, "a size")


@pytest.mark.parametrize(("size", "root"), [(-1, 32), (2**63, 32), (3, 31)])
def test_a_head_out_of_bounds_cannot_be_made(size: int, root: int) -> None:
    with pytest.raises(PeerError):
        Checkpoint(ORIGIN, size, bytes(root))
