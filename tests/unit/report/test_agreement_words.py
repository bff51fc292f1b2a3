"""Everything that is signed is said, and everything that changes is said."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cleanroom.report.agreement_words import changes, lines, terms
from cleanroom.wire.contract_file import contract_bytes
from tests.unit.question.agreements import BRAND, SHOP, contract, dataset, dimension, measure

AGREED = contract()
SAID_OTHERWISE = {"cards", "coordinator", "kind", "format", "profile"}
"""Keys as fingerprints, the profile as a sentence."""


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value inside a JSON value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def test_every_term_of_the_contract_is_said() -> None:
    page = "\n".join(lines(AGREED))
    body = {name: value for name, value in json.loads(contract_bytes(AGREED)).items() if name not in SAID_OTHERWISE}
    unsaid = [(path, value) for path, value in leaves(body) if value and not _is_said(path, value, page)]
    assert not unsaid


def _is_said(path: tuple[str, ...], value: Any, page: str) -> bool:
    if path[-1] in ("epsilon", "delta"):
        return {"2/1": "epsilon 2 ", "1/1000000000": "delta 1e-9"}[value] in page
    words = {"most_frequent": "most frequent", "sum": "the sum of"}
    return words.get(str(value), str(value)) in page


@pytest.mark.parametrize("name", AGREED.cards)
def test_keys_are_said_as_the_fingerprints_of_the_telephone(name: str) -> None:
    page = "\n".join(lines(AGREED))
    assert AGREED.coordinator.fingerprint() in page
    assert next(card for card in AGREED.cards.values() if card.name == name).fingerprint() in page


def test_no_two_terms_have_one_name() -> None:
    named = [(term.place, term.name) for term in terms(AGREED)]
    assert len(set(named)) == len(named)


CHANGES: dict[str, tuple[Any, str]] = {
    "a capacity": (
        contract({SHOP: dataset(SHOP, capacity=2000)}),
        "shop: shown to others instead of the number of people: 2000; it was: 1000",
    ),
    "a new column": (
        contract({SHOP: dataset(SHOP, columns=(*dataset(SHOP).columns, dimension("size")))}),
        "shop: column size: new: dimension",
    ),
    "a column that is gone": (
        contract({SHOP: dataset(SHOP, columns=dataset(SHOP).columns[:2])}),
        "shop: column spend: no longer; it was: measure",
    ),
    "a bound": (
        contract({SHOP: dataset(SHOP, columns=(*dataset(SHOP).columns[:2], measure(low=Decimal(0))))}),
        "shop: column spend: measure; from 0 to 100",
    ),
    "a consumer that is gone": (
        contract({SHOP: dataset(SHOP, consumer_caps={BRAND: 4 * 2**40})}),
        "shop: bank may ask for: no longer",
    ),
    "a purpose": (replace(AGREED, purpose="another"), "the room: purpose: another; it was: to test a room"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_said_with_what_it_was(case: str) -> None:
    new, text = CHANGES[case]
    found = changes(AGREED, new)
    assert len(found) == 1
    assert found[0].startswith(text)


def test_the_same_terms_change_nothing() -> None:
    assert changes(AGREED, contract()) == []
