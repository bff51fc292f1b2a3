"""What an operator types to agree on a room, to stop it and to go on, and the one line for each mistake."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time

import pytest
import tomli_w

from cleanroom.client.door import short_name
from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.errors import CleanroomError, PeerError, RefusedError, StateError, UnavailableError, UsageError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.question.agreement import parse_agreement
from parties.beside import desk_beside
from parties.command.main import cli
from parties.door import MAX_CALLERS, Door
from parties.home import Home
from parties.room_life import door_commands, stop_at_home
from parties.serve import open_home
from parties.settings import Analyst, read_settings
from tests.small_room import write_room
from tests.unit.parties.vanishing import vanishing

NAMES = ("shop", "brand")
WHY = "the lawyers ask for a day"


@dataclass(frozen=True)
class Companies:
    """Two companies that trust each other's cards and have agreed on nothing yet."""

    folder: Path
    printed: Callable[[], str]

    @property
    def room_file(self) -> Path:
        """The room file, the same at both."""
        return self.folder / "room.toml"

    @property
    def file(self) -> Path:
        """The agreement on its way."""
        return self.folder / "agreement.json"

    def home(self, name: str) -> Home:
        """A company's folder."""
        return Home(self.folder / name)

    def run(self, *arguments: object) -> str:
        """What the command printed; raises what it would have shown as one line."""
        cli.main([str(argument) for argument in arguments], standalone_mode=False)
        return self.printed()

    def room(self, command: str, name: str, *arguments: object) -> str:
        """`cleanroom room COMMAND … --home NAME`."""
        return self.run("room", command, *arguments, "--home", self.folder / name)

    def propose(self) -> str:
        """shop proposes."""
        return self.room("propose", "shop", self.room_file, "--out", self.file)

    def agree(self) -> None:
        """shop proposes, brand signs, shop puts it in force."""
        self.propose()
        self.room("sign", "brand", self.file, "--room", self.room_file)
        self.room("sign", "shop", self.file)

    def change(self, old: str, new: str) -> None:
        """Other terms in the room file."""
        text = self.room_file.read_text(encoding="utf-8")
        assert old in text
        self.room_file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def companies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Companies:
    """Cards are exchanged and trusted; nothing is agreed on."""
    write_room(tmp_path)
    coordinator = CoordinatorHome.create(tmp_path / "hub", "room.example", "127.0.0.1:9", now=datetime.now(UTC)).card()
    cards = [Home(tmp_path / name).create(PartyName(name)) for name in NAMES]
    for name in NAMES:
        home = Home(tmp_path / name)
        home.trust(coordinator, coordinator.fingerprint())
        for card in cards:
            if card.name != name:
                home.trust(card, card.fingerprint())
    return Companies(tmp_path, lambda: capsys.readouterr().out)


# ---- agreeing --------------------------------------------------------------------------------------------------------


def test_a_proposal_is_signed_by_who_made_it_and_says_who_is_next(companies: Companies) -> None:
    printed = companies.propose()
    assert "signed    shop" in printed
    assert "missing   brand" in printed
    assert "cleanroom room sign agreement.json" in printed
    assert read_settings(companies.home("shop").settings_file).source.path == companies.folder / "shop.csv"
    assert not companies.home("shop").agreement_file.exists()


def test_the_last_signature_puts_it_in_force_there_and_signing_again_at_the_others(companies: Companies) -> None:
    companies.propose()
    assert "in force" in companies.room("sign", "brand", companies.file, "--room", companies.room_file)
    before = companies.file.read_bytes()
    with pytest.raises(UsageError, match="has no agreement yet: cleanroom room propose"):
        companies.room("status", "shop")
    for _ in range(2):
        assert "in force" in companies.room("sign", "shop", companies.file)
    assert companies.file.read_bytes() == before
    agreed = {companies.home(name).agreement_file.read_bytes() for name in NAMES}
    assert agreed == {before}
    assert open_home(companies.home("shop")).agreement.complete


def test_an_incomplete_agreement_opens_no_node(companies: Companies) -> None:
    companies.propose()
    companies.home("shop").agreement_file.write_bytes(companies.file.read_bytes())
    with pytest.raises(UsageError, match="is not in force: not signed by brand;"):
        open_home(companies.home("shop"))


def test_a_proposal_does_not_overwrite_what_others_signed(companies: Companies) -> None:
    companies.propose()
    with pytest.raises(UsageError, match="is there already, and others may have signed it"):
        companies.propose()


def test_who_is_not_in_the_room_proposes_nothing(companies: Companies) -> None:
    text = companies.room_file.read_text(encoding="utf-8").replace("parties.shop", "parties.store")
    companies.room_file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="does not name shop; parties: store, brand"):
        companies.propose()


