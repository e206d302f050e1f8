"""Roll-ups are what the readings say, however and whenever those came."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from silverwatch import clock, db
from silverwatch.domain.readings import rollups
from silverwatch.jobs import housekeeping, roll_up
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import Steps, judge, post

HR = "heart_rate"
TRUTH = """
SELECT date_trunc('{unit}', least(measured_at, received_at), 'UTC') AS at, min(heart_rate), max(heart_rate),
       round(avg(heart_rate)::numeric, 6), nullif(count(heart_rate), 0), min(temperature), nullif(count(temperature), 0)
FROM reading WHERE patient_id = %s GROUP BY 1 ORDER BY 1
"""
ROLLED = """
SELECT at, heart_rate_min, heart_rate_max, round(heart_rate_mean::numeric, 6), heart_rate_count, temperature_min,
       temperature_count FROM rollup_{unit} WHERE patient_id = %s ORDER BY at
"""


def right(site: Site, patient_id: UUID) -> int:
    """Are minutes and hours what the readings say? Gives how many minutes there are."""
    for unit in ("hour", "minute"):
        truth = site.rows(TRUTH.format(unit=unit), patient_id)
        assert site.rows(ROLLED.format(unit=unit), patient_id) == truth, unit
    return len(truth)


def clean_until(patient_id: UUID, now: datetime) -> datetime:
    """From when on the readings are to be asked."""
    with db.transaction(read_only=True) as session:
        return rollups.clean_until(session, patient_id, now=now)


def test_minutes_and_hours_are_what_the_readings_say(site: Site, cast: Cast) -> None:
    steps: Steps = [(before, {HR: 60 + before % 37}) for before in range(0, 9000, 20)]
    post(site, cast.achieng.key, [*steps, (4000, {"temperature": 38.5})])
    assert roll_up.roll_up() == 0
    judge()
    assert roll_up.roll_up() in (3, 4)
    assert right(site, cast.achieng.patient_id) > 140
    assert site.rows("SELECT 1 FROM rollup_due") == []
    assert roll_up.roll_up() == 0


def test_late_and_completed_readings_are_in(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    steps: Steps = [(before, {HR: 70}) for before in range(0, 7200, 30)]
    post(site, worn.key, steps[::2], until=end)
    judge()
    roll_up.roll_up()
    post(site, worn.key, [(before, {HR: 95}) for before, _ in steps[1::2]], until=end)
    post(site, worn.key, [(3600, {"temperature": 39.5})], until=end)
    judge()
    roll_up.roll_up()
    assert right(site, worn.patient_id) > 110
    assert site.row("SELECT max(temperature_max) FROM rollup_minute")[0] == 39.5


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_any_rhythm_gives_the_same(site: Site, cast: Cast, seed: int) -> None:
    dice, worn, end = random.Random(seed), cast.achieng, clock.now()
    steps: Steps = [(dice.uniform(0, 20_000), {HR: dice.randint(40, 180)}) for _ in range(300)]
    while steps:
        part, steps = steps[:30], steps[30:]
        post(site, worn.key, part, until=end)
        if dice.random() < 0.7:
            judge()
        if dice.random() < 0.7:
            roll_up.roll_up()
    judge()
    roll_up.roll_up()
    right(site, worn.patient_id)


def test_a_fast_clock_of_a_source_puts_nothing_into_the_future(site: Site, cast: Cast) -> None:
    post(site, cast.achieng.key, [(-500, {HR: 80}), (10, {HR: 90})])
    judge()
    roll_up.roll_up()
    right(site, cast.achieng.patient_id)
    assert site.row("SELECT max(at) < now() FROM rollup_minute")[0]


def test_a_reading_before_the_roll_up_is_known_to_be_missing(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()

    def minute(seconds: float) -> datetime:
        return (end - timedelta(seconds=seconds)).replace(second=0, microsecond=0)

    assert clean_until(worn.patient_id, end) == minute(0)
    post(site, worn.key, [(7200, {HR: 80}), (0, {HR: 80})], until=end)
    assert clean_until(worn.patient_id, end) == minute(7200), "not judged"
    judge()
    assert clean_until(worn.patient_id, end) == minute(7200), "not noted"
    with db.transaction() as session:
        rollups.note_due(session, now=clock.now())
    assert clean_until(worn.patient_id, end) == minute(7200), "not computed"
    roll_up.roll_up()
    assert clean_until(worn.patient_id, end) == minute(0)


def test_a_crash_between_noting_and_computing_forgets_nothing(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, [(before, {HR: 80}) for before in range(0, 7200, 60)], until=end)
    judge()
    with db.transaction() as session:
        rollups.note_due(session, now=clock.now())
    with db.transaction() as session:
        assert rollups.roll_up(session) > 1
        session.rollback()
    assert site.rows("SELECT 1 FROM rollup_minute") == []
    post(site, worn.key, [(3601, {HR: 180})], until=end)
    judge()
    roll_up.roll_up()
    right(site, worn.patient_id)
    assert site.row("SELECT max(heart_rate_max) FROM rollup_hour")[0] == 180


def test_what_comes_while_an_hour_is_computed_is_computed_after_it(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, [(2, {HR: 80})], until=end)
    judge()
    with db.transaction() as session:
        rollups.note_due(session, now=clock.now())
    with db.transaction() as session:
        rollups.roll_up(session)
        post(site, worn.key, [(1, {HR: 120})], until=end)
        judge()
    roll_up.roll_up()
    right(site, worn.patient_id)
    assert site.row("SELECT max(heart_rate_max) FROM rollup_minute")[0] == 120


def test_judging_and_ingest_never_wait_for_a_roll_up(site: Site, cast: Cast) -> None:
    """With the hours of a patient locked by who computes them, a post and its judging go on."""
    worn = cast.achieng
    post(site, worn.key, [(2, {HR: 80})])
    judge()
    with db.transaction() as session:
        rollups.note_due(session, now=clock.now())
    with db.transaction() as session:
        assert rollups.roll_up(session) >= 1
        session.execute(text("SET LOCAL statement_timeout = 0"))
        with db.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            state: Any = other.execute(
                text("SELECT seq FROM vital_state WHERE patient_id = :id FOR UPDATE"), {"id": worn.patient_id}
            ).one()
            assert state.seq == 1
        assert judge() == 0


def test_the_housekeeping_does_it(site: Site, cast: Cast) -> None:
    import threading

    post(site, cast.achieng.key, [(2, {HR: 80})])
    judge()
    stop = threading.Event()
    thread = threading.Thread(target=housekeeping.run, args=(site.config, stop), daemon=True)
    thread.start()
    for _ in range(200):
        if site.rows("SELECT 1 FROM rollup_hour"):
            break
        stop.wait(0.05)
    stop.set()
    thread.join()
    assert right(site, cast.achieng.patient_id) == 1
