"""How long tokens live, what ends them, and that a copied one is found out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts import people as verbs
from silverwatch.domain.accounts import sessions
from tests.api.calling import account_id, log_in, me, post, refusals
from tests.api.posting import problem
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site


def admin(people: People) -> Actor:
    return Actor(account_id=account_id(people.ada), role=Role.ADMIN, name="Ada")


def test_a_refresh_token_works_once_and_gives_the_next(site: Site, people: People) -> None:
    tokens = log_in(site, people.amina)
    for _ in range(3):
        answer = post(site, "refresh", {"refresh": tokens["refresh"]})
        assert answer.status_code == 200
        fresh = answer.get_json()
        assert set(fresh) == set(tokens)
        assert fresh["refresh"] != tokens["refresh"]
        assert fresh["access"] != tokens["access"]
        tokens = fresh
    assert me(site, tokens["access"]).status_code == 200
    assert site.row("SELECT count(*), count(used_at), count(DISTINCT session_id) FROM refresh_token") == (
        4, 3, 1
    )  # fmt: skip
    assert refusals(site) == []


def test_a_reused_refresh_token_ends_the_family(site: Site, people: People) -> None:
    first = log_in(site, people.amina)
    other = log_in(site, people.amina)
    second = post(site, "refresh", {"refresh": first["refresh"]}).get_json()
    problem(post(site, "refresh", {"refresh": first["refresh"]}), 401)
    assert site.rows(
        "SELECT action, subject FROM audit_entry WHERE outcome = 'refused'"
    ) == [("token.reused", f"account:{account_id(people.amina)}")]  # fmt: skip
    for dead in (first, second):
        problem(me(site, dead["access"]), 401)
    problem(post(site, "refresh", {"refresh": second["refresh"]}), 401)
    assert len(refusals(site)) == 4
    assert me(site, other["access"]).status_code == 200
    assert site.row("SELECT count(*) FROM login_session WHERE ended_because = 'refresh token reused'") == (1,)


def test_of_two_refreshes_at_once_one_wins_and_the_other_is_reuse(site: Site, people: People) -> None:
    for _ in range(5):
        tokens = log_in(site, people.amina)
        before = len(refusals(site))
        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda _, sent=tokens["refresh"]: post(site, "refresh", {"refresh": sent}), range(4))
            )
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
        actions = [action for action, _ in refusals(site)[before:]]
        assert sorted(actions) == ["access.refused", "access.refused", "token.reused"]
        winner = next(answer.get_json() for answer in answers if answer.status_code == 200)
        problem(me(site, winner["access"]), 401)
        problem(post(site, "refresh", {"refresh": winner["refresh"]}), 401)


def test_the_family_ends_after_twelve_hours(site: Site, people: People, monkeypatch: Any) -> None:
    tokens = log_in(site, people.amina)
    begun = clock.now()
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(hours=11, minutes=55))
    tokens = post(site, "refresh", {"refresh": tokens["refresh"]}).get_json()
    assert 290 < tokens["expires_in"] <= 300
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(hours=12))
    problem(me(site, tokens["access"]), 401)
    problem(post(site, "refresh", {"refresh": tokens["refresh"]}), 401)


def test_an_access_token_ends_after_ten_minutes(site: Site, people: People, monkeypatch: Any) -> None:
    tokens = log_in(site, people.amina)
    begun = clock.now()
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(minutes=9, seconds=58))
    assert me(site, tokens["access"]).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(minutes=10))
    problem(me(site, tokens["access"]), 401)
    assert refusals(site) == [("access.refused", "access token: expired")]
    assert post(site, "refresh", {"refresh": tokens["refresh"]}).status_code == 200


def test_logging_out_ends_both_tokens_at_once(site: Site, people: People) -> None:
    tokens, other = log_in(site, people.amina), log_in(site, people.amina)
    assert post(site, "logout", None, tokens["access"]).status_code == 204
    assert site.rows(
        "SELECT account_name FROM audit_entry WHERE action = 'session.ended' AND outcome = 'done'"
    ) == [("Amina",)]
    problem(me(site, tokens["access"]), 401)
    problem(post(site, "refresh", {"refresh": tokens["refresh"]}), 401)
    problem(post(site, "logout", None, tokens["access"]), 401)
    assert me(site, other["access"]).status_code == 200


@pytest.mark.parametrize("what", ["deactivated", "role", "password", "session"])
def test_what_ends_a_session_ends_its_tokens_at_once(site: Site, people: People, what: str) -> None:
    tokens, amina, now = log_in(site, people.amina), account_id(people.amina), clock.now()
    by = admin(people)
    with db.transaction() as session:
        if what == "deactivated":
            verbs.deactivate(session, by=by, account_id=amina, now=now)
        elif what == "role":
            verbs.change_role(session, by=by, account_id=amina, role=Role.TECHNICIAN, now=now)
        elif what == "password":
            verbs.change_password(
                session, account_id=amina, current=PASSWORD, new="a lantern for zebras",
                keep_session=UUID(int=1), now=now, tell=lambda *_, **__: None,
            )  # fmt: skip
        else:
            sessions.end_all(session, amina, because="ended by an administrator", now=now)
    problem(me(site, tokens["access"]), 401)
    problem(post(site, "refresh", {"refresh": tokens["refresh"]}), 401)
    assert [action for action, _ in refusals(site)] == ["access.refused"] * 2


def test_what_one_may_do_is_read_anew_each_time(site: Site, cast: Cast, people: People) -> None:
    tokens = log_in(site, people.amina)
    with db.transaction() as session:
        verbs.set_wards(session, by=admin(people), account_id=account_id(people.amina),
                        ward_ids=[cast.chebet.ward_id], now=clock.now())  # fmt: skip
    assert me(site, tokens["access"]).get_json()["wards"] == [{"slug": "b", "name": "Ward B"}]
    fresh = post(site, "refresh", {"refresh": tokens["refresh"]}).get_json()
    assert me(site, fresh["access"]).get_json()["wards"] == [{"slug": "b", "name": "Ward B"}]
