"""A room file: every rule, with the place of the mistake in one line, and nothing half read."""

import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.errors import UsageError
from cleanroom.privacy.budget import units_for_epsilon
from cleanroom.question.columns import Dimension, Measure, Reduction
from cleanroom.question.dataset import Overlap
from parties.room_file import DEFAULT_SETUPS, MAX_FILE_BYTES, RoomFile, read_room_file
from tests.small_room import room_text
from tests.unit.question.agreements import BANK, BRAND, SHOP, card, coordinator

TEXT = room_text()


def read(folder: Path, text: str | bytes) -> RoomFile:
    """The room of this text."""
    path = folder / "room.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_room_file(path)


def test_a_room_is_read_as_it_was_written(tmp_path: Path) -> None:
    room = read(tmp_path, TEXT)
    assert (room.room, room.purpose, room.profile, room.region) == ("small", "A test", "email-plain-v1", "")
    assert room.setups_per_match == DEFAULT_SETUPS
    shop = room.datasets[SHOP]
    assert (shop.lineage, shop.key, shop.capacity) == ("shop/small", ("email",), 400)
    assert shop.overlap == Overlap(Fraction(8), Fraction(1, 10**9), 3)
    assert shop.cap_units == units_for_epsilon(Fraction(20))
    assert shop.consumer_caps == {BRAND: shop.cap_units}
    spend = Measure(
        shop.measures()[0], Reduction("sum", source="spend"), "euros", 2, Decimal(0), Decimal(100), Decimal("0.5")
    )
    colour = Dimension(shop.dimensions()[0], Reduction("most_frequent", source="colour"), ("red", "blue"))
    assert shop.columns == (colour, spend)


def test_paths_are_relative_to_the_file_and_stay_out_of_the_terms(tmp_path: Path) -> None:
    room = read(tmp_path, TEXT.replace('source = "shop.csv"', 'source = "a/shop.csv"\nopt_out = "left.csv"'))
    assert room.sources[SHOP].path == tmp_path / "a/shop.csv"
    assert room.sources[SHOP].opt_out == tmp_path / "left.csv"
    assert room.sources[BRAND].opt_out is None
    assert "csv" not in repr(room.datasets)


def test_a_party_s_copy_may_leave_out_where_others_read(tmp_path: Path) -> None:
    room = read(tmp_path, TEXT.replace('source = "shop.csv"\n', ""))
    assert set(room.sources) == {BRAND}
    assert room.datasets == read(tmp_path, TEXT).datasets