def test_a_card_that_was_not_trusted_by_hand_is_not_signed(companies: Companies) -> None:
    companies.propose()
    (companies.home("brand").path / "trusted" / "party-shop.json").unlink()
    with pytest.raises(StateError, match=r"a card of shop that this node does not trust: confirm its fingerprint"):
        companies.room("sign", "brand", companies.file, "--room", companies.room_file)
    assert parse_agreement(companies.file.read_bytes()).missing == ("brand",)


def test_another_coordinator_is_not_signed(companies: Companies) -> None:
    companies.propose()
    other = CoordinatorHome.create(companies.folder / "hub-2", "room.example", "127.0.0.1:8", now=datetime.now(UTC))
    companies.home("brand").coordinator_file.unlink()
    companies.home("brand").trust(other.card(), other.card().fingerprint())
    with pytest.raises(StateError, match="another coordinator than the one this node trusts"):
        companies.room("sign", "brand", companies.file, "--room", companies.room_file)


def test_nobody_signs_for_a_table_that_is_not_there(companies: Companies) -> None:
    companies.propose()
    with pytest.raises(UsageError, match=r"no table is named for brand.*--room ROOM.toml"):
        companies.room("sign", "brand", companies.file)
    (companies.folder / "brand.csv").unlink()
    with pytest.raises(UsageError, match=r"there is no file .*brand.csv.*before you sign"):
        companies.room("sign", "brand", companies.file, "--room", companies.room_file)
    assert not companies.home("brand").settings_file.exists()
    assert parse_agreement(companies.file.read_bytes()).missing == ("brand",)


def test_an_agreement_that_differs_from_ones_own_room_file_is_not_signed(companies: Companies) -> None:
    companies.propose()
    companies.change('budget = { epsilon = "20" }', 'budget = { epsilon = "2" }')
    with pytest.raises(UsageError, match=r"not say what .*room.toml says; shop: .*20 .*; the file says: .*2 .*1 more"):
        companies.room("sign", "brand", companies.file, "--room", companies.room_file)


def test_a_damaged_agreement_is_one_line(companies: Companies) -> None:
    companies.propose()
    companies.file.write_bytes(companies.file.read_bytes()[:-9])
    with pytest.raises(PeerError, match="canonical JSON"):
        companies.room("sign", "brand", companies.file, "--room", companies.room_file)


def test_show_says_the_terms_and_who_signed_of_a_file_and_of_a_home(companies: Companies) -> None:
    companies.propose()
    printed = companies.run("room", "show", companies.file)
    for words in ("purpose: A test", "shop", "brand", "dimension colour: one of red, blue, or other", "euros"):
        assert words in printed
    assert "missing   brand" in printed
    companies.room("sign", "brand", companies.file, "--room", companies.room_file)
    assert "signed    brand" in companies.run("room", "show", companies.home("brand").path)


def test_diff_says_term_by_term_what_a_new_agreement_changes(companies: Companies) -> None:
    companies.agree()
    assert "nothing changes" in companies.room("diff", "shop", companies.file)
    companies.change("capacity = 400", "capacity = 500")
    new = companies.folder / "new.json"
    companies.room("propose", "brand", companies.room_file, "--out", new)
    printed = companies.room("diff", "shop", new)
    assert "shop: shown to others instead of the number of people: 500; it was: 400" in printed
    assert "missing   shop" in printed
    assert len([line for line in printed.splitlines() if "it was" in line]) == 1


# ---- stopping and going on -------------------------------------------------------------------------------------------


def test_status_says_what_is_in_force_and_who_stopped_it_and_whose_signature_is_missing(companies: Companies) -> None:
    companies.agree()
    printed = companies.room("status", "brand")
    assert "room      small" in printed
    assert "signed    shop" in printed
    assert "standing  open" in printed
    companies.room("pause", "brand", "--reason", WHY)
    printed = companies.room("status", "brand")
    assert "paused by brand, " in printed
    assert WHY in printed
    assert "needs the signatures of brand, shop" in printed
    file = companies.folder / "resumption.json"
    companies.room("resume", "brand", "--out", file)
    assert "missing   shop: on the resumption" in companies.room("status", "brand")


def test_going_on_takes_every_signature_at_every_node(companies: Companies) -> None:
    companies.agree()
    companies.room("pause", "brand", "--reason", WHY)
    file = companies.folder / "resumption.json"
    printed = companies.room("resume", "brand", "--out", file)
    assert "lifts     paused by brand" in printed
    assert "missing   shop" in printed
    assert "paused" in companies.room("status", "brand")
    assert "resumed" in companies.room("resume", "shop", file)
    assert "paused" in companies.room("status", "brand")
    assert "resumed   at" in companies.room("resume", "brand", file)
    assert "standing  open" in companies.room("status", "brand")
    companies.room("pause", "brand", "--reason", "again")
    assert "nothing was lifted by it now" in companies.room("resume", "brand", file)
    assert "paused by brand" in companies.room("status", "brand")


