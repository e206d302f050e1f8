"""What other limits would have done with what was measured: the same rules as the judge's over stored readings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.folding import CHUNK, reading_of
from silverwatch.domain.alerts.limits import Limits
from silverwatch.domain.alerts.rules import SENSOR_OFF, Checkpoint, Reading, evaluate

DAY: Final = timedelta(hours=24)
FORTNIGHT: Final = timedelta(days=14)
ROWS_OF_PATIENT: Final = 90_000
"""A day of readings each second."""
ROWS_OF_MANY: Final = 120_000
"""Shared by the patients of a ward or of the site: what can be replayed while somebody waits."""

_READINGS: Final = """
SELECT w.patient_id, r.*, d.interval_s FROM unnest(CAST(:patients AS uuid[])) AS w(patient_id)
JOIN LATERAL (
  SELECT measured_at, received_at, source_id, sensor_off, NULL AS consciousness, {columns}
  FROM reading
  WHERE patient_id = w.patient_id AND measured_at > :since AND measured_at <= :now
    AND ({some} OR sensor_off <> 0)
  ORDER BY measured_at DESC LIMIT :rows
) r ON true
LEFT JOIN device d ON d.id = r.source_id
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many alarms, and how many of them reached high priority."""

    alarms: int = 0
    high: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.alarms + other.alarms, self.high + other.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What the present and the proposed limits would have done from `since` on.

    `cut`: more was stored than could be replayed, so that it begins later than asked for. `readings`: how many sets.
    """

    since: datetime
    present: Count
    proposed: Count
    patients: int
    readings: int
    cut: bool = False


def replay(
    session: Session,
    limits: Mapping[UUID, tuple[Limits, Limits]],
    *,
    vitals: Iterable[str],
    since: datetime,
    now: datetime,
    rows: int = ROWS_OF_PATIENT,
) -> Replay:
    """Count the alarms of these vitals under the (present, proposed) limits of each patient."""
    names = tuple(dict.fromkeys(vitals))
    if not names or not limits:
        return Replay(since=since, present=Count(), proposed=Count(), patients=len(limits), readings=0)
    most = max(CHUNK, rows // len(limits))
    query = _READINGS.format(
        columns=", ".join(names), some=" OR ".join(f"{name} IS NOT NULL" for name in names)
    )
    params = {"patients": list(limits), "since": since, "now": now, "rows": most}
    of_patient: dict[UUID, list[Row[Any]]] = {}
    for row in session.execute(text(query), params):
        of_patient.setdefault(row.patient_id, []).append(row)
    begins, present, proposed, count = since, Count(), Count(), 0
    for patient_id, found in of_patient.items():
        count += len(found)
        if len(found) == most:
            begins = max(begins, min(row.measured_at for row in found))
        readings = sorted((reading_of(row, names) for row in found), key=lambda reading: reading.event_at)
        before, after = (_only(side, names) for side in limits[patient_id])
        present += alarms(readings, before, now=now)
        proposed += alarms(readings, after, now=now)
    return Replay(
        since=begins,
        present=present,
        proposed=proposed,
        patients=len(limits),
        readings=count,
        cut=begins > since,
    )


def _only(limits: Limits, names: Iterable[str]) -> Limits:
    return Limits({name: limits.by_vital[name] for name in names if name in limits.by_vital})


def alarms(readings: Sequence[Reading], limits: Limits, *, now: datetime) -> Count:
    """Fold the readings, which are in order of event time, as the judge does, and count what it finds."""
    checkpoint, found = Checkpoint.empty(), {}
    for start in range(0, len(readings), CHUNK):
        checkpoint, verdicts = evaluate(checkpoint, readings[start : start + CHUNK], limits=limits, now=now)
        found.update({(v.episode.kind, v.episode.raised_at): v.episode for v in verdicts})
    counted = [episode for episode in found.values() if episode.kind != SENSOR_OFF]
    return Count(len(counted), sum(episode.peak_priority == "high" for episode in counted))