def test_a_cap_that_is_not_shared_out_is_shared_equally(tmp_path: Path) -> None:
    room = read(tmp_path, room_text(("shop", "brand", "bank")))
    cap = room.datasets[SHOP].cap_units
    assert room.datasets[SHOP].consumer_caps == {"brand": cap // 2, "bank": cap // 2}


def test_stated_sub_caps_are_taken(tmp_path: Path) -> None:
    stated = 'capacity = 400\nconsumers = { brand = { epsilon = "1" } }'
    room = read(tmp_path, TEXT.replace("capacity = 400", stated, 1))
    assert room.datasets[SHOP].consumer_caps == {BRAND: units_for_epsilon(Fraction(1))}


def swap(old: str, new: str) -> Callable[[], str]:
    """The room with one thing written otherwise, at shop."""
    assert old in TEXT
    return lambda: TEXT.replace(old, new, 1)


REFUSED: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "no format": (swap("format = 1\n", ""), "format = 1"),
    "another format": (swap("format = 1", "format = 2"), "format = 1"),
    "format true": (swap("format = 1", "format = true"), "format = 1"),
    "format 1.0": (swap("format = 1", "format = 1.0"), "format = 1"),
    "no room": (swap('room = "small"\n', ""), "`room` is missing"),
    "a room in capitals": (swap('room = "small"', 'room = "Small"'), "a room name must be"),
    "a room that is a number": (swap('room = "small"', "room = 5"), "`room` must be text"),
    "no purpose": (swap('purpose = "A test"\n', ""), "`purpose` is missing"),
    "no match": (swap('[match]\nprofile = "email-plain-v1"\n', ""), "`match` is missing"),
    "an unknown profile": (swap("email-plain-v1", "email-v9"), "profiles: opaque-v1"),
    "a region for addresses": (
        swap('profile = "email-plain-v1"', 'profile = "email-plain-v1"\nregion = "US"'),
        "region",
    ),
    "an unknown key": (swap("format = 1", "format = 1\nnoise = 0"), "unknown key `noise`; known: accountant"),
    "an unknown match key": (swap("[match]", "[match]\nsalt = 1"), "match: unknown key `salt`"),
    "an unknown party key": (swap("capacity = 400", "capacity = 400\nnoise = 0"), "parties.shop: unknown key `noise`"),
    "an unknown column key": (swap('role = "dimension"', 'role = "dimension"\nlow = "0"'), "colour: unknown key `low`"),
    "values of a measure": (swap('role = "measure"', 'role = "measure"\nvalues = []'), "spend: unknown key `values`"),
    "a set-up count as text": (
        swap("format = 1", 'format = 1\nsetups_per_match = "3"'),
        "`setups_per_match` must be a who",
    ),
    "one party": (lambda: room_text(("shop",)), "at least two parties"),
    "a party in capitals": (lambda: TEXT.replace("parties.shop", "parties.Shop"), "a party name must be"),
    "a party that is a number": (
        lambda: TEXT.split("\n[parties.shop]")[0] + "\n[parties]\na = 1\nb = 2\n",
        "must be a table",
    ),
    "an opt-out list without a source": (
        swap('source = "shop.csv"', 'opt_out = "a.csv"'),
        "parties.shop: `opt_out` without `source`",
    ),
    "a source that is a list": (swap('source = "shop.csv"', 'source = ["shop.csv"]'), "`source` must be text"),
    "no key": (swap('key = ["email"]\n', ""), "`key` is missing"),
    "a key that is text": (swap('key = ["email"]', 'key = "email"'), "`key` must be a list"),
    "a key of numbers": (swap('key = ["email"]', "key = [1]"), "list of texts"),
    "no capacity": (swap("capacity = 400\n", ""), "`capacity` is missing"),
    "capacity true": (swap("capacity = 400", "capacity = true"), "`capacity` must be a whole number"),
    "capacity 99": (swap("capacity = 400", "capacity = 99"), "shop: capacity"),
    "capacity 2^53": (swap("capacity = 400", f"capacity = {2**53}"), "shop: capacity"),
    "capacity nan": (swap("capacity = 400", "capacity = nan"), "`capacity` must be a whole number"),
    "no budget": (swap('budget = { epsilon = "20" }\n', ""), "`budget` is missing"),
    "a budget that is a number": (swap('{ epsilon = "20" }', "{ epsilon = 20.0 }"), "`epsilon` must be text"),
    "a budget without an epsilon": (swap('{ epsilon = "20" }', "{ }"), "budget: `epsilon` is missing"),
    "a budget of another kind": (swap('{ epsilon = "20" }', '{ rho = "1" }'), "budget: unknown key `rho`"),
    "epsilon 0": (swap('{ epsilon = "20" }', '{ epsilon = "0" }'), "shop.budget: epsilon `0` is not above 0"),
    "epsilon -1": (swap('{ epsilon = "20" }', '{ epsilon = "-1" }'), "shop.budget: epsilon `-1` is not above 0"),
    "epsilon nan": (swap('{ epsilon = "20" }', '{ epsilon = "nan" }'), "shop.budget: epsilon `nan` is not a number"),
    "epsilon 1e308": (
        swap('{ epsilon = "20" }', '{ epsilon = "1e308" }'),
        "shop.budget: epsilon `1e308` has an exponent",
    ),
    "no overlap": (swap('overlap = { epsilon = "8", delta = "1e-9", matches = 3 }\n', ""), "`overlap` is missing"),
    "an overlap epsilon of 17": (swap('epsilon = "8"', 'epsilon = "17"'), "overlap: epsilon"),
    "an overlap delta too large": (swap('delta = "1e-9"', 'delta = "1e-8"'), "overlap: delta"),
    "an overlap delta of nan": (swap('delta = "1e-9"', 'delta = "nan"'), "overlap: `delta` must be a number"),
    "an infinite overlap delta": (swap('delta = "1e-9"', 'delta = "inf"'), "overlap: `delta` must be a number"),
    "an overlap delta of a billion digits": (
        swap('delta = "1e-9"', 'delta = "1e-999999999"'),
        "`delta` must be a number",
    ),
    "a low of a billion digits": (swap('low = "0"', 'low = "1e-999999999"'), "`low` must be a number"),
    "a high of a hundred digits": (swap('high = "100"', 'high = "1e99"'), "spend.*at most 20 digits"),
    "a high in Arabic digits": (swap('high = "100"', 'high = "\u0661"'), "`high` must be a number"),
    "a high that is a number": (swap('high = "100"', "high = 100"), "`high` must be text"),
    "a step of nothing": (swap('step = "0.5"', 'step = "0"'), "step is above 0"),
    "a low beside the grid": (swap('low = "0"', 'low = "0.3"'), "multiples of step"),
    "no role": (swap('role = "dimension"\n', ""), '`role` is "dimension", "measure" or "hidden"'),
    "an unknown role": (swap('role = "dimension"', 'role = "key"'), '`role` is "dimension", "measure" or "hidden"'),
    "a role twice": (
        swap('role = "dimension"', 'role = ["dimension", "dimension"]'),
        '`role` is "dimension", "measure" or "hidden"',
    ),
    "an unknown reduction": (swap('"most_frequent"', '"first"'), "there is no reduction `first`"),
    "no reduction": (swap('reduce = "most_frequent"\n', ""), "`reduce` is missing"),
    "a value twice": (swap('["red", "blue"]', '["red", "red"]'), "distinct"),
    "a declared other": (swap('["red", "blue"]', '["red", "other"]'), "distinct"),
    "a value that is a number": (swap('["red", "blue"]', '["red", 1]'), "list of texts"),
    "a filter of numbers": (swap('from = "colour"', 'from = "colour"\nwhere = { a = [1] }'), r"colour\.where"),
    "a column name with a blank": (
        swap("[parties.shop.columns.colour]", '[parties.shop.columns."a b"]'),
        "a column name",
    ),
    "a foreign key in consumers": (
        swap("capacity = 400", 'capacity = 400\nconsumers = { "A B" = { epsilon = "1" } }'),
        "party name",
    ),
    "sub-caps above the cap": (
        swap("capacity = 400", 'capacity = 400\nconsumers = { brand = { epsilon = "21" } }'),
        "add up",
    ),
    "a duplicate key": (swap("capacity = 400", "capacity = 400\ncapacity = 401"), r"not TOML.*line \d+"),
    "a broken line": (swap("capacity = 400", "capacity ="), r"not TOML.*line \d+"),
    "a number of five thousand digits": (swap("capacity = 400", f"capacity = {'9' * 5000}"), "not TOML"),
    "ten thousand levels": (lambda: "a = " + "[" * 10_000, "not TOML"),
    "bytes that are no text": (lambda: b"\xff\xfe", "not TOML"),
    "one byte too many": (lambda: "#" * (MAX_FILE_BYTES + 1), "larger than"),
    "five megabytes": (lambda: "[" * 5_000_000, "larger than"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_one_line_with_file_and_place(tmp_path: Path, case: str) -> None:
    text, message = REFUSED[case]
    started = time.perf_counter()
    with pytest.raises(UsageError, match=message) as caught:
        read(tmp_path, text())
    assert time.perf_counter() - started < 2
    assert str(caught.value).startswith(str(tmp_path / "room.toml"))
    assert "\n" not in str(caught.value)


def test_a_file_of_exactly_a_mebibyte_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT + "#" * (MAX_FILE_BYTES - len(TEXT))).room == "small"


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_room_file(tmp_path / "absent.toml")


def test_a_contract_needs_every_party_s_card(tmp_path: Path) -> None:
    room = read(tmp_path, TEXT)
    with pytest.raises(UsageError, match="no card of brand"):
        room.contract({SHOP: card("shop")}, coordinator())
    made = room.contract({name: card(name) for name in (SHOP, BRAND, BANK)}, coordinator())
    assert set(made.cards) == {"shop", "brand"}
    assert made.datasets == room.datasets


def test_a_capacity_that_only_dummies_fill_is_refused_with_what_would_fit(tmp_path: Path) -> None:
    """The file asks for more dummies than 100 places; what is advised is the least that holds one person."""
    strict = TEXT.replace('epsilon = "8", delta', 'epsilon = "2", delta')
    cards = {name: card(name) for name in (SHOP, BRAND)}
    with pytest.raises(UsageError, match="raise capacity by at least") as caught:
        read(tmp_path, strict.replace("capacity = 400", "capacity = 100")).contract(cards, coordinator())
    least = 100 + int(str(caught.value).split()[-1])
    read(tmp_path, strict.replace("capacity = 400", f"capacity = {least}")).contract(cards, coordinator())
    with pytest.raises(UsageError, match="at least 1"):
        read(tmp_path, strict.replace("capacity = 400", f"capacity = {least - 1}")).contract(cards, coordinator())
