"""How a device delivers: what was stored and refused, how late, with which gaps; and the flow of all of them.

Every question goes over the patients who wore the devices, and over a bounded time: readings are keyed that way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts import waiting
from silverwatch.domain.errors import NotFoundError

DAY: Final = timedelta(hours=24)
LATELY: Final = timedelta(minutes=5)
GAPS: Final = 10
ITEMS: Final = 10
ITEM_SHOWN: Final = 400

_WORN = """
WITH r AS (
  SELECT r.measured_at, extract(epoch FROM greatest(r.received_at - r.measured_at, interval '0')) AS delay_s,
         lag(r.measured_at) OVER (ORDER BY r.measured_at) AS before
  FROM binding b
  JOIN reading r ON r.patient_id = b.patient_id AND r.source_id = b.device_id AND b.during @> r.measured_at
  WHERE b.device_id = :device AND b.during && tstzrange(:since, :now)
    AND r.measured_at >= :since AND r.measured_at < CAST(:now AS timestamptz) + interval '10 minutes')
"""
_FIGURES = (
    _WORN
    + """
SELECT count(*) AS stored,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY delay_s) AS delay_s,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY delay_s) AS p95_s
FROM r
"""
)
_GAPS = (
    _WORN
    + """
SELECT before AS since, measured_at AS until, extract(epoch FROM measured_at - before) AS seconds
FROM r WHERE measured_at - before > CAST(:longest AS interval)
ORDER BY measured_at - before DESC, measured_at DESC LIMIT :most
"""
)
_REFUSED = """
SELECT code, count(*) AS number, sum(resends) AS resends, max(received_at) AS last_at
FROM quarantine WHERE device_id = :device AND received_at >= :since GROUP BY code ORDER BY count(*) DESC, code
"""
_ITEMS = """
SELECT received_at, measured_at, code, pointer, detail, patient_id, left(item, :shown) AS item, resends
FROM quarantine WHERE device_id = :device AND received_at >= :since ORDER BY received_at DESC, id DESC LIMIT :most
"""
# A gateway's devices are counted with the ward that each belongs to.
_FLOW = """
SELECT count(*) AS readings, count(DISTINCT r.source_id) AS devices,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY t.delay_s) AS delay_s,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY t.delay_s) AS p95_s
FROM device d
JOIN binding b ON b.device_id = d.id AND b.during && tstzrange(:since, :now)
JOIN reading r ON r.patient_id = b.patient_id AND r.source_id = b.device_id AND b.during @> r.measured_at
CROSS JOIN LATERAL (SELECT extract(epoch FROM greatest(r.received_at - r.measured_at, interval '0')) AS delay_s) t
WHERE (d.ward_id IS NULL OR d.ward_id = ANY(:wards)) AND r.measured_at >= :since
  AND r.measured_at < CAST(:now AS timestamptz) + interval '10 minutes'
"""
_REFUSED_LATELY = """
SELECT q.code, count(*) AS number FROM quarantine q JOIN device d ON d.id = q.device_id
WHERE (d.ward_id IS NULL OR d.ward_id = ANY(:wards)) AND q.received_at >= :since
GROUP BY q.code ORDER BY count(*) DESC, q.code
"""
_WAITING = "SELECT count(*) FROM vital_state WHERE unjudged_since IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The last 24 hours of a device. `refused` rows: code, number, resends, last_at; `gaps`: since, until, seconds.

    `items`: the newest refused items as they came, shortened. Delays in seconds; None without a reading.
    """

    stored: int
    delay_s: float | None
    p95_s: float | None
    refused: Sequence[Row[Any]]
    gaps: Sequence[Row[Any]]
    items: Sequence[Row[Any]]

    @property
    def refused_items(self) -> int:
        """How many items did not become a reading."""
        return sum(row.number for row in self.refused)

    @property
    def patient_ids(self) -> list[UUID]:
        """Whose values the items may hold."""
        return [row.patient_id for row in self.items if row.patient_id is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The last five minutes of the devices of some wards. `waiting`: patients whom the judge has not seen yet, of the
    whole site, the oldest for `waiting_s`."""

    per_s: float
    devices: int
    delay_s: float | None
    p95_s: float | None
    waiting: int
    waiting_s: float
    refused: Sequence[Row[Any]]


def diagnose(session: Session, device_id: UUID, *, longest: timedelta, now: datetime) -> Diagnosis:
    """The last 24 hours of a device that the caller may see. A gap is longer than `longest`. Four statements."""
    params = {"device": device_id, "since": now - DAY, "now": now}
    figures = session.execute(text(_FIGURES), params).one()
    return Diagnosis(
        stored=figures.stored,
        delay_s=figures.delay_s,
        p95_s=figures.p95_s,
        refused=session.execute(text(_REFUSED), params).all(),
        gaps=session.execute(text(_GAPS), {**params, "longest": longest, "most": GAPS}).all(),
        items=session.execute(text(_ITEMS), {**params, "most": ITEMS, "shown": ITEM_SHOWN}).all(),
    )


def flow(session: Session, actor: Actor, *, now: datetime) -> Flow:
    """What comes in from the devices of the actor's wards, and whether judging keeps up. Four statements."""
    if not actor.may(Permission.SEE_DEVICES):
        raise NotFoundError("There are no devices here.")
    params = {"wards": list(actor.ward_ids), "since": now - LATELY, "now": now}
    row = session.execute(text(_FLOW), params).one()
    return Flow(
        per_s=row.readings / LATELY.total_seconds(),
        devices=row.devices,
        delay_s=row.delay_s,
        p95_s=row.p95_s,
        waiting=session.execute(text(_WAITING)).scalar_one(),
        waiting_s=waiting.waiting_s(session, now=now),
        refused=session.execute(text(_REFUSED_LATELY), {**params, "since": now - DAY}).all(),
    )
