"""What becomes of an alarm: taken, resolved for a reason, sounding again, coming and going; each by the rows alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.alerts import again, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.states import state_of
from silverwatch.domain.errors import ConflictError
from tests.cast import Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post

LOW = "systolic_bp_low"


def raised(site: Site, cast: Cast, pressure: float = 85) -> None:
    """A spot value below its limit: an alarm at once."""
    post(site, cast.achieng.key, [(0.2, {"systolic_bp": pressure})])
    judge()


def amina(site: Site, cast: Cast, people: People) -> Actor:
    """The caregiver of the ward."""
    account_id = site.row("SELECT id FROM account WHERE email = %s", people.amina)[0]
    return Actor(
        account_id=account_id, role=Role.CAREGIVER, name="Amina", ward_ids=frozenset({cast.achieng.ward_id})
    )


def act(site: Site, verb: Any, *args: Any, **named: Any) -> Any:
    """Do something with the one alert of the kind."""
    with db.transaction() as session:
        alert = session.get(Alert, site.row("SELECT id FROM alert WHERE kind = %s", LOW)[0])
        assert alert is not None
        return verb(session, *(alert if arg is ... else arg for arg in args), **named)


def state(site: Site) -> str:
    """Where it stands."""
    row = site.row(
        "SELECT a.id, k.at FROM alert a LEFT JOIN acknowledgement k ON k.alert_id = a.id AND k.ended_at IS NULL"
        " WHERE a.kind = %s",
        LOW,
    )
    with db.transaction(read_only=True) as session:
        alert = session.get_one(Alert, row[0])
        return state_of(alert, acknowledged_at=row[1])


def sounds(site: Site) -> int:
    """How often it was raised."""
    return int(site.row("SELECT count(*) FROM event WHERE kind = 'AlertRaised'")[0])


def later(*, minutes: float) -> int:
    """The guard's look, so much later."""
    with db.transaction() as session:
        return again.realarm(session, now=clock.now() + timedelta(minutes=minutes))


@pytest.mark.parametrize(("pressure", "minutes"), [(75, 10), (85, 30)])
def test_what_was_taken_and_is_still_true_sounds_again(
    site: Site, cast: Cast, people: People, pressure: float, minutes: int
) -> None:
    raised(site, cast, pressure)
    act(site, service.acknowledge, amina(site, cast, people), ..., now=clock.now())
    assert (state(site), sounds(site)) == ("acknowledged", 1)
    assert later(minutes=minutes - 0.5) == 0
    assert later(minutes=minutes + 0.5) == 1
    assert (state(site), sounds(site)) == ("raised again", 2)
    assert later(minutes=minutes + 1) == 0


def test_what_has_ended_does_not_sound_again(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast, 75)
    act(site, service.acknowledge, amina(site, cast, people), ..., now=clock.now())
    raised(site, cast, 120)
    assert state(site) == "ended"
    assert later(minutes=60) == 0


def test_resolving_what_is_still_true_needs_a_reason(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast)
    with pytest.raises(ConflictError, match="still true"):
        act(site, service.resolve, amina(site, cast, people), ..., now=clock.now())
    assert state(site) == "new"


def resolved(site: Site, cast: Cast, people: People) -> None:
    """Resolved for a reason while it goes on."""
    raised(site, cast)
    act(site, service.resolve, amina(site, cast, people), ..., now=clock.now(), reason="known")
    assert state(site) == "resolved"


def test_what_was_resolved_for_a_reason_stays_so_while_it_gets_no_worse(
    site: Site, cast: Cast, people: People
) -> None:
    resolved(site, cast, people)
    raised(site, cast, 84)
    assert (state(site), sounds(site)) == ("resolved", 1)
    raised(site, cast, 120)
    assert site.row("SELECT ended_at IS NOT NULL, resolution FROM alert WHERE kind = %s", LOW) == (
        True,
        "known",
    )
    assert later(minutes=60) == 0


