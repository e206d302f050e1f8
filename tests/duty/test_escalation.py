"""Escalation by the clock: who is told, when, and when not any more."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import chains
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.steps import Step
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.notices import escalation, nobody
from silverwatch.domain.wards.shifts import DutyRole
from silverwatch.jobs import notify
from tests.cast import Cast, People
from tests.conftest import Site
from tests.duty.alarms import alert, pass_time, sound, steps, take, told
from tests.duty.crew import accept, actor_of, join

S = timedelta(seconds=1)


@pytest.fixture
def crew(site: Site, cast: Cast, people: People) -> People:
    """Ward A with a nurse, a charge nurse and a doctor on duty."""
    ward = cast.achieng.ward_id
    accept(actor_of(people.amina), ward)
    accept(join("Carol", ward, usual="charge_nurse"), ward)
    accept(join("Dan", ward, usual="doctor"), ward)
    return people


def web(site: Site) -> list[tuple[int, str]]:
    return [(place, name) for place, name, channel in told(site) if channel == "web"]


def test_the_steps_come_by_the_clock_and_the_last_one_repeats(site: Site, cast: Cast, crew: People) -> None:
    alert_id = sound(cast.achieng.patient_id)
    steps()
    assert web(site) == [(0, "Amina")]
    steps(later=90 * S)
    assert web(site) == [(0, "Amina")]
    pass_time(site, 120 * S)
    steps()
    assert web(site) == [(0, "Amina"), (1, "Carol")]
    assert alert(alert_id).step == 2
    pass_time(site, 180 * S)
    steps()
    pass_time(site, 300 * S)
    steps()
    assert web(site) == [(0, "Amina"), (1, "Carol"), (2, "Dan"), (2, "Dan")]
    assert alert(alert_id).escalated_at is not None


def test_whoever_takes_it_ends_it(site: Site, cast: Cast, crew: People) -> None:
    alert_id = sound(cast.achieng.patient_id)
    steps()
    take(site, crew.amina, alert_id)
    assert alert(alert_id).escalate_at is None
    pass_time(site, timedelta(hours=1))
    assert steps() == 0
    assert web(site) == [(0, "Amina")]


def test_a_muted_and_a_retrospective_alarm_tell_nobody(site: Site, cast: Cast, crew: People) -> None:
    sound(cast.achieng.patient_id, muted_by="standby")
    sound(cast.baraka.patient_id, live=False)
    assert steps() == 0
    assert told(site) == []


def test_what_has_become_more_urgent_begins_anew(site: Site, cast: Cast, crew: People) -> None:
    alert_id = sound(cast.achieng.patient_id, priority="medium")
    steps()
    with db.transaction() as session:
        found = session.get_one(Alert, alert_id)
        found.priority = "high"
        chains.start(found, clock.now())
    steps()
    assert web(site) == [(0, "Amina"), (0, "Amina")]
    assert alert(alert_id).step == 1


def test_a_duty_that_nobody_has_leads_on_at_once(site: Site, cast: Cast, people: People) -> None:
    ward = cast.achieng.ward_id
    accept(actor_of(people.amina), ward)
    accept(join("Dan", ward, usual="doctor"), ward)
    sound(cast.achieng.patient_id)
    steps()
    pass_time(site, 120 * S)
    steps()
    assert web(site) == [(0, "Amina"), (2, "Dan")]
    rows = site.rows("SELECT place, reached FROM escalation ORDER BY id")
    assert [tuple(row) for row in rows] == [(0, 1), (1, 0), (2, 1)]


def test_a_backup_takes_the_place_of_who_is_missing(site: Site, cast: Cast, people: People) -> None:
    ward = cast.achieng.ward_id
    accept(actor_of(people.amina), ward)
    accept(join("Ben", ward), ward, role="backup")
    sound(cast.achieng.patient_id)
    steps()
    pass_time(site, 120 * S)
    steps()
    assert web(site) == [(0, "Amina"), (1, "Ben")]
    assert [row[0] for row in site.rows("SELECT fallback FROM escalation ORDER BY id")] == [None, "backup"]


def test_nobody_on_duty_tells_everybody_of_the_ward_and_is_an_alarm(
    site: Site, cast: Cast, people: People
) -> None:
    join("Ben", cast.achieng.ward_id)
    sound(cast.achieng.patient_id)
    steps()
    assert web(site) == [(2, "Amina"), (2, "Ben")]
    rows = site.rows("SELECT subject_id, priority, technical FROM alert WHERE kind = 'nobody_on_duty'")
    assert [tuple(row) for row in rows] == [(cast.achieng.ward_id, "high", True)]
    accept(actor_of(people.amina), cast.achieng.ward_id)
    with db.transaction() as session:
        nobody.watch(session, now=clock.now())
    ends = {row[0]: row[1] for row in site.rows("SELECT subject_id, closed_as FROM alert WHERE technical")}
    assert ends == {cast.achieng.ward_id: "ended", cast.chebet.ward_id: None}


def test_an_alarm_of_the_system_goes_to_the_administrators(site: Site, cast: Cast, people: People) -> None:
    now = clock.now()
    with db.transaction() as session:
        alert_ = Alert(
            id=clock.new_id(),
            subject="system",
            subject_id=UUID(int=7),
            kind="down_clock",
            priority="high",
            peak_priority="high",
            technical=True,
            live=True,
            run_from=now,
            event_at=now,
            last_at=now,
            raised_at=now,
            escalate_at=now,
        )  # fmt: skip
        session.add(alert_)
    steps()
    assert [name for _, name, channel in told(site, kind="down_clock") if channel == "web"] == ["Ada"]


def test_each_alarm_follows_its_own_clock(site: Site, cast: Cast, crew: People) -> None:
    """The notices of a step belong to the alarm that triggered it, also where two of a patient run at once."""
    first = sound(cast.achieng.patient_id)
    steps()
    pass_time(site, 120 * S)
    second = sound(cast.achieng.patient_id, kind="heart_rate_high")
    steps()
    rows = site.rows(
        "SELECT n.alert_id, e.place FROM notice n JOIN escalation e ON e.id = n.escalation_id"
        " WHERE n.channel = 'web' AND n.alert_id = e.alert_id ORDER BY n.created_at, e.place"
    )
    assert [tuple(row) for row in rows] == [(first, 0), (second, 0), (first, 1)]


def test_a_person_takes_the_next_step_at_once(site: Site, cast: Cast, crew: People) -> None:
    alert_id = sound(cast.achieng.patient_id)
    steps()
    with db.transaction() as session:
        found = session.get_one(Alert, alert_id)
        escalation.escalate(session, actor_of(crew.amina), found, now=clock.now(), zone=notify.zone())
    assert web(site) == [(0, "Amina"), (1, "Carol")]
    assert site.row("SELECT count(*) FROM escalation WHERE taken_by IS NOT NULL")[0] == 1
    with db.transaction() as session:
        found = session.get_one(Alert, alert_id)
        found.closed_at = clock.now()
        with pytest.raises(ConflictError):
            escalation.escalate(session, actor_of(crew.amina), found, now=clock.now(), zone=notify.zone())


def test_many_guards_take_each_step_once(site: Site, cast: Cast, crew: People) -> None:
    for number in range(20):
        sound(cast.achieng.patient_id, kind=f"kind_{number}")
    threads = [threading.Thread(target=notify.take_steps) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.row("SELECT count(*), count(DISTINCT alert_id) FROM escalation") == (20, 20)


def test_flapping_for_an_hour_is_twelve_notices_at_most(site: Site, cast: Cast, crew: People) -> None:
    alert_id, now = sound(cast.achieng.patient_id), clock.now()
    for second in range(0, 3600, 20):
        with db.transaction() as session:
            chains.start(session.get_one(Alert, alert_id), now + second * S)
        steps(now=now, later=second * S)
    sent = site.rows(
        "SELECT channel, count(*) FROM notice WHERE held_as IS NULL GROUP BY channel ORDER BY channel"
    )
    assert {channel: count <= 12 for channel, count in sent} == {"email": True, "web": True}
    assert site.row("SELECT count(*) FROM escalation")[0] == 180


def test_a_ward_may_have_a_chain_of_its_own(site: Site, cast: Cast, crew: People) -> None:
    ward, ada = cast.achieng.ward_id, actor_of(crew.ada)
    bea = join("Bea", ward)
    with db.transaction() as session:
        made = chains.change(
            session, ada, ward_id=ward, priority="high", repeat_s=60, now=clock.now(),
            steps=(Step(after_s=0, role=DutyRole.DOCTOR), Step(after_s=30, account_id=bea.account_id)),
        )  # fmt: skip
    assert made.version == 1
    sound(cast.achieng.patient_id)
    sound(cast.chebet.patient_id)
    steps()
    assert (0, "Dan") in web(site)
    pass_time(site, 30 * S)
    steps()
    assert (1, "Bea") in web(site)
    with db.transaction() as session:
        chains.use_the_sites(session, ada, ward_id=ward, priority="high", now=clock.now())
        assert chains.chains_for(session, [ward])[ward, "high"].version == 0
        assert [version.chain.version for version in chains.versions(session, ward, "high")] == [1]


def test_a_chain_that_ends_in_nobody_is_refused(site: Site, cast: Cast, people: People) -> None:
    ada, bruno = actor_of(people.ada), actor_of(people.bruno)
    first = Step(after_s=0, role=DutyRole.NURSE)
    for steps_, says in (
        ((), "Add a step"),
        ((Step(after_s=0),), "must not lead to nobody"),
        ((first, Step(after_s=60, role=DutyRole.DOCTOR)), "end in nobody"),
        ((first, Step(after_s=60, account_id=bruno.account_id)), "cannot be told any more"),
        ((first, Step(after_s=0, role=DutyRole.NURSE)), "later than the one before"),
        ((Step(after_s=5, role=DutyRole.NURSE),), "at once"),
    ):
        with pytest.raises(DomainError, match=says), db.transaction() as session:
            chains.change(
                session, ada, ward_id=cast.achieng.ward_id, priority="high", repeat_s=60, steps=steps_,
                now=clock.now(),
            )  # fmt: skip
    with pytest.raises(NotFoundError), db.transaction() as session:
        chains.change(
            session, actor_of(people.amina), ward_id=cast.chebet.ward_id, priority="high", repeat_s=60,
            steps=(first,), now=clock.now(),
        )  # fmt: skip
    assert site.rows("SELECT * FROM escalation_chain") == []
