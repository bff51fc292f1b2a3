"""The commands of different companies, one after the other, as their operators would type them."""

import json
from pathlib import Path

import pytest

from tests.command_line import cleanroom, refused, said
from tests.enrolled_room import enrol, serving
from tests.small_room import write_room


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a coordinator and two companies have done everything but serve."""
    tmp_path = tmp_path_factory.mktemp("companies")
    enrol(tmp_path, write_room(tmp_path))
    return tmp_path


def test_two_companies_and_a_coordinator_answer_a_question(enrolled: Path) -> None:
    with serving(enrolled):
        printed = said(
            cleanroom("ask", "--home", enrolled / "shop", "--owner", "brand", "--epsilon", "8", "--json", "-")
        )
    cell = json.loads(printed)["cells"][0]
    assert abs(cell["value"] - 100) <= 12, "the noise of epsilon 8 has sigma 1: 12 away happens less than once in 10^30"


def test_check_tells_the_operator_about_the_table(enrolled: Path) -> None:
    report = said(cleanroom("party", "check", "--home", enrolled / "shop"))
    assert "200" in report
    assert "colour" in report


def test_a_wrong_fingerprint_is_not_trusted(enrolled: Path) -> None:
    wrong = "-".join(["0000"] * 10)
    line = refused(
        cleanroom("party", "card", "trust", enrolled / "brand" / "card.json", wrong, "--home", enrolled / "hub-2")
    )
    assert "another fingerprint" in line


def test_a_certificate_for_somebody_else_is_not_accepted(enrolled: Path) -> None:
    line = refused(cleanroom("party", "accept", enrolled / "brand.pem", "--home", enrolled / "shop"))
    assert "certificate" in line


def test_a_key_file_that_others_can_read_stops_the_node(enrolled: Path) -> None:
    key = enrolled / "shop" / "keys" / "identity.key"
    key.chmod(0o644)
    try:
        line = refused(cleanroom("party", "check", "--home", enrolled / "shop"))
    finally:
        key.chmod(0o600)
    assert "chmod 600" in line
