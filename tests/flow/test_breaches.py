"""Generated breaches, shuffled, doubled and late, from POST to alerts: `python -m benchmarks breaches` in small."""

import random
from datetime import timedelta
from uuid import UUID

from benchmarks.breaches import CALM, INTERVAL_S, ON, Story, body, compare, deliveries, tell
from benchmarks.recompute import alarms
from silverwatch import clock, db
from silverwatch.jobs import evaluate
from tests.cast import create_binding, create_device, create_key, create_patient
from tests.conftest import Site

PATIENTS = 12
BREACHES = 10


def newcomer(number: int) -> tuple[UUID, str]:
    with db.transaction() as session:
        patient = create_patient(session, f"Breach {number}")
        device = create_device(session, f"SW-B{number}", kind="heart_monitor", interval_s=INTERVAL_S)
        create_binding(session, device.id, patient_id=patient.id)
        return patient.id, create_key(session, device.id)


def test_no_breach_is_missed_or_told_twice_or_with_another_start_or_end(site: Site) -> None:
    chance = random.Random(11)
    start = clock.now() - timedelta(hours=2)
    stories: dict[UUID, Story] = {}
    for number in range(PATIENTS):
        patient_id, key = newcomer(number)
        story = tell(chance, breaches=BREACHES)
        fresh = (round((clock.now() - start).total_seconds(), 3), {**CALM, "oxygen_saturation": 78.0})
        coming, late = deliveries(story, chance)
        for rows in (*coming, *late, [fresh]):
            answer = site.client.post(
                "/api/readings/", json=body(rows, start=start), headers={"Authorization": f"Bearer {key}"}
            )
            assert answer.status_code == 200, answer.text
            if chance.random() < 0.7:
                evaluate.drain()
        stories[patient_id] = Story([*story.rows, fresh], story.breaches)
    evaluate.drain()
    found = compare(stories, start=start)
    assert found.examples == []
    assert found.is_right
    assert found.expected >= PATIENTS * BREACHES
    assert_that_damage_is_noticed(site, stories, start)


def assert_that_damage_is_noticed(site: Site, stories: dict[UUID, Story], start: object) -> None:
    """A comparison that stays silent proves nothing."""
    with site.cursor() as cur:
        cur.execute(
            "UPDATE alert SET closed_as = 'withdrawn' WHERE id = (SELECT min(id::text)::uuid FROM alert)"
        )
        cur.execute("UPDATE alert SET ended_at = ended_at + interval '1 s' WHERE id = (SELECT max(id::text)::uuid"
                    " FROM alert WHERE ended_at IS NOT NULL AND NOT live)")  # fmt: skip
    found = compare(stories, start=start)  # type: ignore[arg-type]
    assert found.missed + found.silent >= 1
    assert found.wrong["end"] >= 1


def test_each_breach_that_was_written_down_is_one_for_the_recomputation() -> None:
    for seed in range(20):
        story = tell(random.Random(seed), breaches=BREACHES)
        limits = [a for a in alarms(story.rows, interval_s=INTERVAL_S) if a.kind != "news2"]
        assert len(limits) == BREACHES
        assert limits[-1].kind == ON
