"""Telephone numbers as E.164 from a stated region."""

import pyarrow as pa
import pytest

from parties.normalise.phone import phone_e164


def _read(texts: list[str | None], region: str) -> list[str | None]:
    return list(phone_e164(pa.array(texts, pa.string()), region).to_pylist())


def test_one_number_has_one_form_however_it_is_written() -> None:
    # Facts of libphonenumber's own tests.
    spellings: list[str | None] = ["033316005", "03-331 6005", "03 331 6005", "+64 3 331 6005", "tel:03-331-6005"]
    assert _read(spellings, "NZ") == ["+6433316005"] * 5


def test_the_region_decides_what_a_national_number_means() -> None:
    assert _read(["0491 570 006"], "AU") == ["+61491570006"]
    assert _read(["(650) 253-0000"], "US") == ["+16502530000"]
    assert _read(["(650) 253-0000", "+1 (650) 253-0000"], "ZZ") == [None, "+16502530000"]


def test_full_width_digits_are_digits() -> None:
    full_width = "650 253 0000".translate({0x30 + digit: 0xFF10 + digit for digit in range(10)})
    assert _read([full_width], "US") == ["+16502530000"]


@pytest.mark.parametrize("text", [None, "", "NA", "+", "12", "x" * 43, "650-253-0000\x00"])
def test_what_is_no_possible_number_is_no_key(text: str | None) -> None:
    assert _read([text], "US") == [None]


def test_a_number_with_an_extension_is_refused_since_e164_cannot_carry_it() -> None:
    assert _read(["650-253-0000", "650-253-0000 ext. 7"], "US") == ["+16502530000", None]


def test_repeated_texts_keep_their_places() -> None:
    texts: list[str | None] = ["650-253-0000", None, "x", "650-253-0000"]
    assert _read(texts, "US") == ["+16502530000", None, None, "+16502530000"]


def test_a_number_whose_e164_form_is_read_as_another_number_is_refused() -> None:
    # Found by the idempotence test: each reading of +64 0… drops one more trunk zero.
    assert _read(["0000000"], "NZ") == [None]
