"""The law of arrival (decision 0016) with real rows: shuffled posts, some twice, judged and answered in between."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.alerts import folding, layers, service
from silverwatch.domain.alerts.episode import Episode
from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.limit_cells import Key, Setting
from silverwatch.domain.alerts.limit_proposal import Scope
from silverwatch.domain.alerts.limit_versions import change
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.alerts.rule_book import rules_of
from silverwatch.domain.alerts.rules import Checkpoint, Reading, evaluate, is_live
from tests.cast import Cast, People, create_bed, create_binding, create_device, create_key, create_patient
from tests.conftest import Site
from tests.jobs.posting import Steps, judge, post

STORIES = 60
VITALS: dict[str, list[float]] = {
    "heart_rate": [38, 45, 80, 80, 125, 150],
    "oxygen_saturation": [78, 85, 90.5, 97, 97, 0],
    "respiratory_rate": [7, 16, 16, 26],
    "systolic_bp": [75, 88, 120],
}
BY_HAND = {"temperature": [37, 39.6], "supplemental_oxygen": [0, 2], "systolic_bp": [75, 120, 165]}
FLAT = (
    "SELECT kind, event_at, run_from, ended_at, priority, peak_priority, value, worst, {live} AS live,"
    " {closed} AS closed, {resolved} AS resolved FROM {table} WHERE patient_id = :id AND {condition}"
)


def story(chance: random.Random) -> tuple[Steps, Steps]:
    """Some minutes of a monitor, which sends every 5 s and pauses, and of a sensor that speaks now and then."""
    names = chance.sample(sorted(VITALS), chance.randint(1, 3))
    before, monitor, seldom = chance.choice([0.5, 0.5, 400.5, 2000.5]), [], []
    current = {name: chance.choice(VITALS[name]) for name in names}
    for _ in range(chance.randint(15, 40)):
        current |= {name: chance.choice(VITALS[name]) for name in names if chance.random() < 0.2}
        monitor.append((before, dict(current)))
        before += chance.choice([5, 5, 5, 5, 9, 16, 40])
        if chance.random() < 0.08:
            values: dict[str, Any] = {
                n: chance.choice(v) for n, v in BY_HAND.items() if chance.random() < 0.8
            }
            seldom.append((before - 2, values | {"consciousness": chance.choice("AAC")}))
    return monitor, seldom


def act(site: Site, patient_id: UUID, actor: Actor, chance: random.Random) -> None:
    """Somebody takes an open alert, or resolves it for a reason."""
    rows = site.rows("SELECT id FROM alert WHERE patient_id = %s AND closed_at IS NULL", patient_id)
    if not rows:
        return
    with db.transaction() as session:
        alert = session.get_one(Alert, chance.choice(rows)[0])
        if chance.random() < 0.7:
            service.acknowledge(session, actor, alert, now=clock.now())
        else:
            service.resolve(session, actor, alert, now=clock.now(), reason="known")


def stored(patient_id: UUID) -> list[Any]:
    """Alerts and what they said before they came back, without what was withdrawn."""
    alerts = FLAT.format(live="live", closed="closed_at IS NOT NULL", table="alert",
                         resolved="closed_as IS NOT DISTINCT FROM 'resolved'",
                         condition="closed_as IS DISTINCT FROM 'withdrawn' AND subject = 'patient'")  # fmt: skip
    earlier = FLAT.format(live="true", closed="true", resolved="false", table="alert_episode",
                          condition="withdrawn_at IS NULL")  # fmt: skip
    with db.transaction(read_only=True) as session:
        return list(session.execute(text(f"{alerts} UNION ALL {earlier}"), {"id": patient_id}))


def expected(patient_id: UUID) -> list[Any]:
    """What one fold over all of it in order finds."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        limits = layers.limits_of(session, [patient_id], now=now)[patient_id]
        rules = rules_of(session, [patient_id], now=now)[patient_id]
        rows = session.execute(
            text("SELECT r.*, d.interval_s FROM reading r LEFT JOIN device d ON d.id = r.source_id"
                 " WHERE r.patient_id = :id AND r.measured_at > :since"),
            {"id": patient_id, "since": now - timedelta(days=1)},
        ).all()  # fmt: skip
    readings = sorted(map(folding.reading_of, rows), key=Reading.order)
    _, verdicts = evaluate(Checkpoint.empty(), readings, limits=limits, now=now, rules=rules)
    return [verdict.episode for verdict in verdicts]


