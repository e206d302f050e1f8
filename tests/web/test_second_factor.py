"""The second factor itself: set up, used once, lost, turned off, required, readable nowhere."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.accounts import codes, second_factor
from silverwatch.domain.errors import DomainError
from tests.cast import PASSWORD, People
from tests.conftest import Site
from tests.web.factor import account_of, audit_of, code_of, half_open, offered, require, shown, turn_on


def test_from_the_profile_to_the_next_sign_in(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    other = site.browser()
    other.sign_in(people.amina, PASSWORD)
    before = site.client.get_cookie("sw")
    assert "Your second factor is off" in site.client.get("/profile/second-factor").get_data(as_text=True)
    page = site.client.get("/second-factor/setup?next=/profile/second-factor").get_data(as_text=True)
    seed, offer = offered(page)
    assert site.rows("SELECT * FROM totp") == []
    fields = {"offer": offer, "next": "/profile/second-factor"}
    wrong = site.client.submit("/second-factor/setup", fields | {"code": "12345"})
    assert wrong.status_code == 422
    assert offered(wrong.get_data(as_text=True))[0] == seed, "the app has it already"
    done = site.client.submit("/second-factor/setup", fields | {"code": code_of(seed)})
    assert len(shown(done.get_data(as_text=True))) == 10
    assert 'href="/profile/second-factor">I have kept them' in done.get_data(as_text=True)
    assert before is not None
    assert site.client.get_cookie("sw") != before, "the session has a new token"
    assert other.get("/ward/a").location == "/login?next=/ward/a", "the other sign-in has ended"
    status = site.client.get("/profile/second-factor").get_data(as_text=True)
    assert "10 codes left" in status
    assert shown(status) == []
    again = half_open(site, people.amina)
    # The set-up used the code of this half minute.
    given = again.submit("/login/code", {"code": code_of(seed, then=codes.STEP_S * timedelta(seconds=1))})
    assert (given.status_code, given.location) == (303, "/ward")
    assert again.get("/ward/a").status_code == 200
    letters = [row[0] for row in site.rows("SELECT subject FROM letter WHERE address = %s", people.amina)]
    assert letters == ["Your second factor was set up"]
    assert audit_of(site, "second_factor.set_up") == ["done"]
    assert audit_of(site, "session.second_factor") == ["done"]


def test_a_code_works_once(site: Site, people: People) -> None:
    seed, _ = turn_on(site, people.amina)
    code = code_of(seed)
    assert half_open(site, people.amina).submit("/login/code", {"code": code}).location == "/ward"
    thief = half_open(site, people.amina)
    answer = thief.submit("/login/code", {"code": code})
    assert answer.status_code == 422
    assert "was used before" in answer.get_data(as_text=True)
    assert thief.get("/ward/a").location == "/login/code?next=/ward/a"
    assert audit_of(site, "session.second_factor") == ["done", "refused"]


def test_an_older_code_than_the_last_is_dead_too(site: Site, people: People) -> None:
    seed, _ = turn_on(site, people.amina)
    earlier = code_of(seed, then=timedelta(seconds=-codes.STEP_S))
    with db.transaction() as session:
        arguments = {"account_id": account_of(people.amina), "keys": codes.keys_of(site.config)}
        assert second_factor.check(session, code=code_of(seed), now=clock.now(), **arguments)
        assert not second_factor.check(session, code=earlier, now=clock.now(), **arguments)


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_of_many_at_once_one_gets_in(site: Site, people: People, kind: str) -> None:
    seed, fresh = turn_on(site, people.amina)
    code, account_id, now = (
        code_of(seed) if kind == "app" else fresh[3],
        account_of(people.amina),
        clock.now(),
    )

    def use(_: int) -> bool:
        with db.transaction() as session:
            keys = codes.keys_of(site.config)
            return second_factor.check(session, account_id=account_id, code=code, keys=keys, now=now)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_a_code_of_another_half_minute_or_account_is_wrong(site: Site, people: People) -> None:
    seed, _ = turn_on(site, people.amina)
    _, other_codes = turn_on(site, people.bruno)
    browser = half_open(site, people.amina)
    for code in (code_of(seed, then=timedelta(minutes=-2)), code_of(seed, then=timedelta(minutes=2))):
        assert browser.submit("/login/code", {"code": code}).status_code == 422
    assert browser.submit("/login/code", {"recovery": other_codes[0]}).status_code == 422


def test_a_recovery_code_works_once_however_it_is_typed(site: Site, people: People) -> None:
    _, fresh = turn_on(site, people.amina)
    first = half_open(site, people.amina)
    assert first.submit("/login/code", {"recovery": fresh[0].lower().replace("-", " ")}).location == "/ward"
    assert "9 codes left" in first.get("/profile/second-factor").get_data(as_text=True)
    second = half_open(site, people.amina)
    refused = second.submit("/login/code", {"recovery": fresh[0]})
    assert refused.status_code == 422
    assert "<details" in refused.get_data(as_text=True)
    assert second.submit("/login/code", {"recovery": fresh[1]}).location == "/ward"
    subjects = [row[0] for row in site.rows("SELECT subject FROM letter ORDER BY created_at")]
    assert subjects == ["A recovery code was used"] * 2


def test_new_recovery_codes_end_the_old_ones(site: Site, people: People) -> None:
    seed, fresh = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    browser.submit("/login/code", {"code": code_of(seed)})
    made = browser.submit("/profile/second-factor/codes")
    assert made.status_code == 200
    assert len(set(shown(made.get_data(as_text=True))) - set(fresh)) == 10
    assert audit_of(site, "recovery_codes.made") == ["done"]
    thief = half_open(site, people.amina)
    assert thief.submit("/login/code", {"recovery": fresh[0]}).status_code == 422


def test_nothing_in_the_database_opens_anything(site: Site, people: People) -> None:
    seed, fresh = turn_on(site, people.amina)
    stored = site.row("SELECT secret FROM totp")[0]
    assert seed not in stored
    assert codes.as_text(seed).encode() not in stored
    everything = str(site.rows("SELECT t::text FROM recovery_code t"))
    assert not [code for code in fresh if code in everything or codes.plain(code) in everything]
    # Moved to another account the seed does not open.
    bruno = account_of(people.bruno)
    with site.cursor() as cur:
        cur.execute("UPDATE totp SET account_id = %s", (bruno,))
    keys = codes.keys_of(site.config)
    with db.transaction() as session:
        assert not second_factor.check(
            session, account_id=bruno, code=code_of(seed), keys=keys, now=clock.now()
        )


def test_a_new_secret_key_keeps_the_factors_until_the_old_one_is_taken_out(
    site: Site, people: People
) -> None:
    seed, fresh = turn_on(site, people.amina)
    account_id, now = account_of(people.amina), clock.now()
    rotated = replace(
        site.config,
        secret_key="another secret of the tests, 32 or more",
        secret_key_fallbacks=(site.config.secret_key,),
    )
    gone = codes.keys_of(replace(rotated, secret_key_fallbacks=()))
    with db.transaction() as session:
        assert not second_factor.check(session, account_id=account_id, code=code_of(seed), keys=gone, now=now)
    keys = codes.keys_of(rotated)
    with db.transaction() as session:
        for code in (code_of(seed), fresh[0]):
            assert second_factor.check(session, account_id=account_id, code=code, keys=keys, now=now)
    later = codes.STEP_S * timedelta(seconds=1)
    with db.transaction() as session:
        # Its use has sealed the seed anew: now the old key may go.
        assert second_factor.check(
            session, account_id=account_id, code=code_of(seed, then=later), keys=gone, now=now + later
        )
        assert not second_factor.check(session, account_id=account_id, code=fresh[1], keys=gone, now=now)


def test_the_factor_can_be_turned_off_unless_it_is_required(site: Site, people: People) -> None:
    seed, _ = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    browser.submit("/login/code", {"code": code_of(seed)})
    require()
    refused = browser.submit("/profile/second-factor/removal")
    assert refused.status_code == 422
    assert "requires a second factor" in refused.get_data(as_text=True)
    assert audit_of(site, "second_factor.turned_off") == ["refused"]
    require(on=False)
    assert browser.submit("/profile/second-factor/removal").location == "/profile/second-factor"
    assert site.rows("SELECT * FROM totp") == site.rows("SELECT * FROM recovery_code") == []
    assert site.browser().sign_in(people.amina, PASSWORD).location == "/ward"
    assert audit_of(site, "second_factor.turned_off") == ["refused", "done"]
    assert site.row("SELECT subject FROM letter")[0] == "Your second factor was turned off"
    assert browser.submit("/profile/second-factor/removal").status_code == 422
    assert browser.submit("/profile/second-factor/codes").status_code == 422


def test_an_administrator_resets_what_somebody_has_lost(site: Site, people: People) -> None:
    seed, _ = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    browser.submit("/login/code", {"code": code_of(seed)})
    ada, amina = account_of(people.ada), account_of(people.amina)
    with db.transaction() as session:
        second_factor.reset(session, by=ada, account_id=amina, now=clock.now())
    assert browser.get("/ward/a").location == "/login?next=/ward/a"
    assert site.browser().sign_in(people.amina, PASSWORD).location == "/ward"
    for account_id in (ada, amina):
        with pytest.raises(DomainError), db.transaction() as session:
            second_factor.reset(session, by=ada, account_id=account_id, now=clock.now())


def test_the_app_of_before_works_until_the_new_one_does(site: Site, people: People) -> None:
    old, _ = turn_on(site, people.amina)
    browser = half_open(site, people.amina)
    browser.submit("/login/code", {"code": code_of(old)})
    new, offer = offered(browser.get("/second-factor/setup").get_data(as_text=True))
    assert new != old
    browser.submit("/second-factor/setup", {"offer": offer, "code": code_of(new)})
    with db.transaction() as session:
        arguments = {"account_id": account_of(people.amina), "keys": codes.keys_of(site.config)}
        then = clock.now() + timedelta(minutes=2)
        assert not second_factor.check(
            session, code=code_of(old, then=timedelta(minutes=2)), now=then, **arguments
        )
        assert second_factor.check(
            session, code=code_of(new, then=timedelta(minutes=2)), now=then, **arguments
        )
