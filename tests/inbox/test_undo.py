"""An escalation by a person is undone within seconds: the chain goes back, nothing that was sent is forgotten."""

from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.notices import delivery
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.duty.alarms import pass_time, sound, steps, told
from tests.duty.crew import accept, actor_of, join
from tests.inbox.test_inbox import HTMX, text_of


@pytest.fixture
def alert_id(site: Site, cast: Cast, people: People) -> UUID:
    """A high alarm whose first step the clock has taken; nurse Amina, who is on duty with Carol and Dan, looks on."""
    ward = cast.achieng.ward_id
    accept(actor_of(people.amina), ward)
    accept(join("Carol", ward, usual="charge_nurse"), ward)
    accept(join("Dan", ward, usual="doctor"), ward)
    found = sound(cast.achieng.patient_id)
    steps()
    site.client.sign_in(people.amina, PASSWORD)
    return found


def chain(site: Site, alert_id: UUID) -> tuple[object, ...]:
    """Where the chain of the alarm stands."""
    return tuple(site.row("SELECT step, escalate_at, escalated_at FROM alert WHERE id = %s", alert_id))


def press(site: Site, alert_id: UUID, verb: str = "escalation", **headers: str) -> int:
    """A button of the pane."""
    return site.client.submit(f"/alerts/{alert_id}/{verb}", {"next": "/alerts"}, headers=headers).status_code


def test_the_chain_goes_back_to_its_step_and_to_its_deadline(site: Site, alert_id: UUID) -> None:
    before = chain(site, alert_id)
    assert press(site, alert_id) == 303
    assert chain(site, alert_id) != before
    assert "Undo escalation" in text_of(site.client.get(f"/alerts/{alert_id}").get_data(as_text=True))
    assert press(site, alert_id, "escalation/withdrawal") == 303
    assert chain(site, alert_id) == before
    page = text_of(site.client.get(f"/alerts/{alert_id}").get_data(as_text=True))
    assert "Undo escalation" not in page
    assert "Escalated by Amina" in page
    assert "Undone by Amina" in page
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'alert.escalation_undone'")[0] == 1


def test_what_was_sent_stays_and_what_waits_is_not_sent(site: Site, alert_id: UUID) -> None:
    press(site, alert_id)
    rows = site.rows(
        "SELECT n.id FROM notice n JOIN escalation e ON e.id = n.escalation_id WHERE e.taken_by IS NOT NULL"
    )
    assert rows
    with site.cursor() as cur:
        cur.execute(
            "UPDATE notice SET delivered_at = now(), next_attempt_at = NULL WHERE id = %s", (rows[0][0],)
        )
    press(site, alert_id, "escalation/withdrawal")
    left = site.rows(
        "SELECT n.id, n.delivered_at IS NULL, n.next_attempt_at FROM notice n JOIN escalation e"
        " ON e.id = n.escalation_id WHERE e.taken_by IS NOT NULL"
    )
    assert {row[0] for row in left} == {row[0] for row in rows}
    assert all(row[2] is None for row in left)
    assert not next(row[1] for row in left if row[0] == rows[0][0])


def test_who_was_told_by_a_slip_is_told_again_when_it_is_due(site: Site, alert_id: UUID) -> None:
    press(site, alert_id)
    press(site, alert_id, "escalation/withdrawal")
    pass_time(site, timedelta(seconds=120))
    steps()
    said = [(place, name) for place, name, channel in told(site) if channel == "web"]
    assert said == [(0, "Amina"), (1, "Carol"), (1, "Carol")]


def test_an_attempt_that_fails_after_the_undoing_is_not_made_again(site: Site, alert_id: UUID) -> None:
    press(site, alert_id)
    notice_id = site.row(
        "SELECT n.id FROM notice n JOIN escalation e ON e.id = n.escalation_id WHERE e.taken_by IS NOT NULL LIMIT 1"
    )[0]
    with site.cursor() as cur:
        cur.execute("UPDATE notice SET delivered_at = NULL, attempts = 1 WHERE id = %s", (notice_id,))
    press(site, alert_id, "escalation/withdrawal")
    before = chain(site, alert_id)
    with db.transaction() as session:
        assert delivery.failed(session, notice_id, error="gone", now=clock.now()) is None
    assert site.row("SELECT next_attempt_at FROM notice WHERE id = %s", notice_id)[0] is None
    assert chain(site, alert_id) == before


def test_only_the_last_step_of_a_person_and_only_for_seconds(site: Site, alert_id: UUID) -> None:
    assert press(site, alert_id, "escalation/withdrawal") == 409
    press(site, alert_id)
    with site.cursor() as cur:
        cur.execute("UPDATE escalation SET taken_at = taken_at - interval '11 seconds'")
    assert press(site, alert_id, "escalation/withdrawal") == 409
    press(site, alert_id)
    assert press(site, alert_id, "escalation/withdrawal", **HTMX) == 200
    assert press(site, alert_id, "escalation/withdrawal") == 409


def test_who_took_the_alarm_meanwhile_keeps_it(site: Site, alert_id: UUID) -> None:
    press(site, alert_id)
    press(site, alert_id, "acknowledgement")
    assert press(site, alert_id, "escalation/withdrawal") == 409
    assert chain(site, alert_id)[1] is None
