"""Ways to people that are down, attempts whose maker dies, and notices that waited for long."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.notices import addresses, delivery, other_ways, way_queries
from silverwatch.domain.notices.ready import Ready
from silverwatch.domain.notices.rules import DOWN_AFTER, LEASE, PROBE
from silverwatch.jobs import notify
from silverwatch.web import outgoing
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.duty.alarms import pass_time, sound, states, steps
from tests.duty.crew import accept, actor_of, join
from tests.duty.gateways import Gateway, open_gateway
from tests.duty.test_gateways import NUMBER, chain, reach, set_up
from tests.jobs.post_office import PostOffice, open_office, use


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A company for SMS."""
    with open_gateway() as found:
        yield found


@pytest.fixture
def office(site: Site) -> Iterator[PostOffice]:
    """A mail server."""
    with open_office() as found:
        use(site, found.url)
        yield found


@pytest.fixture
def amina(site: Site, cast: Cast, people: People, gateway: Gateway) -> Actor:
    """Amina is the only one on duty; she is told by SMS, and can be told by e-mail."""
    actor = actor_of(people.amina)
    accept(actor, cast.achieng.ward_id)
    accept(join("Dan", cast.achieng.ward_id, usual="doctor"), cast.achieng.ward_id)
    outgoing.configure(site.config)
    set_up(site, people, gateway)
    reach(site, actor, "sms", NUMBER)
    chain(people, cast.achieng.ward_id, "sms")
    return actor


def break_down(site: Site, cast: Cast, gateway: Gateway) -> None:
    """As many alarms as it takes for the channel to be known to be down."""
    gateway.mood = "broken"
    for number in range(DOWN_AFTER):
        sound(cast.achieng.patient_id, kind=f"first_{number}")
    steps()
    assert notify.drain("sms") == 0


def rest(site: Site) -> None:
    """The channel that is down has rested."""
    with site.cursor() as cur:
        cur.execute("UPDATE notice_way SET tried_at = tried_at - %s", (PROBE,))


def divert() -> int:
    with db.transaction() as session:
        return other_ways.divert(session, now=clock.now())


def test_a_channel_that_is_down_is_gone_around_at_once_and_tried_seldom(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway, office: PostOffice
) -> None:
    break_down(site, cast, gateway)
    notify.drain("email")
    asked, letters = gateway.asked, len(office.letters)
    assert letters == DOWN_AFTER
    for number in range(5):
        sound(cast.achieng.patient_id, kind=f"later_{number}")
    steps()
    assert notify.drain("sms") == 0
    assert gateway.asked == asked
    assert divert() == 5
    assert divert() == 0
    notify.drain("email")
    assert len(office.letters) == letters + 5
    rest(site)
    assert notify.drain("sms") == 0
    assert gateway.asked == asked + 1


def test_all_that_waited_goes_out_when_the_channel_is_back(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway, office: PostOffice
) -> None:
    break_down(site, cast, gateway)
    for number in range(5):
        sound(cast.achieng.patient_id, kind=f"later_{number}")
    steps()
    with site.cursor() as cur:
        cur.execute(
            "UPDATE notice SET next_attempt_at = now() + interval '5 minutes' WHERE error IS NOT NULL"
        )
    gateway.mood = "ok"
    rest(site)
    assert notify.drain("sms") == DOWN_AFTER + 5
    sms = [state for state in states(site) if state[0] == "sms"]
    assert all(delivered for _, _, delivered, *_ in sms)
    assert site.row("SELECT failures, failing_since, error FROM notice_way WHERE way = 'sms'") == (
        0,
        None,
        None,
    )


def test_our_own_mistakes_do_not_make_a_channel_look_down(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: object) -> None:
        raise KeyError("x")

    for number in range(DOWN_AFTER + 1):
        sound(cast.achieng.patient_id, kind=f"kind_{number}")
    steps()
    with monkeypatch.context() as broken:
        broken.setattr(outgoing, "text_of", stumble)
        assert notify.drain("sms") == 0
    assert site.rows("SELECT 1 FROM notice_way") == []


