"""A room of real processes that gets new keys by the real commands, as an operator reads them in the README."""

import re
import shutil
from pathlib import Path

import pytest

from cleanroom.client.door import ask_door
from cleanroom.ids import PartyName
from parties.home import Home
from parties.processes import RoomProcesses
from parties.room_state import DOMAIN
from tests.audit_command import Said, audit
from tests.command_line import cleanroom, refused, said
from tests.live_room import prepared, read_database, read_log, room_file
from tests.simulation.stepped_room import small_parties

COUNT = {"command": "ask", "owner": "brand", "by": "", "quantity": "count", "column": "", "epsilon": "1"}
BY_COLOUR = {**COUNT, "by": "colour"}
TABLE = {**BY_COLOUR, "quantity": "histogram", "column": "colour"}

pytestmark = pytest.mark.slow


class Companies:
    """Two companies and a coordinator's operator at their command lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.terms = room_file(folder / "room", small_parties()).path
        self.state = prepared(folder / "state", room_file(folder / "room", small_parties()))
        self.hub = self.state.coordinator_home
        self.agreements = [self.state.agreement_file]

    def home(self, name: str) -> Home:
        return self.state.home(PartyName(name))

    def log(self, number: int = 1) -> Path:
        """The exported folder."""
        return self.hub / "rooms" / ("spring.log" if number == 1 else f"spring.{number}.log")

    def new_log_key(self) -> None:
        """The operator makes it, and every party trusts the new card by telephone."""
        text = said(cleanroom("coordinator", "rotate-log-key", "--home", self.hub))
        for name in ("shop", "brand"):
            home, card = self.home(name).path, self.hub / "card.json"
            trust = ("party", "card", "trust", card, fingerprint(text), "--home", home)
            assert "add --replace" in refused(cleanroom(*trust))
            said(cleanroom(*trust, "--replace"))

    def rename(self, name: str) -> None:
        """The same terms for a room of another name, over the same people."""
        terms = self.terms.read_text(encoding="utf-8").replace('room = "spring"', f'room = "{name}"')
        for party in ("shop", "brand"):
            terms = terms.replace(f"[parties.{party}]\n", f'[parties.{party}]\nlineage = "{party}/spring"\n')
        self.terms.write_text(terms, encoding="utf-8")

    def agree(self) -> None:
        """shop proposes, both sign, and the file goes to the coordinator."""
        file = self.folder / f"{len(self.agreements) + 1}.agreement"
        shop, brand = self.home("shop").path, self.home("brand").path
        said(cleanroom("room", "propose", self.terms, "--home", shop, "--out", file))
        said(cleanroom("room", "sign", file, "--home", brand, "--room", self.terms))
        said(cleanroom("room", "sign", file, "--home", shop))
        kept = self.folder / f"{len(self.agreements)}.former"
        shutil.copy(self.agreements[-1], kept)
        self.agreements[-1] = kept
        shutil.copy(file, self.state.agreement_file)
        self.agreements.append(self.state.agreement_file)

    def audit(self, command: str, log: Path, *more: object, agreements: list[Path] | None = None) -> Said:
        """As an auditor with these agreements, all of them unless said otherwise."""
        given = [part for file in agreements or self.agreements for part in ("--agreement", file)]
        return audit(command, log, *given, *more)


def fingerprint(text: str) -> str:
    found = re.search(r"fingerprint +([0-9a-f-]+)", text)
    assert found is not None, text
    return found[1]


def spent(home: Home) -> int:
    rows = read_database(home.database_file, "SELECT COALESCE(SUM(units), 0) FROM ledger WHERE kind = 'reserve'")
    return int(rows[0][0])


def test_the_log_and_a_party_get_new_keys_and_everything_before_still_holds(tmp_path: Path) -> None:
    room = Companies(tmp_path)
    shop, brand, copy = room.home("shop"), room.home("brand"), tmp_path / "old copy"
    with RoomProcesses(room.state):
        ask_door(shop.socket_file, COUNT)
        room.new_log_key()
        text = said(cleanroom("party", "card", "rotate", "--home", brand.path))
        card = brand.path / "card.2.json"
        said(cleanroom("party", "card", "trust", card, fingerprint(text), "--replace", "--home", shop.path))
        room.agree()
        ask_door(shop.socket_file, BY_COLOUR)
    shutil.copytree(room.log(), copy)
    assert room.audit("verify", copy, agreements=room.agreements[:1]).status == 0, "under the terms of then"
    old_key, new_key = room.hub / "log.key", room.hub / "log.2.key"
    assert old_key.exists()
    assert new_key.exists()

    with RoomProcesses(room.state):
        assert not ask_door(shop.socket_file, TABLE)["stored"]
    said_now = room.audit("verify", room.log())
    assert said_now.status == 0, said_now.error
    assert "brand" in said_now.out
    assert room.audit("verify", copy, agreements=room.agreements[:1]).status == 0
    assert room.audit("verify", copy).status == 1, "a head that only the old key signed"
    replayed = room.audit("replay", room.log())
    assert replayed.status == 0, replayed.out + replayed.error
    statements = read_log(room.hub / "rooms" / "spring.sqlite")
    rotated = {body["actor"]: body for body in statements if body["kind"] == "key.rotated"}
    assert set(rotated) == {"coordinator", "brand"}
    assert all(len(body["comes"]) == len(body["goes"]) == 1 for body in rotated.values())

    old_key.unlink()
    with RoomProcesses(room.state):
        assert ask_door(shop.socket_file, TABLE)["stored"]
        assert not ask_door(shop.socket_file, {**TABLE, "epsilon": "2"})["stored"]
    assert room.audit("verify", room.log()).status == 0, "after the end of the overlap"


def test_after_a_stolen_log_key_a_new_log_goes_on_from_the_head_that_all_agreed_on(tmp_path: Path) -> None:
    room = Companies(tmp_path)
    shop, brand = room.home("shop"), room.home("brand")
    with RoomProcesses(room.state):
        ask_door(shop.socket_file, COUNT)
        said(cleanroom("room", "pause", "--home", shop.path, "--reason", "the log's key was stolen"))
    assert spent(brand) > 0
    before = spent(brand)
    lines = {name: said(cleanroom("room", "heads", "--home", room.home(name).path)) for name in ("shop", "brand")}
    heads = [set(re.findall(r'follows = "[^"]+"', text)) for text in lines.values()]
    follows = next(
        line for line in re.findall(r'follows = "[^"]+"', lines["brand"]) if all(line in one for one in heads)
    )
    terms = room.terms.read_text(encoding="utf-8")
    room.terms.write_text(f"log = 2\n{follows}\n{terms}", encoding="utf-8")
    early = ("room", "propose", room.terms, "--home", shop.path, "--out", tmp_path / "early")
    assert "would have the key of log 1" in refused(cleanroom(*early))
    room.new_log_key()
    other = follows.replace('= "', '= "1')
    room.terms.write_text(f"log = 2\n{other}\n{terms}", encoding="utf-8")
    assert "is no head of the" in refused(cleanroom(*early))
    room.terms.write_text(f"log = 2\n{follows}\n{terms}", encoding="utf-8")
    room.agree()

    with RoomProcesses(room.state):
        file = tmp_path / "resumption.json"
        said(cleanroom("room", "resume", "--home", shop.path, "--out", file))
        said(cleanroom("room", "resume", file, "--home", brand.path))
        said(cleanroom("room", "resume", file, "--home", shop.path))
        assert not ask_door(shop.socket_file, BY_COLOUR)["stored"]
    assert spent(brand) > before, "the budget went on"
    first = read_log(room.hub / "rooms" / "spring.2.sqlite")[0]
    assert (first["kind"], first["actor"]) == ("key.rotated", "coordinator")
    assert first["follows"].startswith("room.local/spring/log/1\n")

    tied = room.audit("verify", room.log(2), "--former", room.log(1))
    assert tied.status == 0, tied.error
    assert "its folder fits" in tied.out
    replayed = room.audit("replay", room.log(2), "--former", room.log(1))
    assert replayed.status == 0, replayed.out + replayed.error
    assert room.audit("verify", room.log(2)).out.count("its folder: --former") == 1
    said(cleanroom("party", "ledger", "verify", "--home", brand.path))
    for bundle in (room.log(1) / "tile" / "entries").rglob("*"):
        if bundle.is_file():
            data = bytearray(bundle.read_bytes())
            data[40] ^= 1
            bundle.write_bytes(bytes(data))
    broken = room.audit("verify", room.log(2), "--former", room.log(1))
    assert broken.status == 1
    assert "the former log does not fit" in broken.error


def test_a_stolen_identity_key_ends_its_room_and_the_next_room_charges_the_same_budget(tmp_path: Path) -> None:
    room = Companies(tmp_path)
    shop, brand = room.home("shop"), room.home("brand")
    with RoomProcesses(room.state):
        ask_door(shop.socket_file, COUNT)
        said(cleanroom("room", "close", "--home", shop.path, "--reason", "a key of brand was stolen"))
    before = spent(brand)
    text = said(cleanroom("party", "card", "rotate", "--all", "--home", brand.path))
    card = brand.path / "card.2.json"
    said(cleanroom("party", "card", "trust", card, fingerprint(text), "--replace", "--home", shop.path))
    again = ("room", "propose", room.terms, "--home", shop.path, "--out", tmp_path / "same")
    assert "another identity key" in refused(cleanroom(*again))
    room.rename("summer")
    room.agree()
    with RoomProcesses(room.state):
        assert not ask_door(shop.socket_file, COUNT)["stored"]
    assert spent(brand) > before
    said(cleanroom("party", "ledger", "verify", "--home", brand.path))
    summer = room.audit("verify", room.hub / "rooms" / "summer.log", agreements=room.agreements[1:])
    assert summer.status == 0, summer.error
    spring = room.audit("verify", room.log(), agreements=room.agreements[:1])
    assert spring.status == 0, spring.error


def test_a_coordinator_whose_own_keys_were_stolen_is_replaced_by_a_new_one_in_a_room_of_another_name(
    tmp_path: Path,
) -> None:
    room = Companies(tmp_path)
    shop, brand = room.home("shop"), room.home("brand")
    with RoomProcesses(room.state):
        ask_door(shop.socket_file, COUNT)
        said(cleanroom("room", "close", "--home", shop.path, "--reason", "the coordinator was broken into"))
    before = spent(brand)
    room.hub.rename(tmp_path / "broken into")
    text = said(cleanroom("coordinator", "init", "--home", room.hub, "--domain", DOMAIN, "--address", "127.0.0.1:1"))
    for name in ("shop", "brand"):
        home, certificate = room.home(name).path, tmp_path / f"{name}.pem"
        card = room.hub / "card.json"
        said(cleanroom("party", "card", "trust", card, fingerprint(text), "--replace", "--home", home))
        said(cleanroom("party", "renew", "--home", home, "--domain", DOMAIN))
        said(cleanroom("coordinator", "sign", home / "request.csr", "--home", room.hub, "--out", certificate))
        said(cleanroom("party", "accept", certificate, "--home", home))
    room.rename("summer")
    room.agree()
    with RoomProcesses(room.state):
        assert not ask_door(shop.socket_file, COUNT)["stored"]
    assert spent(brand) > before
    said(cleanroom("party", "ledger", "verify", "--home", brand.path))
