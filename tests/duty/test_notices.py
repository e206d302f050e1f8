"""Notices on their way: attempts as rows, whoever dies; the next channel, the next person."""

import threading
from datetime import timedelta
from email.message import EmailMessage

import pytest

from silverwatch import clock, db, flow
from silverwatch.adapters.job_queue import JobQueue
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain.alerts import parts
from silverwatch.domain.notices import delivery, queries
from silverwatch.domain.notices.models import NoticePreference
from silverwatch.domain.notices.ready import Ready
from silverwatch.domain.notices.rules import LEASE
from silverwatch.jobs import notify
from silverwatch.jobs.guard import Guard
from silverwatch.web import outgoing
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.duty.alarms import pass_time, sound, states, steps, take
from tests.duty.crew import accept, actor_of, join
from tests.jobs.post_office import PostOffice, open_office, use

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def duty(site: Site, cast: Cast, people: People) -> People:
    """Amina and a doctor are on duty in ward A."""
    accept(actor_of(people.amina), cast.achieng.ward_id)
    accept(join("Dan", cast.achieng.ward_id, usual="doctor"), cast.achieng.ward_id)
    outgoing.configure(site.config)
    return people


@pytest.fixture
def office(site: Site) -> PostOffice:
    """A mail server."""
    with open_office() as found:
        use(site, found.url)
        yield found


def text(letter: EmailMessage) -> str:
    return letter["Subject"] + "\n" + letter.get_content()


def test_a_letter_says_where_and_what_and_names_nobody(
    site: Site, cast: Cast, duty: People, office: PostOffice
) -> None:
    sound(cast.achieng.patient_id)
    notify.notify()
    (letter,) = office.letters
    assert letter["To"] == duty.amina
    assert letter["Subject"] == "High alarm: Ward A, bed A1: oxygen saturation too low"
    assert f"{site.config.base_url}/ward/a" in text(letter)
    assert "achieng" not in text(letter).lower()
    assert "71" not in text(letter)
    assert states(site) == [("email", 1, True, False, False, False, None)]
    assert site.row("SELECT number, outcome, ended_at >= begun_at FROM notice_attempt") == (
        1,
        "delivered",
        True,
    )


