"""What a stranger learns of who has an account: nothing, neither by what is said nor by what it costs to say it."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from silverwatch import clock, db
from silverwatch.domain.accounts import links, passwords
from silverwatch.domain.accounts.links import LIFETIMES, LinkKind
from tests.api.calling import post
from tests.cast import People
from tests.conftest import Site
from tests.web.office import NEW, account_id

STRANGER = "nobody@x.example"
TOKEN = re.compile(r'(X-CSRFToken": "|csrf_token" value=")[^"]+')
PLACES: dict[LinkKind, str] = {
    "invitation": "/welcome",
    "confirmation": "/confirm",
    "reset": "/reset",
    "email": "/email",
}


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the hasher of passwords is asked: argon2 is what takes the time of an answer."""
    passwords._nobody()
    true, asked = passwords._hasher, []

    class Counted:
        def verify(self, password_hash: str, password: bytes) -> bool:
            asked.append("verify")
            return true.verify(password_hash, password)

        def hash(self, password: bytes) -> str:
            asked.append("hash")
            return true.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Counted())
    return asked


@pytest.fixture
def statements(site: Site) -> Iterator[list[str]]:
    """What the database is asked, as "INSERT letter"."""
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if found := re.match(r"(INSERT) INTO (\w+)|(UPDATE) (\w+)", statement):
            asked.append(" ".join(part for part in found.groups() if part))

    event.listen(db.engine(), "before_cursor_execute", note)
    yield asked
    event.remove(db.engine(), "before_cursor_execute", note)


def submitted(site: Site, path: str, fields: dict[str, str]) -> tuple[int, str | None, str]:
    """The answer of a new browser, without the token and the address that was typed."""
    answer = site.browser().submit(path, fields)
    text = TOKEN.sub("", answer.get_data(as_text=True)).replace(fields["email"], "")
    return answer.status_code, answer.location, text


def test_signing_in_with_an_unknown_address_says_and_costs_what_a_wrong_password_does(
    site: Site, people: People, hashing: list[str]
) -> None:
    found = []
    for email in (people.amina, STRANGER):
        hashing.clear()
        said = submitted(site, "/login", {"email": email, "password": NEW})
        found.append((said, list(hashing)))
    assert found[0] == found[1]
    assert found[0][1] == ["verify"]


def test_so_it_is_for_programs(site: Site, people: People, hashing: list[str]) -> None:
    found = []
    for email in (people.amina, STRANGER):
        hashing.clear()
        answer = post(site, "login", {"email": email, "password": NEW})
        said = {name: value for name, value in answer.get_json().items() if name != "request_id"}
        found.append((answer.status_code, said, list(hashing)))
    assert found[0] == found[1]
    assert found[0][2] == ["verify"]


def test_a_forgotten_password_says_and_costs_the_same_for_everybody(
    site: Site, people: People, statements: list[str]
) -> None:
    found = []
    for email in (people.amina, STRANGER):
        statements.clear()
        said = submitted(site, "/forgot", {"email": email})
        found.append((said, statements.count("INSERT letter"), statements.count("UPDATE one_time_link")))
    assert found[0] == found[1]
    assert found[0][1:] == (1, 1)
    assert site.rows("SELECT address FROM letter") == [(people.amina,)]


def test_registering_a_known_address_says_and_costs_the_same(
    site: Site, people: People, hashing: list[str]
) -> None:
    found = []
    for email in (people.amina, STRANGER):
        hashing.clear()
        said = submitted(site, "/register", {"email": email, "name": "Pat Ient", "password": NEW})
        found.append((said, list(hashing)))
    assert found[0] == found[1]
    assert found[0][1] == ["hash"]


@pytest.mark.parametrize("kind", sorted(LIFETIMES))
def test_a_link_opens_only_what_it_was_made_for(site: Site, people: People, kind: LinkKind) -> None:
    amina = account_id(site, people.amina)
    with db.transaction() as session:
        token = links.make(session, kind=kind, account_id=amina, email="new@x.example", now=clock.now())
    for other, place in PLACES.items():
        assert site.browser().get(f"{place}/{token}").status_code == (200 if other == kind else 404), place
        if other != kind:
            assert site.browser().submit(f"{place}/{token}", {"password": NEW}).status_code == 404, place
    assert site.rows("SELECT 1 FROM one_time_link WHERE used_at IS NOT NULL") == []
    assert site.browser().sign_in(people.amina, NEW).status_code == 422
