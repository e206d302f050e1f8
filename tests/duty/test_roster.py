"""Duty is accepted and handed over; who was only planned is a fallback."""

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from silverwatch import clock, db
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.wards import planning, roster
from silverwatch.domain.wards.shifts import LONGEST, DutyRole, pattern_at
from tests.cast import Cast, People
from tests.conftest import Site
from tests.duty.crew import accept, actor_of, join, leave, there

ZONE = ZoneInfo("Africa/Nairobi")


def test_who_accepts_is_on_duty_until_it_is_handed_over(site: Site, cast: Cast, people: People) -> None:
    ward = cast.achieng.ward_id
    amina, bea = actor_of(people.amina), join("Bea", ward, usual="charge_nurse")
    accept(amina, ward)
    accept(amina, ward)  # twice is once
    accept(bea, ward)
    assert there(ward) == [("Amina", "nurse", True), ("Bea", "charge_nurse", True)]
    leave(amina, ward, to=bea.account_id)
    assert there(ward) == [("Bea", "charge_nurse", True)]
    assert site.rows("SELECT ended_as, handed_to FROM duty WHERE ended_at IS NOT NULL") == [
        ("handed_over", bea.account_id)
    ]
    told = [row[0] for row in site.rows("SELECT action FROM audit_entry ORDER BY seq")]
    assert told == ["duty.accepted", "duty.accepted", "duty.handed_over"]


def test_duty_is_never_handed_to_who_is_not_there(site: Site, cast: Cast, people: People) -> None:
    ward = cast.achieng.ward_id
    amina, bea = actor_of(people.amina), join("Bea", ward)
    accept(amina, ward)
    with pytest.raises(ConflictError, match="not accepted duty yet"):
        leave(amina, ward, to=bea.account_id)
    with pytest.raises(ConflictError, match="only one on duty"):
        leave(amina, ward)
    assert there(ward) == [("Amina", "nurse", True)]
    leave(amina, ward, even_if_last=True)
    assert there(ward) == []
    with pytest.raises(NotFoundError):
        leave(amina, ward)


def test_another_ward_is_nobodys_to_take(site: Site, cast: Cast, people: People) -> None:
    for actor in (actor_of(people.amina), actor_of(people.ada)):
        with pytest.raises(NotFoundError):
            accept(actor, cast.chebet.ward_id)
    assert site.rows("SELECT * FROM duty") == []


def test_a_nurse_cannot_take_the_duty_of_a_doctor(site: Site, cast: Cast, people: People) -> None:
    ward, amina = cast.achieng.ward_id, actor_of(people.amina)
    with pytest.raises(ConflictError):
        accept(amina, ward, role="doctor")
    accept(amina, ward, role="charge_nurse")
    accept(amina, ward, role="nurse")
    assert there(ward) == [("Amina", "nurse", True)]
    assert [row[0] for row in site.rows("SELECT ended_as FROM duty ORDER BY id")] == ["changed", None]


def test_a_forgotten_duty_ends(site: Site, cast: Cast, people: People) -> None:
    ward, now = cast.achieng.ward_id, clock.now()
    accept(actor_of(people.amina), ward, now=now - LONGEST)
    assert there(ward) == []
    with db.transaction() as session:
        assert roster.end_forgotten(session, now=now) == 1
    assert site.row("SELECT ended_as FROM duty")[0] == "forgotten"


def test_who_is_planned_and_has_not_come_is_a_fallback(site: Site, cast: Cast, people: People) -> None:
    ward, now, ada = cast.achieng.ward_id, clock.now(), actor_of(people.ada)
    amina, bea = actor_of(people.amina), join("Bea", ward)
    day, pattern = pattern_at(now, zone=ZONE)
    with db.transaction() as session:
        for who, role in ((amina, DutyRole.CHARGE_NURSE), (bea, None)):
            shift = planning.plan(
                session, ada, ward_id=ward, account_id=who.account_id, day=day, pattern=pattern, role=role,
                zone=ZONE, now=now,
            )  # fmt: skip
    accept(amina, ward)
    assert there(ward) == [("Amina", "charge_nurse", True), ("Bea", "nurse", False)]
    with db.transaction() as session:
        planning.cancel(session, ada, shift.id, now=now)
    assert there(ward) == [("Amina", "charge_nurse", True)]


def test_what_cannot_be_planned_says_why(site: Site, cast: Cast, people: People) -> None:
    ward, now, ada = cast.achieng.ward_id, clock.now(), actor_of(people.ada)
    amina, bruno = actor_of(people.amina), actor_of(people.bruno)
    today = now.astimezone(ZONE).date()
    tomorrow = today + timedelta(days=1)
    for account_id, day, pattern, role, says in (
        (amina.account_id, today - timedelta(days=2), "early", None, "today on"),
        (amina.account_id, today + timedelta(days=200), "early", None, "three months"),
        (amina.account_id, tomorrow, "noon", None, "early, late or night"),
        (bruno.account_id, tomorrow, "late", None, "caregiver of this ward"),
        (amina.account_id, tomorrow, "late", DutyRole.DOCTOR, "cannot take that duty"),
    ):
        with pytest.raises(DomainError, match=says), db.transaction() as session:
            planning.plan(
                session, ada, ward_id=ward, account_id=account_id, day=day, pattern=pattern, role=role,
                zone=ZONE, now=now,
            )  # fmt: skip
    assert site.rows("SELECT * FROM planned_shift") == []


def test_two_clicks_at_once_are_one_duty(site: Site, cast: Cast, people: People) -> None:
    ward, amina = cast.achieng.ward_id, actor_of(people.amina)
    threads = [threading.Thread(target=accept, args=(amina, ward)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.row("SELECT count(*) FROM duty")[0] == 1
