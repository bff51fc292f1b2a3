"""What a new user gets wrong, and the one line that mends it. Nothing is half-done afterwards."""

from pathlib import Path

import pytest

from tests.command_line import cleanroom, refused
from tests.small_room import write_room, write_table

ASK = ("--asker", "shop", "--owner", "brand", "--epsilon", "1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--asker", "shop", "--owner", "brnad", "--epsilon", "1"), ("--owner", "brnad", "shop, brand")),
        (("--asker", "shop", "--owner", "shop", "--epsilon", "1"), ("two different parties",)),
        ((*ASK[:4], "--epsilon", "one"), ("epsilon", "`one` is not a number", "plain decimal")),
        ((*ASK[:4], "--epsilon", "0"), ("epsilon", "above 0")),
        ((*ASK[:4], "--epsilon", "1e308"), ("epsilon",)),
        ((*ASK[:4], "--epsilon", "NaN"), ("epsilon",)),
        ((*ASK, "--by", "color"), ("shop", "color", "colour")),
        ((*ASK, "--of", "spend"), ("brand", "dimension", "spend", "colour")),
        ((*ASK, "--sum", "colour"), ("brand", "measure", "colour", "spend")),
        ((*ASK, "--sum", "spend", "--of", "colour"), ("--of", "--sum")),
        ((*ASK, "--mean", "spend", "--quantile", "spend"), ("--mean", "--quantile", "ask once for each")),
        ((*ASK, "--mean", "colour"), ("brand", "measure", "colour", "spend")),
        ((*ASK, "--quantile", "spend"), ("spend", "no edges", "contract")),
        ((*ASK, "--mean", "spend", "--at", "0.9"), ("--at", "--quantile")),
        ((*ASK, "--quantile", "spend", "--at", "50%"), ("--at", "50%", "0.5,0.9")),
        ((*ASK, "--top", "2"), ("--top", "--of")),
        ((*ASK, "--of", "colour", "--top", "40"), ("top 40", "at most")),
        ((*ASK, "--whole-table", "--by", "spend"), ("brand", "dimension", "spend", "colour")),
    ],
    ids=[
        "a party that the room does not name",
        "a party asking itself",
        "epsilon as a word",
        "epsilon zero",
        "epsilon beyond all bounds",
        "epsilon not a number",
        "a misspelled column of the asker",
        "a measure where a dimension belongs",
        "a dimension where a measure belongs",
        "two quantities at once",
        "two measures at once",
        "the mean of a dimension",
        "a quantile of a measure without edges",
        "levels of a mean",
        "a level in percent",
        "a ranking of nothing",
        "a ranking longer than the declared values",
        "a whole table split by a measure",
    ],
)
def test_a_wrong_question_is_answered_by_one_line(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    line = refused(cleanroom("sandbox", write_room(tmp_path), *arguments))
    for word in words:
        assert word in line, line
    assert not (tmp_path / "room.state").exists(), "nothing was created"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('profile = "email-plain-v1"', 'profile = "email"', ("profile", "email-plain-v1")),
        ("capacity = 400", "capasity = 400", ("parties.shop", "capasity", "capacity")),
        ("capacity = 400", 'capacity = "400"', ("capacity", "whole number")),
        ('reduce = "most_frequent"', 'reduce = "first"', ("first", "most_frequent")),
        ('high = "100"', 'high = "-1"', ("spend", "low is below high")),
        ('delta = "1e-9"', 'delta = "1e-3"', ("delta", "1e-9")),
        ('source = "shop.csv"', 'source = "shops.csv"', ("shop", "shops.csv")),
        ("format = 1", "format = 2", ("format",)),
        ('purpose = "A test"', 'purpose = "A test', ("TOML", "line")),
    ],
    ids=[
        "an unknown profile",
        "a misspelled key",
        "a number as text",
        "an unknown reduction",
        "bounds the wrong way round",
        "a delta too large",
        "a file that is not there",
        "another format",
        "broken TOML",
    ],
)
def test_a_wrong_room_file_is_answered_by_one_line(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    room = write_room(tmp_path)
    text = room.read_text(encoding="utf-8")
    assert old in text
    room.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = refused(cleanroom("sandbox", room, *ASK))
    for word in ("room.toml", *words):
        assert word in line, line
    assert not (tmp_path / "room.state").exists(), "nothing was created"


def test_a_missing_column_names_file_column_and_rule(tmp_path: Path) -> None:
    room = write_room(tmp_path)
    (tmp_path / "brand.csv").write_text("email,spend\na@example.com,1.00\n", encoding="utf-8")
    line = refused(cleanroom("sandbox", room, *ASK))
    for word in ("brand.csv", "colour", "contract"):
        assert word in line, line


def test_a_table_above_capacity_is_refused_at_its_own_node(tmp_path: Path) -> None:
    room = write_room(tmp_path)
    write_table(tmp_path / "brand.csv", range(400))
    line = refused(cleanroom("sandbox", room, *ASK))
    for word in ("brand", "capacity", "400"):
        assert word in line, line


def test_a_capacity_that_the_dummies_fill_is_refused_with_the_one_that_fits(tmp_path: Path) -> None:
    room = write_room(tmp_path, capacity=100)
    text = room.read_text(encoding="utf-8").replace('epsilon = "8", delta', 'epsilon = "1", delta')
    room.write_text(text, encoding="utf-8")
    line = refused(cleanroom("sandbox", room, *ASK))
    assert "raise capacity by at least" in line
