"""What other limits would have done: the same as what they do."""

from datetime import timedelta

from silverwatch import clock, db
from silverwatch.domain.alerts import limit_replay
from silverwatch.domain.alerts.limit_cells import Key, Setting, applied
from silverwatch.domain.alerts.limits import SITE_DEFAULTS
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post

TIGHT = applied(SITE_DEFAULTS, {Key("heart_rate", "high"): Setting(100.0)})


def test_it_counts_what_the_judge_raised_and_what_other_limits_would_have(site: Site, cast: Cast) -> None:
    steps = []
    for minutes, value in ((50, 130), (40, 80), (30, 110), (20, 80), (10, 150), (5, 80)):
        steps += held("heart_rate", value, seconds=60, ending=60 * minutes)
    steps += held("oxygen_saturation", 70, seconds=30, ending=3000)
    now = clock.now()
    post(site, cast.achieng.key, sorted(steps, key=lambda step: -step[0]), until=now)
    judge()
    raised = [row for row in alerts(site, cast.achieng.patient_id) if row[0] == "heart_rate_high"]
    with db.transaction(read_only=True) as session:
        found = limit_replay.replay(
            session, {cast.achieng.patient_id: (SITE_DEFAULTS, TIGHT)}, vitals=["heart_rate"],
            since=now - limit_replay.DAY, now=now,
        )  # fmt: skip
    assert found.present == limit_replay.Count(2, 1)
    assert found.proposed == limit_replay.Count(3, 1)
    assert len(raised) == found.present.alarms
    assert not found.cut


def test_more_than_can_be_replayed_is_said(site: Site, cast: Cast) -> None:
    now = clock.now()
    post(site, cast.achieng.key, held("heart_rate", 130, seconds=1200, every=2), until=now)
    with db.transaction(read_only=True) as session:
        found = limit_replay.replay(
            session, {cast.achieng.patient_id: (SITE_DEFAULTS, TIGHT)}, vitals=["heart_rate"],
            since=now - limit_replay.DAY, now=now, rows=1,
        )  # fmt: skip
    assert found.cut
    assert found.readings == limit_replay.CHUNK
    assert found.since > now - timedelta(seconds=1001)