def test_the_first_attempt_comes_within_5_s_with_redis_and_workers_dead(
    site: Site, cast: Cast, duty: People, office: PostOffice
) -> None:
    ringer = flow.Ringer(bus=Bus(NOWHERE), queue=JobQueue(NOWHERE))
    db.on_commit(ringer)
    stop = threading.Event()
    threads = [
        threading.Thread(target=Guard(ringer).run, args=(stop,)),
        threading.Thread(target=notify.run, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    try:
        sound(cast.achieng.patient_id)
        waited = threading.Event()
        for _ in range(200):
            if site.row("SELECT count(*) FROM notice_attempt")[0]:
                break
            waited.wait(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    late_s = site.row(
        "SELECT extract(epoch FROM t.begun_at - a.raised_at) FROM notice_attempt t"
        " JOIN notice n ON n.id = t.notice_id JOIN alert a ON a.id = n.alert_id WHERE a.subject = 'patient'"
    )[0]
    assert late_s < 5
    assert site.row("SELECT count(*) FROM heartbeat WHERE name = %s", parts.NOTICES)[0] == 1


def test_a_server_that_is_away_leads_to_the_next_people_at_once(site: Site, cast: Cast, duty: People) -> None:
    with open_office() as gone:
        port = gone.port
    use(site, f"smtp://127.0.0.1:{port}")
    alert_id = sound(cast.achieng.patient_id)
    notify.notify()
    assert states(site) == [("email", 1, False, True, False, False, None)]
    assert site.row("SELECT escalate_at <= now() FROM alert WHERE id = %s", alert_id)[0]
    steps()
    names = site.rows(
        "SELECT DISTINCT c.name FROM notice n JOIN account c ON c.id = n.account_id WHERE n.alert_id = %s",
        alert_id,
    )
    assert sorted(row[0] for row in names) == ["Amina", "Dan"]
    pass_time(site, timedelta(seconds=5))
    with open_office(port=port) as back:
        assert notify.drain("email") == 2
        assert sorted(letter["To"] for letter in back.letters) == [duty.amina, "dan@a.example"]


def test_dying_in_between_tells_twice_at_most_under_one_id_and_says_so(
    site: Site, cast: Cast, duty: People, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(cast.achieng.patient_id)
    steps()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(delivery, "delivered", die)
        with pytest.raises(KeyboardInterrupt):
            notify.drain("email")
    assert notify.drain("email") == 0  # somebody may be at it still
    pass_time(site, LEASE)
    assert notify.drain("email") == 1
    first, second = office.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert "may be a repeat" not in text(first)
    assert "may be a repeat" in text(second)
    rows = site.rows("SELECT number, outcome FROM notice_attempt ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, None), (2, "delivered")]


def test_who_took_the_alarm_is_told_no_more(site: Site, cast: Cast, duty: People, office: PostOffice) -> None:
    alert_id = sound(cast.achieng.patient_id)
    steps()
    take(site, duty.amina, alert_id)
    assert notify.drain("email") == 0
    assert office.taken == []
    assert states(site) == [("email", 0, False, False, False, True, None)]


def test_many_who_tell_at_once_tell_each_once(
    site: Site, cast: Cast, duty: People, office: PostOffice
) -> None:
    for number in range(12):
        sound(cast.achieng.patient_id, kind=f"kind_{number}")
    threads = [threading.Thread(target=notify.notify) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(office.letters) == 12
    assert len({letter["Message-ID"] for letter in office.letters}) == 12


@pytest.mark.parametrize(("priority", "held"), [("high", None), ("medium", "quiet")])
def test_quiet_hours_hold_back_what_is_not_high(
    site: Site, cast: Cast, duty: People, priority: str, held: str | None
) -> None:
    now = clock.now().astimezone(notify.zone())
    begin, end = (now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time()
    with db.transaction() as session:
        session.add(
            NoticePreference(
                account_id=actor_of(duty.amina).account_id, quiet_from=begin, quiet_until=end, changed_at=now
            )
        )
    sound(cast.achieng.patient_id, priority=priority)
    steps()
    assert [state[-1] for state in states(site)] == [held]
    assert site.row("SELECT count(*) FROM notice WHERE channel = 'web' AND delivered_at IS NOT NULL")[0] == 1


def test_a_notice_of_long_ago_is_given_up(site: Site, cast: Cast, duty: People, office: PostOffice) -> None:
    sound(cast.achieng.patient_id)
    steps()
    pass_time(site, timedelta(minutes=31))
    assert notify.drain("email") == 0
    assert states(site) == [("email", 0, False, False, True, False, None)]


def test_our_own_mistake_holds_up_nobody_else(
    site: Site, cast: Cast, duty: People, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(cast.achieng.patient_id, kind="poison")
    sound(cast.achieng.patient_id, kind="good")
    steps()
    real = outgoing.text_of

    def stumble(ready: Ready) -> tuple[str, str]:
        if ready.kind == "poison":
            raise KeyError("secret")
        return real(ready)

    monkeypatch.setattr(outgoing, "text_of", stumble)
    assert notify.drain("email") == 1
    assert site.row("SELECT error FROM notice WHERE error IS NOT NULL")[0].startswith(
        "Our own mistake (KeyError)"
    )


def test_the_alarm_tells_who_was_told_when_and_what_comes_next(
    site: Site, cast: Cast, duty: People, office: PostOffice
) -> None:
    alert_id = sound(cast.achieng.patient_id)
    notify.notify()
    with db.transaction() as session:
        told = queries.told(session, alert_id, now=clock.now())
    (step,) = told.steps
    assert [(n.name, n.channel, n.state) for n in step.notices] == [
        ("Amina", "email", "delivered"),
        ("Amina", "web", "delivered"),
    ]
    assert told.next is not None
    # Nobody is charge nurse: the doctor is next, when the charge nurse would have been.
    assert (told.next.names, told.next.role) == (("Dan",), "doctor")
    assert (told.next.at - step.at).total_seconds() == 120


def test_escalating_by_hand_is_a_form_of_who_takes_alarms(site: Site, cast: Cast, duty: People) -> None:
    alert_id = sound(cast.achieng.patient_id)
    steps()
    for email, status in ((duty.bruno, 404), (duty.ada, 403), (duty.amina, 303)):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert browser.submit(f"/alerts/{alert_id}/escalation").status_code == status
    rows = site.rows("SELECT place, taken_by IS NOT NULL FROM escalation ORDER BY id")
    assert [tuple(row) for row in rows] == [(0, False), (1, True), (2, True)]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'alert.escalated'")[0] == 1
