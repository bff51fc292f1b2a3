"""A telephone number as E.164, read as dialled in one stated region.

The reading is libphonenumber's, in its Python form. A number counts if its length is possible for its country:
whether a range is in service changes with every release of the numbering data, and a person must not appear or
vanish with one. A number with an extension is refused, since E.164 cannot carry it and the main number would
merge everybody at one desk. A number whose E.164 form would be read as another number (repeated trunk zeros) is
refused too, or a company that holds E.164 already would not find it. Region `ZZ` accepts international forms only.

Unlike the other profiles this one handles each distinct text of a batch as a Python object, about 40 microseconds
each, and it remembers nothing between batches.
"""

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from cleanroom.errors import UsageError
from parties.normalise.text import plain, usable

NO_REGION = "ZZ"


def checked_region(region: str) -> str:
    """A region libphonenumber knows (ISO 3166, two capitals) or `ZZ`; raises UsageError."""
    if region != NO_REGION and region not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError(
            f"profile phone-e164-v1 needs a region of two capital letters such as US, or {NO_REGION} for "
            "international forms only"
        )
    return region


def phone_e164(texts: pa.Array, region: str) -> pa.Array:
    """`+` and up to 15 digits for each readable number; null for every other text."""
    encoded = pc.dictionary_encode(usable(plain(texts)))
    distinct = [_one(text, region) for text in encoded.dictionary.to_pylist()]
    return pa.array(distinct, pa.string()).take(encoded.indices)


def _one(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
        if number.extension or not phonenumbers.is_possible_number(number):
            return None
        form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return form if phonenumbers.parse(form, NO_REGION) == number else None
    except phonenumbers.NumberParseException:
        return None