def test_resuming_once_more_without_a_file_loses_nobody_s_signature(companies: Companies) -> None:
    """It once began anew over what both had signed, and asked for the other's signature again."""
    companies.agree()
    companies.room("pause", "brand", "--reason", WHY)
    file = companies.folder / "resumption.json"
    companies.room("resume", "brand", "--out", file)
    assert "missing   shop" in companies.room("resume", "brand")
    companies.room("resume", "shop", file)
    companies.home("brand").resumption_file.write_bytes(file.read_bytes())
    printed = companies.room("resume", "brand")
    assert "signed    shop" in printed
    assert "resumed   at" in printed
    assert companies.home("brand").resumption_file.read_bytes() == file.read_bytes()


def test_a_new_file_holds_the_signatures_that_are_known_here(companies: Companies) -> None:
    companies.agree()
    companies.room("pause", "brand", "--reason", WHY)
    first, second = companies.folder / "first.json", companies.folder / "second.json"
    companies.room("resume", "brand", "--out", first)
    assert "missing   shop" in companies.room("resume", "brand", "--out", second)
    assert second.read_bytes() == first.read_bytes()


def test_after_another_pause_resuming_without_a_file_starts_anew(companies: Companies) -> None:
    companies.agree()
    companies.room("pause", "brand", "--reason", WHY)
    companies.room("resume", "brand")
    companies.room("pause", "brand", "--reason", "and again")
    printed = companies.room("resume", "brand")
    assert printed.count("lifts     paused by brand") == 2
    assert "missing   shop" in printed


def test_a_file_and_a_place_for_a_new_one_are_not_given_together(companies: Companies) -> None:
    companies.agree()
    companies.room("pause", "brand", "--reason", WHY)
    file = companies.folder / "resumption.json"
    companies.room("resume", "brand", "--out", file)
    other = companies.folder / "other.json"
    with pytest.raises(UsageError, match=r"--out is for a new resumption, .*leave one of the two out"):
        companies.room("resume", "shop", file, "--out", other)
    assert not other.exists()
    assert not companies.home("shop").resumption_file.exists()


def test_a_resumption_that_does_not_lift_a_pause_known_here_is_not_signed(companies: Companies) -> None:
    companies.agree()
    companies.room("pause", "brand", "--reason", WHY)
    file = companies.folder / "resumption.json"
    companies.room("resume", "brand", "--out", file)
    companies.room("pause", "shop", "--reason", "and we")
    with pytest.raises(UsageError, match=r"does not lift what was paused by shop, .*: and we; start another"):
        companies.room("resume", "shop", file)


def test_there_is_nothing_to_resume_in_an_open_room(companies: Companies) -> None:
    companies.agree()
    with pytest.raises(UsageError, match="not paused; there is nothing to resume"):
        companies.room("resume", "shop")


def test_a_closed_room_stays_closed(companies: Companies) -> None:
    companies.agree()
    companies.room("close", "shop", "--reason", "it is over")
    assert "closed by shop" in companies.room("status", "shop")
    with pytest.raises(UsageError, match=r"closed by shop, .*: it is over; agree on a room under another name"):
        companies.room("resume", "shop")
    with pytest.raises(UsageError, match="was closed by shop: it is over"):
        companies.room("pause", "shop", "--reason", WHY)
    with pytest.raises(StateError, match="agree on a room under another name"):
        companies.room("sign", "shop", companies.file)


@pytest.mark.parametrize("reason", ["", "w" * 201, "a\nb"])
def test_a_reason_is_one_line_of_200_characters(companies: Companies, reason: str) -> None:
    companies.agree()
    with pytest.raises(UsageError, match="a reason"):
        companies.room("pause", "shop", "--reason", reason)
    assert "standing  open" in companies.room("status", "shop")


# ---- through a running node's door -----------------------------------------------------------------------------------


class Bell:
    """What a node's worker is told."""

    def __init__(self, companies: Companies) -> None:
        self.opened = open_home(companies.home("shop"))
        self.desk = self.opened.desk
        self.rung = 0

    def stopped_beside(self) -> None:
        """The room was stopped."""
        self.rung += 1


@pytest.fixture
def served(companies: Companies) -> Iterator[Bell]:
    """shop's home is locked and its door answers, as while a node serves; roles are those of its settings."""
    companies.agree()
    home = companies.home("shop")
    bell = Bell(companies)
    door = Door(home.socket_file, bell.opened.settings, door_commands(home, bell.opened.agreement, bell))  # type: ignore[arg-type] # all that is called of a node
    door.start()
    try:
        with home.locked():
            yield bell
    finally:
        door.close()
        bell.desk.database.close()


