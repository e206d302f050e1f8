"""Scopes that no address names: whose an alarm of a ward is, and ids that travel in a form."""

from uuid import UUID

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.security.objects import ELSEWHERE, OWN, belongings
from tests.security.routes import Visitor, visits
from tests.security.test_access import classified


def alarm_of(site: Site, subject_id: UUID) -> UUID:
    """An open alarm about a ward as a whole, or about the system when the id is no ward's."""
    alert_id, now = clock.new_id(), clock.now()
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO alert (id, subject, subject_id, kind, priority, peak_priority, technical, live, run_from,"
            " event_at, last_at, raised_at) VALUES"
            " (%s, 'system', %s, 'nobody_on_duty', 'high', 'high', false, true, %s, %s, %s, %s)",
            (alert_id, subject_id, now, now, now, now),
        )
    return alert_id


def taken(site: Site, email: str, alert_id: UUID) -> int:
    """The answer to somebody's attempt to take it."""
    browser = site.browser()
    browser.sign_in(email, PASSWORD)
    return browser.submit(f"/alerts/{alert_id}/acknowledgement").status_code


def test_an_alarm_about_a_ward_is_that_wards_alone(site: Site, cast: Cast, people: People) -> None:
    alert_id = alarm_of(site, cast.chebet.ward_id)
    assert taken(site, people.amina, alert_id) == 404
    assert site.row("SELECT count(*) FROM acknowledgement") == (0,)
    amina, bruno = site.browser(), site.browser()
    amina.sign_in(people.amina, PASSWORD)
    bruno.sign_in(people.bruno, PASSWORD)
    assert str(alert_id) not in amina.get("/ward/a").get_data(as_text=True)
    assert str(alert_id) in bruno.get("/ward/b").get_data(as_text=True)
    assert taken(site, people.bruno, alert_id) == 303
    assert site.row("SELECT count(*) FROM acknowledgement") == (1,)


def test_an_alarm_about_the_system_is_everybodys_who_takes_alarms(site: Site, people: People) -> None:
    alert_id = alarm_of(site, clock.new_id())
    for email, status in (
        (people.tekla, 403),
        (people.patience, 403),
        (people.ada, 403),
        (people.bruno, 303),
    ):
        assert taken(site, email, alert_id) == status


def test_a_wall_screen_is_made_only_for_a_ward_of_ones_own(site: Site, cast: Cast, people: People) -> None:
    with site.cursor() as cur:
        cur.execute(
            "DELETE FROM membership WHERE ward_id = %s AND account_id = (SELECT id FROM account WHERE email = %s)",
            (cast.chebet.ward_id, people.ada),
        )
    site.client.sign_in(people.ada, PASSWORD)
    for ward_id, status in ((cast.chebet.ward_id, 422), (clock.new_id(), 422), (cast.achieng.ward_id, 200)):
        answer = site.client.submit("/admin/displays", {"name": "Corridor", "ward": str(ward_id)})
        assert answer.status_code == status, answer.get_data(as_text=True)
    assert site.rows("SELECT ward_id FROM display") == [(cast.achieng.ward_id,)]


def test_a_technician_sees_the_devices_of_their_wards_and_no_name(
    site: Site, cast: Cast, people: People
) -> None:
    site.client.sign_in(people.tekla, PASSWORD)
    page = site.client.get("/devices").get_data(as_text=True)
    assert all(worn.serial in page for worn in (cast.achieng, cast.baraka))
    assert cast.chebet.serial not in page
    assert not [name for name in ("Achieng", "Baraka", "Chebet") if name.lower() in page.lower()]


def test_an_own_patient_in_the_address_opens_nothing_of_another_one(
    site: Site, cast: Cast, people: People
) -> None:
    """Addresses with two things in them: one is the visitor's to see, the other belongs to somebody else."""
    visitor, tried = Visitor(site, people, "caregiver"), 0
    for visit in visits(site.app):
        if len(visit.names) < 2:
            continue
        own = belongings(site, cast, people, "caregiver", OWN, visitor)
        foreign = belongings(site, cast, people, "caregiver", ELSEWHERE, visitor)
        for name in visit.names:
            if own[name] == foreign[name]:
                continue  # A word that chooses a kind belongs to nobody.
            of_route = f"{visit.rule} {name}"
            for method in sorted(visit.methods):
                tried += 1
                swapped = {name: foreign[name], of_route: foreign.get(of_route, foreign[name])}
                answer = visitor.visit(visit, method, own | swapped)
                # What is a section of another role is not opened by any thing in its address either.
                assert classified(answer) in {"missing", "role"}, (visit.rule, method, name)
    assert tried > 4
