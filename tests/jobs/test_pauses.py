"""Pauses and standby: quiet for a reason and until a time, whatever flaps, restarts or is raised anew meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import pauses, service
from silverwatch.domain.alerts.care_models import Pause
from silverwatch.domain.alerts.conditions import Slope
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.watch import watch_devices
from silverwatch.domain.errors import ConflictError, DomainError
from tests.cast import Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.jobs.test_rules_in_force import write
from tests.jobs.test_states import LOW, amina, event, raised, sounds


def muted(site: Site) -> dict[str, str | None]:
    """By what each open alert is muted."""
    return dict(site.rows("SELECT kind, muted_by FROM alert WHERE closed_at IS NULL"))


def begin(actor: Actor, patient_id: Any, **more: Any) -> Any:
    """A pause of half an hour."""
    now = clock.now()
    values = {"scope": "patient", "reason": "xray", "ends_at": now + timedelta(minutes=30), **more}
    with db.transaction() as session:
        return pauses.begin(session, actor, subject_id=patient_id, now=now, **values).id


def end(pause_id: Any) -> None:
    """Somebody ends it."""
    with db.transaction() as session:
        pauses.end(session, session.get_one(Pause, pause_id), by=None, now=clock.now())


def look(*, after: timedelta = timedelta()) -> None:
    """What the guard does each second."""
    with db.transaction() as session:
        pauses.end_due(session, now=clock.now() + after)
        pauses.align(session, now=clock.now() + after)


def test_a_standby_mutes_what_is_and_what_comes_and_its_end_lets_it_sound(
    site: Site, cast: Cast, people: People
) -> None:
    raised(site, cast)
    pause_id = begin(amina(site, cast, people), cast.achieng.patient_id)
    post(site, cast.achieng.key, [(0.1, {"temperature": 38.9})])
    judge()
    assert muted(site) == {LOW: "standby", "temperature_high": "standby"}
    assert sounds(site) == 1
    end(pause_id)
    assert muted(site) == {LOW: None, "temperature_high": None}
    assert sounds(site) == 3


def test_it_ends_by_the_clock_and_not_before(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast)
    begin(amina(site, cast, people), cast.achieng.patient_id)
    look(after=timedelta(minutes=29))
    assert muted(site) == {LOW: "standby"}
    look(after=timedelta(minutes=30, seconds=1))
    assert muted(site) == {LOW: None}
    assert site.row("SELECT ended_at IS NOT NULL, ended_by FROM pause") == (True, None)


@pytest.mark.parametrize("kind", ["fall", "help"])
def test_a_fall_and_a_call_for_help_sound_in_standby_too(
    site: Site, cast: Cast, people: People, kind: str
) -> None:
    begin(amina(site, cast, people), cast.achieng.patient_id)
    event(site, cast, kind)
    assert muted(site) == {kind: None}
    look()
    assert muted(site) == {kind: None}


def test_a_pause_of_one_alarm_outlives_that_it_comes_and_goes(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast)
    begin(amina(site, cast, people), cast.achieng.patient_id, scope="alarm", kind=LOW, reason="treated")
    for pressure in (120, 85, 120, 84):
        raised(site, cast, pressure)
    post(site, cast.achieng.key, [(0.1, {"temperature": 38.9})])
    judge()
    assert muted(site) == {LOW: "pause", "temperature_high": None}
    assert sounds(site) == 2


def test_who_is_discharged_has_no_pause_any_more(site: Site, cast: Cast, people: People) -> None:
    begin(amina(site, cast, people), cast.achieng.patient_id)
    site.rows(
        "UPDATE stay SET during = tstzrange(lower(during), now()) WHERE patient_id = %s RETURNING id",
        cast.achieng.patient_id,
    )
    look()
    assert site.rows("SELECT id FROM pause WHERE ended_at IS NULL") == []


def test_there_is_one_of_each_at_a_time(site: Site, cast: Cast, people: People) -> None:
    nurse, patient_id = amina(site, cast, people), cast.achieng.patient_id
    begin(nurse, patient_id)
    with pytest.raises(ConflictError):
        begin(nurse, patient_id)
    begin(nurse, patient_id, scope="alarm", kind=LOW, reason="treated")
    begin(
        nurse,
        cast.achieng.ward_id,
        scope="sound",
        reason="family",
        ends_at=clock.now() + timedelta(minutes=2),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda now: {"reason": "lunch"}, "reason"),
        (lambda now: {"reason": "other"}, "few words"),
        (lambda now: {"ends_at": now - timedelta(minutes=1)}, "within the next 12 hours"),
        (lambda now: {"ends_at": now + timedelta(hours=13)}, "within the next 12 hours"),
        (lambda now: {"reason": "other", "note": "x" * 201}, "at most 200"),
    ],
)
def test_a_pause_has_a_reason_and_an_end(
    site: Site, cast: Cast, people: People, change: Callable[..., dict[str, Any]], said: str
) -> None:
    with pytest.raises(DomainError, match=said):
        begin(amina(site, cast, people), cast.achieng.patient_id, **change(clock.now()))


def silent(site: Site, cast: Cast, steps: list[tuple[float, dict[str, float]]]) -> None:
    """Values that stood until the device fell silent some seconds ago, and its own alarm."""
    post(site, cast.achieng.key, steps)
    judge()
    with db.transaction() as session:
        watch_devices(session, now=clock.now() + timedelta(seconds=40))


HELD = [(20.0, {"heart_rate": 130.0}), (10.0, {"heart_rate": 130.0}), (1.0, {"heart_rate": 130.0})]
WORSE = [(20.0, {"heart_rate": 150.0}), (10.0, {"heart_rate": 150.0}), (1.0, {"heart_rate": 150.0})]


def test_a_device_that_is_offline_mutes_its_values_and_they_sound_again_when_it_is_back(
    site: Site, cast: Cast
) -> None:
    silent(site, cast, HELD)
    assert muted(site) == {"heart_rate_high": None, "device_silent": None}
    look(after=timedelta(seconds=40))
    assert muted(site) == {"heart_rate_high": "device", "device_silent": None}
    post(site, cast.achieng.key, [(0.0, {"heart_rate": 131.0})])
    judge()
    look()
    assert muted(site)["heart_rate_high"] is None


SICK = {"heart_rate": 115.0, "respiratory_rate": 22.0, "oxygen_saturation": 94.0}
ILL = [(before, SICK) for before in (61.0, 40.0, 20.0, 1.0)]


def test_news2_and_slopes_are_muted_as_values_are(site: Site, cast: Cast) -> None:
    write(site, Rule(name="up", condition=Slope(vital="heart_rate", direction="rises", by=20, minutes=1)))
    before = [(61.0 + more, {**SICK, "heart_rate": 90.0}) for more in (40.0, 20.0)]
    silent(site, cast, [*before, *ILL])
    rule = next(kind for kind in muted(site) if kind.startswith("rule_"))
    assert muted(site) == {"news2": None, rule: None, "device_silent": None}
    look(after=timedelta(seconds=40))
    assert muted(site) == {"news2": "device", rule: "device", "device_silent": None}
    post(site, cast.achieng.key, [(0.0, SICK)])
    judge()
    look()
    assert muted(site)["news2"] is None


def test_a_high_news2_that_nobody_has_taken_is_not_muted_by_silence(site: Site, cast: Cast) -> None:
    silent(site, cast, [(before, {**SICK, "oxygen_saturation": 91.0}) for before, _ in ILL])
    look(after=timedelta(seconds=40))
    assert muted(site) == {"news2": None, "device_silent": None}


def test_a_high_alarm_that_nobody_has_taken_is_not_muted_by_silence(
    site: Site, cast: Cast, people: People
) -> None:
    silent(site, cast, WORSE)
    look(after=timedelta(seconds=40))
    assert muted(site) == {"heart_rate_high": None, "device_silent": None}
    with db.transaction() as session:
        alert = session.get(Alert, site.row("SELECT id FROM alert WHERE kind = 'heart_rate_high'")[0])
        assert alert is not None
        service.acknowledge(session, amina(site, cast, people), alert, now=clock.now())
    look(after=timedelta(seconds=40))
    assert muted(site)["heart_rate_high"] == "device"


def test_a_muted_alarm_has_no_deadlines(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast)
    with db.transaction() as session:
        alert = session.get(Alert, site.row("SELECT id FROM alert")[0])
        assert alert is not None
        service.acknowledge(session, amina(site, cast, people), alert, now=clock.now())
    pause_id = begin(amina(site, cast, people), cast.achieng.patient_id)
    assert site.row("SELECT realarm_at, escalate_at FROM alert") == (None, None)
    end(pause_id)
    assert site.row("SELECT realarm_at IS NOT NULL FROM alert")[0]
