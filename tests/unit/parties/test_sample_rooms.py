"""Room files that people start from: they parse, hold every term, and make a contract."""

import re
import tomllib
from pathlib import Path

import pytest

from cleanroom.question.approval import Approval
from cleanroom.question.columns import Dimension, Hidden, Measure
from parties import room_file
from parties.room_file import read_room_file
from tests.shared_data import shared_data

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize("name", ["adventureworks", "all-terms"])
def test_a_sample_is_accepted(name: str) -> None:
    shared_data("adventureworks/sites/bikes.csv.gz")
    assert all(source.path.is_file() for source in read_room_file(SAMPLES / f"{name}.toml").sources.values())


def test_the_sample_of_all_terms_has_every_key_that_a_room_file_may_have() -> None:
    """A term that is added is shown to those who write contracts."""
    text = (SAMPLES / "all-terms.toml").read_text()
    headings = "".join(re.findall(r"^\[.*", text, re.MULTILINE))
    written = {*re.findall(r"[a-z_]+(?= *=)", text), *re.findall(r"[a-z_]+", headings)}
    known = room_file._ROOM_KEYS | room_file._PARTY_KEYS | room_file._COLUMN_KEYS | room_file._APPROVAL_KEYS
    known = known.union(*room_file._ROLE_KEYS.values())
    assert known - written <= {"opt_out", "where"}


def test_its_terms_arrive_as_they_are_written() -> None:
    people = read_room_file(SAMPLES / "all-terms.toml").datasets
    body = tomllib.loads((SAMPLES / "all-terms.toml").read_text())
    bikes = next(dataset for name, dataset in people.items() if name == "bikes")
    assert [type(column) for column in bikes.columns] == [Dimension, Measure, Dimension, Measure, Hidden]
    assert bikes.hidden() == ("phone",)
    assert list(bikes.consumer_caps) == list(body["parties"]["bikes"]["consumers"])
    assert bikes.measures(with_edges=True) == ("bicycles",)
    assert next(dataset for name, dataset in people.items() if name == "accessories").approval == Approval("required")