def test_whoever_dies_while_sending_is_replaced_soon_and_a_slow_one_is_not(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(cast.achieng.patient_id)
    steps()
    waits, goes_on = threading.Event(), threading.Event()
    real = outgoing.send

    def slow(ready: Ready) -> None:
        waits.set()
        assert goes_on.wait(30)
        real(ready)

    monkeypatch.setattr(outgoing, "send", slow)
    thread = threading.Thread(target=notify.drain, args=("sms",))
    thread.start()
    assert waits.wait(30)
    # Longer than the lease: it was kept meanwhile.
    began = clock.now()
    while clock.now() - began < LEASE * 1.5:
        with db.transaction() as session:
            assert delivery.claim(session, "sms", now=clock.now()) is None
        threading.Event().wait(0.2)
    goes_on.set()
    thread.join()
    assert len(gateway.taken) == 1
    assert [state[1:3] for state in states(site)] == [(1, True)]


def test_a_failure_after_somebody_died_leads_to_the_next_channel_too(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway, office: PostOffice
) -> None:
    sound(cast.achieng.patient_id)
    steps()
    with db.transaction() as session:
        assert delivery.claim(session, "sms", now=clock.now()) is not None
    pass_time(site, LEASE)
    gateway.mood = "broken"
    assert notify.drain("sms") == 0
    assert notify.drain("email") == 1


def test_who_took_the_address_back_is_told_another_way(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway, office: PostOffice
) -> None:
    sound(cast.achieng.patient_id)
    steps()
    with db.transaction() as session:
        (own,) = addresses.addresses_of(session, amina.account_id)
        addresses.remove(session, amina.account_id, own.id, now=clock.now())
    assert notify.drain("sms") == 0
    assert notify.drain("email") == 1


def test_the_new_and_urgent_goes_first_and_the_old_is_closed_with_a_reason(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway
) -> None:
    old = sound(cast.achieng.patient_id, kind="old")
    steps()
    pass_time(site, timedelta(minutes=31))
    for number, priority in enumerate(("medium", "high", "low")):
        sound(cast.achieng.patient_id, kind=f"kind_{number}", priority=priority)
    steps()
    with site.cursor() as cur:
        cur.execute("UPDATE notice SET channel = 'sms', next_attempt_at = created_at WHERE channel = 'email'")
    order = []
    while True:
        with db.transaction() as session:
            ready = delivery.claim(session, "sms", now=clock.now())
        if ready is None:
            break
        order.append(ready.priority)
    assert order[:1] == ["high"]
    assert order == sorted(order, key=["high", "medium", "low"].index)
    closed = site.row(
        "SELECT failed_at IS NOT NULL, next_attempt_at, error FROM notice WHERE alert_id = %s AND channel = 'sms'"
        " ORDER BY created_at LIMIT 1",
        old,
    )
    assert closed == (True, None, "Given up: it was not taken within 30 minutes.")


def test_many_old_and_many_taken_are_closed_in_one_go(
    site: Site, cast: Cast, amina: Actor, gateway: Gateway
) -> None:
    for number in range(3):
        sound(cast.achieng.patient_id, kind=f"old_{number}")
    steps()
    pass_time(site, timedelta(minutes=31))
    taken = [sound(cast.achieng.patient_id, kind=f"taken_{number}") for number in range(3)]
    steps()
    with site.cursor() as cur:
        cur.execute("UPDATE alert SET closed_at = now(), closed_as = 'ended' WHERE id = ANY(%s)", (taken,))
    with db.transaction() as session:
        assert delivery.close_old(session, "sms", now=clock.now()) == 6
        assert delivery.close_old(session, "sms", now=clock.now()) == 0
    assert site.rows("SELECT 1 FROM notice WHERE channel = 'sms' AND next_attempt_at IS NOT NULL") == []
    assert site.row("SELECT count(*) FROM notice WHERE channel = 'sms' AND cancelled_at IS NOT NULL")[0] == 3


def test_the_page_of_notices_says_how_each_channel_does(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway, office: PostOffice
) -> None:
    browser = site.browser()
    browser.sign_in(people.ada, PASSWORD)
    page = browser.get("/admin/settings/notices").get_data(as_text=True)
    assert page.count("Not used yet") == 4
    break_down(site, cast, gateway)
    notify.drain("email")
    page = browser.get("/admin/settings/notices").get_data(as_text=True)
    assert ">Down<" in page
    assert ">Working<" in page
    with db.transaction() as session:
        found = {way.channel: way for way in way_queries.ways(session, ["email", "sms"])}
    assert (found["sms"].state, found["sms"].waiting, found["email"].state) == ("down", DOWN_AFTER, "works")
    assert "africas talking" in (found["sms"].error or "").lower()
