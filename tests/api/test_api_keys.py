"""Keys of programs: what they may do, until when, and that only their hash is kept."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Response

from api import bearer
from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts import api_keys, signing
from silverwatch.domain.accounts.api_keys import SCOPES
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.schema import MIGRATIONS
from tests.api.calling import log_in, me, post, refusals
from tests.api.posting import problem
from tests.cast import Cast, People
from tests.conftest import Site


@pytest.fixture
def ada(people: People) -> Actor:
    """The administrator."""
    with db.transaction() as session:
        account_id = signing.account_id_of(session, people.ada)
    assert account_id is not None
    return Actor(account_id=account_id, role=Role.ADMIN, name="Ada")


def make(by: Actor, **changes: Any) -> tuple[UUID, str]:
    now = clock.now()
    wanted = {"name": "Research export", "scopes": ["readings.read"], "ward_ids": [],
              "expires_at": now + timedelta(days=30), **changes}  # fmt: skip
    with db.transaction() as session:
        made, key = api_keys.create(session, by=by, now=now, **wanted)
    return made.id, key


def test_a_key_says_which_program_it_is(site: Site, cast: Cast, ada: Actor) -> None:
    ends = clock.now().replace(microsecond=0) + timedelta(days=300)
    _, key = make(
        ada, scopes=["readings.read", "alerts.read"], ward_ids=[cast.achieng.ward_id], expires_at=ends
    )
    assert key.startswith("swk_")
    answer = me(site, key)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "key": "Research export", "scopes": ["alerts.read", "readings.read"],
        "wards": [{"slug": "a", "name": "Ward A"}], "expires_at": ends.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip


def test_only_the_hash_is_kept_and_the_making_is_noted(site: Site, ada: Actor) -> None:
    key_id, key = make(ada)
    with db.transaction() as session:
        (kept,) = api_keys.list_keys(session)
    assert kept.hint == key[-4:]
    stored = site.row("SELECT (SELECT string_agg(k::text, '') FROM api_key k)"
                      " || (SELECT string_agg(e::text, '') FROM audit_entry e)")[0]  # fmt: skip
    assert key[4:-4] not in stored
    assert site.rows("SELECT action, account_name, subject FROM audit_entry") == [
        ("api_key.created", "Ada", f"api_key:{key_id}")
    ]


def test_a_revoked_and_an_expired_key_are_dead(site: Site, ada: Actor, monkeypatch: Any) -> None:
    revoked_id, revoked = make(ada)
    _, expiring = make(ada, expires_at=clock.now() + timedelta(minutes=5))
    assert me(site, revoked).status_code == me(site, expiring).status_code == 200
    for _ in range(2):
        with db.transaction() as session:
            api_keys.revoke(session, by=ada, key_id=revoked_id, now=clock.now())
    assert site.rows("SELECT subject FROM audit_entry WHERE action = 'api_key.revoked'") == [
        (f"api_key:{revoked_id}",)
    ]
    problem(me(site, revoked), 401)
    later = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    problem(me(site, expiring), 401)
    assert refusals(site) == [("access.refused", "api key: unknown, expired or revoked")] * 2


def test_a_key_that_is_not_there_cannot_be_revoked(site: Site, ada: Actor) -> None:
    with pytest.raises(NotFoundError), db.transaction() as session:
        api_keys.revoke(session, by=ada, key_id=uuid4(), now=clock.now())


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""}, {"name": " "}, {"name": "x" * 101}, {"name": "a\0b"}, {"name": "a\nb"}, {"scopes": []},
        {"scopes": ["readings.read", "everything"]}, {"scopes": ["*"]}, {"ward_ids": [UUID(int=5)]},
        {"expires_at": datetime.fromisoformat("2020-01-01T00:00:00Z")},
        {"expires_at": datetime.fromisoformat("2999-01-01T00:00:00Z")},
        {"expires_at": datetime.fromisoformat("2999-01-01T00:00:00")},
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_says_why(site: Site, ada: Actor, bad: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        make(ada, **bad)
    assert site.row("SELECT count(*) FROM api_key") == (0,)


def test_its_use_is_noted_once_a_minute(site: Site, ada: Actor, monkeypatch: Any) -> None:
    _, key = make(ada)
    begun = clock.now()
    noted = []
    for seconds in (0, 30, 59, 61, 90):
        at = begun + timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        assert me(site, key).status_code == 200
        noted.append(round((site.row("SELECT last_used_at FROM api_key")[0] - begun).total_seconds()))
    assert noted == [0, 0, 0, 61, 61]


def test_a_key_has_no_session_to_end_or_refresh(site: Site, ada: Actor) -> None:
    _, key = make(ada)
    problem(post(site, "logout", None, key), 403)
    problem(post(site, "refresh", {"refresh": key}), 401)
    assert refusals(site) == [
        ("access.refused", "bearer: a key has no session"), ("access.refused", "refresh token: malformed"),
    ]  # fmt: skip
    assert me(site, key).status_code == 200


def test_a_key_without_the_scope_is_refused_once_and_by_name(site: Site, people: People, ada: Actor) -> None:
    key_id, key = make(ada, scopes=["readings.read", "patients.read"])

    def call(scope: str, token: str) -> Response | str:
        headers = {"Authorization": f"Bearer {token}"}
        with site.app.test_request_context("/api/auth/me/", headers=headers):
            site.app.preprocess_request()
            try:
                found = bearer.caller(scope)
                with db.transaction() as session:
                    audit.record(session, "thing.read")
                return found.name
            except Exception as error:
                return site.app.process_response(site.app.handle_user_exception(error))

    assert call("readings.read", key) == "Research export"
    assert site.rows(
        "SELECT account_name, role, session_id FROM audit_entry WHERE action = 'thing.read'"
    ) == [("Research export", "program", key_id)]
    refused = call("alerts.write", key)
    assert isinstance(refused, Response)
    problem(refused, 403)
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="alerts.write"'
    assert site.rows(
        "SELECT account_name, role, session_id, detail->>'because' FROM audit_entry WHERE outcome = 'refused'"
    ) == [("Research export", "program", key_id, "api key: not made for alerts.write")]
    # A person has a role instead.
    assert call("alerts.write", log_in(site, people.amina)["access"]) == "Amina"


def test_the_scopes_stand_in_the_documentation() -> None:
    page = (MIGRATIONS.parent / "docs" / "api-auth.md").read_text()
    assert set(re.findall(r"`([a-z]+\.(?:read|write))`", page)) == set(SCOPES)