def newcomer(cast: Cast, number: int) -> tuple[UUID, str, str]:
    """A patient in a bed with a monitor and a sensor that speaks now and then; some have limits of their own."""
    now = clock.now()
    with db.transaction() as session:
        bed = create_bed(session, cast.baraka.ward_id, label=f"L{number}", position=100 + number)
        patient = create_patient(session, f"Late {number}", bed_id=bed.id)
        keys = []
        for kind, interval_s in (("heart_monitor", 5), ("wearable", 3600)):
            device = create_device(session, f"L{number}-{interval_s}", kind=kind, interval_s=interval_s)
            create_binding(session, device.id, patient_id=patient.id)
            keys.append(create_key(session, device.id))
        if number % 3 == 0:
            own = {Key("heart_rate", "high"): Setting(75.0), Key("oxygen_saturation", "low"): Setting(96.0)}
            change(
                session, Scope.of_patient(patient.id), own, by=None, reason="COPD", seen=None,
                until=now + timedelta(days=1), now=now - timedelta(days=1),
            )  # fmt: skip
        return patient.id, keys[0], keys[1]


def deliver(site: Site, chance: random.Random, patient: tuple[UUID, str, str], actor: Actor) -> None:
    """All readings of a story in any order, some twice, in posts between which it is judged, or somebody acts."""
    patient_id, *keys = patient
    end = clock.now()
    coming = [(key, step) for key, steps in zip(keys, story(chance), strict=True) for step in steps]
    coming += chance.sample(coming, len(coming) // 4)
    if chance.random() < 0.5:
        chance.shuffle(coming)
    else:
        coming.sort(key=lambda item: -item[1][0] + chance.choice([0, 0, 0, 60, 300]))
    while coming:
        part, coming = coming[: (size := chance.randint(1, 12))], coming[size:]
        for key in keys:
            if steps := [step for device, step in part if device == key]:
                post(site, key, steps, until=end)
        if chance.random() < 0.7:
            judge()
        if chance.random() < 0.1:
            act(site, patient_id, actor, chance)
    judge()


def test_whatever_the_order_of_coming_what_is_stored_is_one_fold_in_order(
    site: Site, cast: Cast, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "CHUNK", 20)
    account_id = site.row("SELECT id FROM account WHERE email = %s", people.amina)[0]
    actor = Actor(account_id=account_id, role=Role.CAREGIVER, name="Amina")
    found: Counter[str] = Counter()
    for number in range(STORIES):
        chance = random.Random(number)
        monkeypatch.setattr(folding, "ROWS", chance.choice([15, 20_000]))
        patient = newcomer(cast, number)
        deliver(site, chance, patient, actor)
        found += compare(stored(patient[0]), expected(patient[0]), number)
    assert site.row("SELECT count(*) FROM alert WHERE kind = 'judging_failed'")[0] == 0
    assert found["episodes"] > 200
    assert min(found[what] for what in ("live", "retrospective", "on")) > 10


def compare(alerts: list[Any], episodes: list[Episode], number: int) -> Counter[str]:
    """They tell the same, and what is true and fresh now is open; gives what there was."""
    told = Counter((a.kind, a.event_at, a.run_from, a.ended_at, a.priority, a.value, a.worst) for a in alerts)
    wanted = Counter(
        (e.kind, e.raised_at, e.run_from, e.ended_at, e.priority, e.value, e.worst) for e in episodes
    )
    assert told == wanted, number
    by_name = {(a.kind, a.event_at): a for a in alerts}
    for episode in episodes:
        alert = by_name[episode.kind, episode.raised_at]
        more = RANK[alert.peak_priority] - RANK[episode.peak_priority]
        assert more >= 0 if alert.live else more == 0
        if is_live(episode, clock.now() + timedelta(seconds=2)):
            assert alert.live
            assert not alert.closed or alert.resolved
    return Counter(
        episodes=len(episodes),
        live=sum(alert.live for alert in alerts),
        retrospective=sum(not alert.live for alert in alerts),
        on=sum(not alert.closed and alert.ended_at is None for alert in alerts),
    )