def test_what_was_resolved_and_gets_worse_is_there_at_once(site: Site, cast: Cast, people: People) -> None:
    resolved(site, cast, people)
    raised(site, cast, 75)
    assert (state(site), sounds(site)) == ("new", 2)
    assert site.row("SELECT priority, resolution FROM alert WHERE kind = %s", LOW) == ("high", None)


def test_what_was_resolved_and_is_still_true_comes_back_by_the_clock(
    site: Site, cast: Cast, people: People
) -> None:
    resolved(site, cast, people)
    assert later(minutes=31) == 1
    assert (state(site), sounds(site)) == ("raised again", 2)


def test_what_comes_and_goes_is_one_alert_that_counts(site: Site, cast: Cast) -> None:
    times = 12
    for _ in range(times):
        raised(site, cast, 85)
        raised(site, cast, 120)
    rows = site.rows("SELECT times, closed_as FROM alert WHERE kind = %s", LOW)
    assert [tuple(row) for row in rows] == [(times, "ended")]
    assert site.row("SELECT count(*), count(DISTINCT run_from) FROM alert_episode") == (times - 1, times - 1)
    assert sounds(site) == 3


def test_after_a_quarter_of_an_hour_it_is_another_alert(site: Site, cast: Cast) -> None:
    end = clock.now()
    for before, pressure in ((1200, 85), (1190, 120), (10, 85)):
        post(site, cast.achieng.key, [(before, {"systolic_bp": pressure})], until=end)
        judge()
    assert site.row("SELECT count(*), max(times) FROM alert WHERE kind = %s", LOW) == (2, 1)


def test_a_high_alarm_that_ends_waits_to_be_seen(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast, 75)
    raised(site, cast, 120)
    assert state(site) == "latched"
    act(site, service.acknowledge, amina(site, cast, people), ..., now=clock.now())
    assert state(site) == "ended"


def event(site: Site, cast: Cast, kind: str, *, ago_s: float = 0.2) -> datetime:
    """The device reports something."""
    at = clock.now() - timedelta(seconds=ago_s)
    answer = site.client.post(
        "/api/readings/",
        json={"readings": [], "events": [{"at": at.isoformat(), "kind": kind}]},
        headers={"Authorization": f"Bearer {cast.achieng.key}"},
    )
    assert answer.get_json()["stored"] == 1
    judge()
    return at


def test_a_fall_is_a_high_alarm_and_an_incident_and_told_once(site: Site, cast: Cast) -> None:
    event(site, cast, "fall", ago_s=30)
    event(site, cast, "fall", ago_s=5)
    assert site.row("SELECT kind, priority, times FROM alert") == ("fall", "high", 2)
    row = site.row("SELECT kind, patient_id, ward_id, alert_id IS NOT NULL, closed_at FROM incident")
    assert tuple(row) == ("fall", cast.achieng.patient_id, cast.achieng.ward_id, True, None)


def test_a_call_for_help_is_a_high_alarm_and_no_incident(site: Site, cast: Cast) -> None:
    event(site, cast, "help")
    assert site.row("SELECT kind, priority, subject FROM alert") == ("help", "high", "patient")
    assert site.rows("SELECT id FROM incident") == []


@pytest.mark.parametrize("kind", ["low_battery", "sensor_off"])
def test_what_a_device_says_of_itself_is_low_and_technical(site: Site, cast: Cast, kind: str) -> None:
    event(site, cast, kind)
    assert site.row("SELECT kind, priority, technical FROM alert") == (kind, "low", True)


def test_a_sensor_that_is_on_again_ends_its_alarm(site: Site, cast: Cast) -> None:
    event(site, cast, "sensor_off", ago_s=5)
    event(site, cast, "sensor_on")
    assert site.row("SELECT closed_as FROM alert WHERE kind = 'sensor_off'")[0] == "ended"