def test_while_a_node_serves_the_pause_goes_through_its_door(companies: Companies, served: Bell) -> None:
    companies.room("pause", "shop", "--reason", WHY)
    assert served.rung == 1
    assert served.desk.stops.standing().reason == WHY
    with pytest.raises(RefusedError, match="paused by shop"):
        served.desk.stops.check_open()


def test_an_operator_under_another_user_pauses_at_the_socket(companies: Companies, served: Bell) -> None:
    """Such a user reaches the node's socket, and can not read its home."""
    socket = companies.home("shop").socket_file
    assert "paused" in companies.run("room", "pause", "--socket", socket, "--reason", WHY)
    assert "closed" in companies.run("room", "close", "--socket", socket, "--reason", WHY)
    assert (served.rung, served.desk.stops.standing().state) == (2, "closed")


def test_an_operator_pauses_although_analysts_have_taken_every_place_at_the_door(
    companies: Companies, served: Bell
) -> None:
    with ExitStack() as callers:
        for _ in range(MAX_CALLERS):
            one = callers.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            one.connect(callers.enter_context(short_name(companies.home("shop").socket_file)))
        assert "paused" in companies.room("pause", "shop", "--reason", WHY)
    assert (served.rung, served.desk.stops.standing().state) == (0, "paused")


@pytest.mark.parametrize("where", [(), ("--home", "shop", "--socket", "shop/node.sock")])
def test_a_pause_says_at_which_node(companies: Companies, where: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--home FOLDER or --socket FILE"):
        companies.run("room", "pause", *where, "--reason", WHY)


def test_only_an_operator_pauses_through_the_door(companies: Companies, served: Bell) -> None:
    settings = companies.home("shop").settings_file
    mine = read_settings(settings).analysts[0]
    asker = Analyst(analyst_name("ann"), mine.uid, frozenset({"asker"}))
    object.__setattr__(served.opened.settings, "analysts", (asker,))
    with pytest.raises(UsageError, match="is not an operator in this node's settings"):
        companies.room("pause", "shop", "--reason", WHY)
    assert served.rung == 0
    assert served.desk.stops.standing().state == "open"


def test_a_pause_waits_for_no_worker_that_waits_for_the_coordinator(companies: Companies, served: Bell) -> None:
    """The worker never comes round in this test: it holds no transaction while it calls."""
    companies.room("pause", "shop", "--reason", WHY)
    with desk_beside(companies.home("shop"), served.opened.agreement, lambda: 0.0) as desk:
        assert desk.stops.standing().state == "paused"
        kinds = [says for (says,) in desk.database.all("SELECT says FROM outbox ORDER BY id")]
    assert kinds == ["room.paused", "room.stopped"]


def test_a_node_that_does_not_open_its_door_is_paused_all_the_same(companies: Companies) -> None:
    """It is starting, or it hangs: it looks into its home before its next step."""
    companies.agree()
    home = companies.home("shop")
    with home.locked():
        companies.room("pause", "shop", "--reason", WHY)
    assert "paused by shop" in companies.room("status", "shop")


def test_what_a_node_may_have_done_before_it_went_away_is_not_done_a_second_time(companies: Companies) -> None:
    """It once was: the room then had two pauses of one command, each to be lifted."""
    companies.agree()
    home = companies.home("shop")
    with (
        home.locked(),
        vanishing(home.socket_file),
        pytest.raises(UnavailableError, match=r"stopped in the middle and may have done what you asked"),
    ):
        companies.room("pause", "shop", "--reason", WHY)
    assert "standing  open" in companies.room("status", "shop")


def test_a_pause_waits_for_the_workers_transaction_and_not_for_more(companies: Companies) -> None:
    """The worker masks a list; the pause is written as soon as that is on disk."""
    companies.agree()
    worker = open_home(companies.home("shop")).desk.database
    pausing = threading.Thread(target=stop_at_home, args=(companies.home("shop"), "pause", WHY), kwargs={"clock": time})
    with worker.transaction():
        pausing.start()
        pausing.join(0.2)
        assert pausing.is_alive()
    pausing.join(30)
    worker.close()
    assert "paused by shop" in companies.room("status", "shop")


def test_errors_are_the_products_own(companies: Companies) -> None:
    """Whatever is wrong with a file is one line."""
    companies.agree()
    (companies.folder / "other.json").write_text(tomli_w.dumps({"a": 1}), encoding="utf-8")
    for command in ("sign", "diff", "resume"):
        with pytest.raises(CleanroomError):
            companies.room(command, "shop", companies.folder / "other.json")
