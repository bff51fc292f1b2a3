"""A room file: every rule, with the place of the mistake in one line, and nothing half read."""

import base64
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.errors import UsageError
from cleanroom.privacy.budget import units_for_epsilon
from cleanroom.question.approval import Approval
from cleanroom.question.columns import Dimension, Hidden, Measure, Reduction
from cleanroom.question.contract import Auditor
from cleanroom.question.dataset import DEFAULT_QUESTIONS, MAX_CELLS, Overlap
from cleanroom.question.quantity import BASES, QUANTITIES
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


def test_every_term_of_the_contract_can_be_written(tmp_path: Path) -> None:
    head = 'format = 1\nstarts = 2026-01-01\nends = "2026-12-31"\naccountant = "pure"\n'
    terms = """capacity = 400
questions = ["count", "quantile"]
over = ["table"]
cells = 9
questions_each = 5
display_threshold = 20
fresh_days = 30
approval = { columns = ["colour"], cells = 4, epsilon_per_question = "0.5", epsilon_per_day = "2" }"""
    text = TEXT.replace("format = 1\n", head).replace("capacity = 400", terms, 1)
    text = text.replace('step = "0.5"', 'step = "0.5"\nedges = ["10", "50.5"]\nconsumers = ["brand"]', 1)
    more = f"""
[parties.shop.columns.age]
role = ["dimension", "measure"]
from = "age"
reduce = "last"
order_by = "day"
date_format = "%Y"
values = ["30", "40"]
unit = "years"
low = "0"
high = "100"
step = "1"

[parties.shop.columns.salary]
role = "hidden"

[auditors.kpmg]
key = "{base64.b64encode(bytes(range(32))).decode()}"
"""
    room = read(tmp_path, text + more)
    assert (room.starts, room.ends, room.accountant) == ("2026-01-01", "2026-12-31", "pure")
    assert room.auditors == {"kpmg": Auditor(bytes(range(32)))}
    shop = room.datasets[SHOP]
    assert (shop.questions, shop.bases) == (("count", "quantile"), ("table",))
    assert (shop.cells, shop.questions_each, shop.display_threshold, shop.fresh_days) == (9, 5, 20, 30)
    assert shop.cap_units == 20 * 2**40, "a pure room's units are of epsilon"
    assert shop.approval == Approval(columns=("colour",), cells=4, units_per_question=2**39, units_per_day=2 * 2**40)
    assert (shop.dimensions(), shop.measures(), shop.hidden()) == (("colour", "age"), ("spend", "age"), ("salary",))
    spend = shop.measure("spend")
    assert spend is not None
    assert (spend.edges, spend.consumers) == ((Decimal(10), Decimal("50.5")), (BRAND,))


def test_what_is_left_out_has_no_limit_of_its_own(tmp_path: Path) -> None:
    room = read(tmp_path, TEXT)
    shop = room.datasets[SHOP]
    assert (room.starts, room.ends, room.accountant, dict(room.auditors)) == ("", "", "zcdp", {})
    assert (shop.questions, shop.bases, shop.cells) == (QUANTITIES, BASES, MAX_CELLS)
    assert (shop.questions_each, shop.display_threshold, shop.fresh_days) == (DEFAULT_QUESTIONS, 0, 0)
    assert shop.approval == Approval()
    assert [column.consumers for column in shop.columns if not isinstance(column, Hidden)] == [None, None]


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
    "a grant to an unknown party": (
        swap('from = "colour"', 'from = "colour"\nconsumers = ["brnad"]'),
        "shop: columns.colour: consumers: `brnad` has no budget here; did you mean `brand`[?]",
    ),
    "a mode of approval": (
        swap("capacity = 400", 'capacity = 400\napproval = { mode = "require" }'),
        "no mode `require`; did you mean `required`[?]",
    ),
    "an unknown limit of approval": (
        swap("capacity = 400", 'capacity = 400\napproval = { epsilon_per_dya = "1" }'),
        "parties.shop.approval: unknown key `epsilon_per_dya`; did you mean `epsilon_per_day`[?]",
    ),
    "an epsilon of approval as a word": (
        swap("capacity = 400", 'capacity = 400\napproval = { epsilon_per_day = "one" }'),
        "parties.shop.approval: `epsilon_per_day`: epsilon `one` is not a number",
    ),
    "a required approval with limits": (
        swap("capacity = 400", 'capacity = 400\napproval = { mode = "required", cells = 4 }'),
        "no limits to state",
    ),
    "a base that is none": (swap("capacity = 400", 'capacity = 400\nover = ["tabel"]'), "did you mean `table`[?]"),
    "no cell": (swap("capacity = 400", "capacity = 400\ncells = 0"), "shop: cells is a whole number from 1"),
    "a threshold as text": (
        swap("capacity = 400", 'capacity = 400\ndisplay_threshold = "20"'),
        "`display_threshold` must be a whole number",
    ),
    "an unknown accountant": (swap("format = 1", 'format = 1\naccountant = "zdcp"'), "accountant is one of zcdp, pure"),
    "a last day before the first": (
        swap("format = 1", 'format = 1\nstarts = "2026-02-01"\nends = "2026-01-31"'),
        "ends before it starts",
    ),
    "a day that is none": (swap("format = 1", 'format = 1\nends = "2026-02-30"'), "ends is a day written YYYY-MM-DD"),
    "a day with an hour": (swap("format = 1", "format = 1\nends = 2026-02-03T04:05:06"), "`ends` must be text"),
    "an auditor without a key": (lambda: TEXT + "\n[auditors.kpmg]\n", "auditors.kpmg: `key` is missing"),
    "an auditor's key that is no base64": (
        lambda: TEXT + '\n[auditors.kpmg]\nkey = "abc!"\n',
        "auditors.kpmg: `key` is the auditor's cosigning key in base64",
    ),
    "a hidden column with values": (
        swap('role = "dimension"', 'role = "hidden"'),
        "colour: unknown key `from`; known: role",
    ),
    "a hidden column with another role": (
        swap('role = "dimension"', 'role = ["hidden", "dimension"]'),
        "a hidden column has no other role",
    ),
    "edges out of order": (swap('step = "0.5"', 'step = "0.5"\nedges = ["50", "10"]'), "edges are ascending"),
    "an edge beside the step": (swap('step = "0.5"', 'step = "0.5"\nedges = ["10.3"]'), "multiples of step"),
    "an edge at the lower bound": (swap('step = "0.5"', 'step = "0.5"\nedges = ["0"]'), "edges lie above low"),
    "an edge that is no number": (swap('step = "0.5"', 'step = "0.5"\nedges = ["ten"]'), "`edges` must be a number"),
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
