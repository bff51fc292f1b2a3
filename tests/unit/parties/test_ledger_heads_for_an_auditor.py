"""What a node signs about its ledger for an auditor: the truth of the moment, and nothing that harms its own checks."""

from contextlib import closing
from pathlib import Path

import pytest

from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.ledger_head import open_head
from parties.heads import Heads
from parties.ledger_check import check_ledger
from tests.unit.parties.nodes import AGREED, desk
from tests.unit.question.agreements import BANK, BRAND, SHOP, identity, plan


def test_an_exported_head_says_what_the_ledger_holds_and_the_ledger_still_fits(tmp_path: Path) -> None:
    owner = desk(tmp_path, BRAND)
    with closing(owner.database):
        made = plan(AGREED)
        with owner.database.transaction():
            owner.ledger.reserve(
                at=owner.now(), lineage=owner.dataset.lineage, room=AGREED.room, consumer=SHOP, plan_hash=made.hash(),
                quantity="histogram", units=made.cost_units,
            )  # fmt: skip
            statements = [Heads(owner).export(consumer, "ab" * 32) for consumer in (SHOP, BANK)]
        heads = [open_head(statement, identity(BRAND).public_bytes()) for statement in statements]
        assert [(head.consumer, head.spent, head.entries) for head in heads] == [
            (SHOP, made.cost_units, 1),
            (BANK, 0, 0),
        ]
        assert check_ledger(owner).heads == 2
        assert all(b"\n" not in statement for statement in statements), "a file holds one a line"
        assert peek_statement(statements[0])["actor"] == BRAND


@pytest.mark.parametrize("consumer", [SHOP, BANK])
def test_an_exported_head_changes_nothing_for_its_consumer(tmp_path: Path, consumer: str) -> None:
    owner = desk(tmp_path, BRAND)
    with closing(owner.database), owner.database.transaction():
        Heads(owner).export(consumer, "ab" * 32)
        assert owner.database.all("SELECT * FROM head_told") == []
        assert owner.database.all("SELECT * FROM bulk WHERE kind = 'head'") == []
