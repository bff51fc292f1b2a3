"""Which spellings of an email address are one person, under both profiles."""

import pyarrow as pa
import pytest

from parties.normalise.email import email_plain, email_uid2


@pytest.mark.parametrize(
    ("spelling", "plain", "uid2"),
    [
        ("MyEmail@example.com", "myemail@example.com", "myemail@example.com"),
        (" TEst.TEst+123@GMail.Com", "test.test+123@gmail.com", "testtest@gmail.com"),
        ("test+test@test.com", "test+test@test.com", "test+test@test.com"),
        ("a.b+c@mail.gmail.com", "a.b+c@mail.gmail.com", "a.b+c@mail.gmail.com"),
        ("a.b+c@notgmail.com", "a.b+c@notgmail.com", "a.b+c@notgmail.com"),
        ("a.b@googlemail.com", "a.b@googlemail.com", "a.b@googlemail.com"),
        ("+test@test.com", "+test@test.com", "+test@test.com"),
        ("+test@gmail.com", "+test@gmail.com", None),
        ("...@gmail.com", "...@gmail.com", None),
        ("JÉSUS9@adventure-works.com", "jésus9@adventure-works.com", "jésus9@adventure-works.com"),
        ("a@b.co", "a@b.co", "a@b.co"),
    ],
)
def test_an_address_is_read_as_its_profile_says(spelling: str, plain: str, uid2: str | None) -> None:
    assert email_plain(pa.array([spelling])).to_pylist() == [plain]
    assert email_uid2(pa.array([spelling])).to_pylist() == [uid2]


@pytest.mark.parametrize(
    "text",
    ["", " @", "@", "@b", "@b.com", "+", "a", "a@b", "a@ba@z.com", "a b@c.de", "a@b c.de", "a@.de", "a@b..de", "a@b.",
     "a\u00a0b@c.de", "a\x00@c.de", "a\n@c.de", "NA"],
)  # fmt: skip
def test_what_is_not_shaped_like_an_address_is_no_key(text: str) -> None:
    assert email_plain(pa.array([text])).to_pylist() == [None]
    assert email_uid2(pa.array([text])).to_pylist() == [None]


def test_composed_and_decomposed_letters_are_one_person() -> None:
    both = pa.array(["j\u00e9sus@example.com", "je\u0301sus@example.com"])
    assert email_plain(both).to_pylist() == ["j\u00e9sus@example.com"] * 2


def test_a_letter_that_composes_only_in_lower_case_still_gives_one_spelling() -> None:
    # J with caron has no composed capital, but j with caron is U+01F0.
    both = pa.array(["J\u030c@example.com", "\u01f0@example.com"])
    assert email_plain(both).to_pylist() == ["\u01f0@example.com"] * 2


def test_lower_case_is_the_one_to_one_mapping_also_for_dotted_capital_i() -> None:
    assert email_plain(pa.array(["\u0130@example.com"])).to_pylist() == ["i@example.com"]
