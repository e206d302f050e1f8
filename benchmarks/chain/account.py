"""What a round has left in the database and at the receivers, and what of it breaks a promise."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row

from benchmarks.chain.stage import STEP_S, Stage

PROMISED_S: Final = 5.0
ENDED_WITHIN_S: Final = 40.0
STEPS: Final = 2
CHANNELS: Final = ("web", "webhook", "email")
"""On which each person of a step is told."""
TOLD: Final = (2, 1)
"""How many people each step names."""

_ALERTS: Final = """
SELECT a.patient_id::text AS patient, a.id, extract(epoch FROM a.raised_at)::float AS raised
FROM alert a WHERE a.patient_id = ANY(%s::uuid[]) AND a.kind = 'oxygen_saturation_low'
"""
_STEPS: Final = """
SELECT a.patient_id::text AS patient, e.place, e.reached, extract(epoch FROM e.taken_at)::float AS taken
FROM escalation e JOIN alert a ON a.id = e.alert_id
WHERE a.patient_id = ANY(%s::uuid[]) AND a.kind = 'oxygen_saturation_low' ORDER BY e.taken_at
"""
_NOTICES: Final = """
SELECT n.id::text, a.patient_id::text AS patient, e.place, n.channel, extract(epoch FROM n.created_at)::float AS due,
  n.attempts, n.delivered_at IS NOT NULL AS delivered, n.next_attempt_at IS NOT NULL AS waits, n.held_as, n.error,
  (SELECT count(*) FROM notice_attempt t WHERE t.notice_id = n.id AND t.outcome IS NULL) AS died
FROM notice n JOIN escalation e ON e.id = n.escalation_id JOIN alert a ON a.id = n.alert_id
WHERE a.patient_id = ANY(%s::uuid[]) AND a.kind = 'oxygen_saturation_low'
"""


@dataclass(slots=True, kw_only=True)
class Found:
    """One round. Times in seconds after what they are counted from, the largest of the round.

    `problems`: what never came, or came too often; `late`: what came later than promised.
    """

    point: str
    parts: tuple[str, ...]
    breaches: int = 0
    alerts: int = 0
    steps: int = 0
    notices: int = 0
    arrived: int = 0
    doubles: int = 0
    died: int = 0
    alert_s: float = 0.0
    step_s: float = 0.0
    notice_s: float = 0.0
    down_s: float = 0.0
    problems: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


def wait_for_end(stage: Stage, patients: Sequence[str]) -> None:
    """Until every notice of both steps has an end, or the time is over."""
    wanted = len(patients) * sum(TOLD) * len(CHANNELS)
    until = time.monotonic() + ENDED_WITHIN_S
    with psycopg.connect(
        stage.site.database_url(), autocommit=True, row_factory=namedtuple_row
    ) as connection:
        while time.monotonic() < until:
            rows = connection.execute(_NOTICES, (list(patients),)).fetchall()
            if len(rows) >= wanted and not any(row.waits for row in rows):
                return
            time.sleep(0.1)


def compare(
    stage: Stage, found: Found, *, acknowledged: dict[str, float], seen: dict[str, float], back_at: float
) -> None:
    """`acknowledged`, `seen`: when each patient's post was answered and its alert was there; adds to `found`."""
    patients = list(acknowledged)
    with psycopg.connect(stage.site.database_url(), row_factory=namedtuple_row) as connection:
        alerts = connection.execute(_ALERTS, (patients,)).fetchall()
        steps = connection.execute(_STEPS, (patients,)).fetchall()
        notices = connection.execute(_NOTICES, (patients,)).fetchall()
    found.breaches, found.alerts, found.steps = len(patients), len(alerts), len(steps)
    _compare_alerts(found, alerts, acknowledged, seen, back_at=back_at)
    _compare_steps(found, patients, steps, back_at=back_at)
    _compare_notices(stage, found, patients, notices, back_at=back_at)


def judges_live(parts: Sequence[str]) -> bool:
    """With these parts dead, does anybody judge? The worker with Redis, or else the guard in the scheduler."""
    return "scheduler" not in parts or not {"worker", "redis"} & set(parts)


def _compare_alerts(
    found: Found,
    alerts: Sequence[Any],
    acknowledged: dict[str, float],
    seen: dict[str, float],
    *,
    back_at: float,
) -> None:
    count = Counter(row.patient for row in alerts)
    for patient, at in acknowledged.items():
        if count[patient] != 1:
            found.problems.append(f"{count[patient]} alerts instead of 1")
        if patient not in seen:
            continue
        since = at if judges_live(found.parts) else max(at, back_at)
        found.alert_s = max(found.alert_s, seen[patient] - since)
    if found.alert_s > PROMISED_S:
        found.late.append(f"an alert {found.alert_s:.1f} s after its reading was accepted")


def _compare_steps(found: Found, patients: Sequence[str], steps: Sequence[Any], *, back_at: float) -> None:
    for patient in patients:
        own = [row for row in steps if row.patient == patient]
        if [(row.place, row.reached) for row in own] != list(enumerate(TOLD)):
            found.problems.append(f"steps {[(row.place, row.reached) for row in own]}")
            continue
        late = own[1].taken - max(own[0].taken + STEP_S, back_at if back_at > own[0].taken else 0)
        found.step_s = max(found.step_s, late)
    if found.step_s > PROMISED_S:
        found.late.append(f"a step {found.step_s:.1f} s late")


def _compare_notices(
    stage: Stage, found: Found, patients: Sequence[str], notices: Sequence[Any], *, back_at: float
) -> None:
    arrivals: dict[str, list[float]] = {}
    for receiver in (stage.webhooks, stage.mails):
        for line in receiver.arrived():
            arrivals.setdefault(line["id"], []).append(line["at"])
            if line.get("signed") is False:
                found.problems.append("a call with a wrong signature")
    for place, people in enumerate(TOLD):
        for channel in CHANNELS:
            have = sum(1 for row in notices if (row.place, row.channel) == (place, channel))
            if have != people * len(patients):
                found.problems.append(f"{have} notices of step {place} over {channel}")
    for row in notices:
        if row.held_as or row.waits or not row.delivered:
            found.problems.append(
                f"{row.channel} of step {row.place}: held {row.held_as}, waits {row.waits}, {row.error}"
            )
        if row.channel == "web":
            continue
        found.notices += 1
        found.died += row.died
        at = arrivals.get(row.id, [])
        if not at:
            found.problems.append(f"{row.channel} of step {row.place} never arrived")
            continue
        found.arrived += 1
        found.doubles += len(at) - 1
        found.notice_s = max(found.notice_s, at[0] - max(row.due, back_at))
        if len(at) - 1 > row.died:
            found.problems.append(f"{row.channel} came {len(at)} times, and {row.died} attempts died")
    if found.notice_s > PROMISED_S:
        found.late.append(f"a notice {found.notice_s:.1f} s late")
