"""The alarm load: counted by hand here, by SQL there."""

import csv
import io
from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import load
from silverwatch.web.charts import hour_bars
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.inbox.alarms import raised

HOUR = timedelta(hours=1)


def answered(site: Site, alert_id: UUID, *, after_s: float, email: str) -> None:
    """Somebody acknowledged it so many seconds after it happened."""
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO acknowledgement (id, alert_id, account_id, at)"
            " SELECT %s, a.id, c.id, a.event_at + make_interval(secs => %s) FROM alert a, account c"
            " WHERE a.id = %s AND c.email = %s",
            (clock.new_id(), after_s, alert_id, email),
        )


def over(site: Site, cast: Cast, kind: str, *, ago: timedelta, **values: object) -> UUID:
    """An alarm of Achieng that ended by itself."""
    at = clock.now() - ago + timedelta(minutes=1)
    return raised(
        site, cast.achieng, kind, ago=ago, closed_at=at, ended_at=at, **({"closed_as": "ended"} | values)
    )


@pytest.fixture
def counted(site: Site, cast: Cast, people: People) -> load.Load:
    """Six alarms of ward A in a day; besides them a drill, a late one, an old one, and one of ward B."""
    for number, after_s in enumerate((20, 50, 400)):
        answered(
            site,
            over(site, cast, "heart_rate_high", ago=(number + 1) * HOUR, closed_as="resolved"),
            after_s=after_s,
            email=people.amina,
        )
    over(site, cast, "heart_rate_low", ago=HOUR, times=4)
    over(site, cast, "device_silent", ago=HOUR, technical=True)
    raised(site, cast.baraka, "temperature_high", ago=HOUR)
    over(site, cast, "drill", ago=HOUR)
    over(site, cast, "respiratory_rate_low", ago=HOUR, live=False, closed_as="retrospective")
    over(site, cast, "respiratory_rate_high", ago=30 * HOUR)
    raised(site, cast.chebet, "temperature_high", ago=HOUR)
    now = clock.now()
    with db.transaction(read_only=True) as session:
        return load.load(
            session, [cast.achieng.ward_id], since=now - 24 * HOUR, now=now, zone="Africa/Nairobi"
        )


def test_the_numbers_of_a_day(counted: load.Load) -> None:
    found = counted.summary
    assert (found.alarms, found.late, found.acted, found.by_themselves) == (6, 1, 3, 2)
    assert found.bed_days == pytest.approx(2)
    assert found.per_bed_day == pytest.approx(3)
    assert found.median_s == pytest.approx(50)
    assert found.acted_share == pytest.approx(0.5)


def test_by_kind_by_patient_and_by_hour(counted: load.Load, cast: Cast) -> None:
    kinds = {item.kind: item for item in counted.kinds}
    assert [item.alarms for item in counted.kinds] == [3, 1, 1, 1]
    assert kinds["heart_rate_low"].times == 4
    assert kinds["heart_rate_high"].acted == 3
    assert kinds["device_silent"].technical
    assert [(item.patient.family_name, item.alarms, item.kind) for item in counted.patients] == [
        ("Achieng", 5, "heart_rate_high"),
        ("Baraka", 1, "temperature_high"),
    ]
    assert sum(counted.hours) == 6
    assert counted.top is None


def test_without_alarms_nothing_is_claimed(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/alerts/load").get_data(as_text=True)
    assert "No alarms in this period" in page
    assert "No alarms in the last 24 hours." in site.client.get("/alerts").get_data(as_text=True)


def test_the_page_and_the_file_say_the_same(
    site: Site, cast: Cast, people: People, counted: load.Load
) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/alerts/load?period=24h").get_data(as_text=True)
    assert "HR above its limit" in page
    assert "ACHIENG" in page
    assert "CHEBET" not in page
    answer = site.client.get("/alerts/load.csv?period=24h")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["kind"], row["alarms"]) for row in rows[:1]] == [("heart_rate_high", "3")]
    assert "alarm-load-a-24h" in answer.headers["Content-Disposition"]
    week = list(
        csv.DictReader(io.StringIO(site.client.get("/alerts/load.csv?period=7d").get_data(as_text=True)))
    )
    assert len(week) == len(rows) + 1


def test_bars_fill_the_room() -> None:
    bars = hour_bars((0,) * 10 + (4,) + (2,) * 13)
    assert [bar.height for bar in bars[9:12]] == [0, 92, 46]
    assert all(bar.y + bar.height == 100 for bar in bars)
    assert all(bar.height == 0 for bar in hour_bars((0,) * 24))
