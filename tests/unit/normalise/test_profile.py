"""The closed table of profiles, held to published vectors."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import UsageError
from parties.normalise.profile import PROFILE_NAMES, Profile
from tests.shared_data import shared_data

# The schemes whose stated rule is trim and lower case; two amazon and meta vectors also strip characters.
_TRIM_AND_LOWER = {"meta", "snap", "amazon", "liveramp", "google"}
_STRIPPED_BY_THEIR_SDK = {'foo"@bar.com', "foo()@bar.com", "user!#$%^&*@domain.com"}

_REGIONS = ("ZZ", "US", "AR", "IT", "NZ")
_PROFILES = [Profile(name) for name in PROFILE_NAMES if name != "phone-e164-v1"] + [
    Profile("phone-e164-v1", region) for region in _REGIONS
]


def _vectors(field: str) -> Iterator[dict[str, str]]:
    document = json.loads(shared_data("identifier_vectors/vectors.json").read_text("utf-8"))
    for vector in document["vectors"]:
        if vector["field"] == field and vector.get("usable", True):
            yield vector


def test_email_uid2_reads_every_published_uid2_address() -> None:
    vectors = [vector for vector in _vectors("email") if vector["scheme"] == "uid2"]
    found = Profile("email-uid2-v1").normalise(pa.array([vector["input"] for vector in vectors]))
    assert len(vectors) >= 30
    assert found.to_pylist() == [vector["normalized"] for vector in vectors]


def test_email_plain_reads_every_published_address_of_the_trim_and_lower_schemes() -> None:
    vectors = [
        vector
        for vector in _vectors("email")
        if vector["scheme"] in _TRIM_AND_LOWER and vector["input"] not in _STRIPPED_BY_THEIR_SDK
    ]
    found = Profile("email-plain-v1").normalise(pa.array([vector["input"] for vector in vectors]))
    assert len(vectors) >= 10
    assert found.to_pylist() == [vector["normalized"] for vector in vectors]


def test_phone_e164_reads_every_published_number_that_states_its_region_or_needs_none() -> None:
    claimed = 0
    for vector in _vectors("phone"):
        region = vector.get("default_region", "ZZ")
        if (vector["scheme"] in {"google", "uid2"} and region != "ZZ") or vector["scheme"] == "e164":
            found = Profile("phone-e164-v1", region).normalise(pa.array([vector["input"]]))
            assert found.to_pylist() == [vector["normalized"]], vector["input"]
            claimed += 1
    assert claimed >= 40


def test_opaque_changes_nothing_but_form_and_surrounding_blanks() -> None:
    texts = pa.array([" 0012 ", "NA", "e\u0301", "A", "=cmd()", ""])
    assert Profile("opaque-v1").normalise(texts).to_pylist() == ["0012", "NA", "\u00e9", "A", "=cmd()", None]


@pytest.mark.parametrize("name", ["opaque", "email-plain-v2", "", "OPAQUE-V1"])
def test_a_profile_outside_the_table_is_refused_with_the_table(name: str) -> None:
    with pytest.raises(UsageError, match="opaque-v1, email-plain-v1, email-uid2-v1, phone-e164-v1"):
        Profile(name)


@pytest.mark.parametrize("region", ["", "us", "XX", "USA", "64"])
def test_a_phone_profile_needs_a_region_that_exists(region: str) -> None:
    with pytest.raises(UsageError, match="region of two capital letters"):
        Profile("phone-e164-v1", region)


def test_a_region_is_refused_where_it_means_nothing() -> None:
    with pytest.raises(UsageError, match="takes no region"):
        Profile("email-plain-v1", "US")


@pytest.mark.parametrize("profile", _PROFILES, ids=lambda profile: f"{profile.name} {profile.region}")
@given(
    texts=st.lists(
        st.one_of(
            st.none(),
            st.text(),
            st.builds("{}@{}.{}".format, st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)),
            st.from_regex(r"\+?[0-9 ()-]{6,18}", fullmatch=True),
            st.emails(),
        )
    )
)
def test_a_profile_reads_its_own_output_as_itself(profile: Profile, texts: list[str | None]) -> None:
    once = profile.normalise(pa.array(texts, pa.string()))
    assert len(once) == len(texts)
    assert profile.normalise(once).to_pylist() == once.to_pylist()
