"""Which signatures the log needs: asker, owner and every auditor for a question, two parties for a folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from cleanroom.querylog.log_policy import log_key, log_policy, question_quorum
from cleanroom.question.contract import Auditor, Contract
from cleanroom.transparency.policy_file import parse_policy, policy_text
from tests.rooms import build_room
from tests.unit.question.agreements import FOLLOWS

SHOP, BRAND, BANK, AUDIT = (PartyName(name) for name in ("shop", "brand", "bank", "audit"))
AUDITOR = SigningKey(b"\x07" * 32).public_bytes()


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    folder: Path = tmp_path_factory.mktemp("room")
    return build_room(folder, ["shop", "brand", "bank"]).contract


@pytest.fixture(scope="module")
def audited(contract: Contract) -> Contract:
    return replace(contract, auditors={AUDIT: Auditor(AUDITOR)})


def test_log_and_cosigners_have_names_of_this_room(audited: Contract) -> None:
    policy = log_policy(audited)
    assert [key.name for key in policy.log_keys] == ["room.test/spring/log/1"]
    assert policy.cosigners[AUDIT].name == "room.test/spring/cosigner/audit"
    assert policy.cosigners[SHOP].public == audited.cards[SHOP].cosigning
    assert log_key(replace(audited, log_number=2, follows=FOLLOWS)).name == "room.test/spring/log/2"


def test_a_question_needs_asker_and_owner(contract: Contract) -> None:
    quorum = question_quorum(contract, asker=SHOP, owner=BRAND)
    assert quorum.is_met_by({SHOP, BRAND})
    assert not quorum.is_met_by({SHOP, BANK})
    assert not quorum.is_met_by({BRAND, BANK})


def test_a_question_needs_the_auditor_whom_the_contract_names(audited: Contract) -> None:
    quorum = question_quorum(audited, asker=SHOP, owner=BRAND)
    assert quorum.is_met_by({SHOP, BRAND, AUDIT})
    assert not quorum.is_met_by({SHOP, BRAND, BANK})


def test_a_folder_needs_two_parties_and_the_auditor(audited: Contract) -> None:
    quorum = log_policy(audited).quorum
    assert quorum.is_met_by({BANK, BRAND, AUDIT})
    assert not quorum.is_met_by({BANK, AUDIT})
    assert not quorum.is_met_by({SHOP, BANK, BRAND})


def test_the_policy_of_a_contract_can_be_written_for_other_people_s_tools(audited: Contract) -> None:
    policy = log_policy(audited)
    assert parse_policy(policy_text(policy).encode()) == policy


def test_nobody_outside_the_contract_asks_owns_or_cosigns(contract: Contract) -> None:
    for asker, owner in ((AUDIT, SHOP), (SHOP, AUDIT)):
        with pytest.raises(UsageError, match="not a party"):
            question_quorum(contract, asker=asker, owner=owner)
    with pytest.raises(UsageError):
        question_quorum(contract, asker=SHOP, owner=SHOP)


def test_an_auditor_who_need_not_cosign_may_and_nobody_waits_for_it(contract: Contract) -> None:
    audited = replace(contract, auditors={AUDIT: Auditor(AUDITOR, required=False)})
    assert AUDIT in log_policy(audited).cosigners
    assert AUDIT not in log_policy(audited).quorum.cosigners()
    assert question_quorum(audited, asker=SHOP, owner=BRAND) == question_quorum(contract, asker=SHOP, owner=BRAND)
