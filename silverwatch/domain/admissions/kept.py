"""Readings that wait because nobody wore the device, or its clock was too far off: whose were they? The caller commits.

To say that somebody wore the device then is to say it of the device: it becomes a binding of that time, so that what is
sent again, or comes later still, goes the same way. Only what is ambiguous is said of the readings themselves.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.admissions import attaching
from silverwatch.domain.admissions.identity import Said, compare
from silverwatch.domain.alerts import rebinding
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings import attribution, departures
from silverwatch.domain.records import stays
from silverwatch.domain.records.queries import patient_by_number

Code = Literal["unbound", "ambiguous"]
CODES: Final[tuple[Code, ...]] = ("unbound", "ambiguous")
PAGE: Final = 50
"""Groups of a page."""
APART: Final = timedelta(minutes=30)
"""Readings that are further apart are another group."""
SINCE: Final = attaching.BACK
DECIDED: Final = "Nothing of this time waits any more. Look at what still does."
WRONG: Final = {
    "born_on": "The date of birth is not that of the patient with this number. Ask who wore the device then.",
    "family_name": "The family name is not that of the patient with this number. Ask who wore the device then.",
}
UNKNOWN: Final = "No patient who was in your wards at that time has this hospital number."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Readings of one device, one after the other, that wait for the same reason.

    `before` and `after`: where the one lay who wore the device last before, and first afterwards; with the time.
    """

    device_id: UUID
    serial: str
    kind: str
    code: Code
    first: datetime
    last: datetime
    number: int
    before: str | None
    before_until: datetime | None
    after: str | None
    after_since: datetime | None


# Whoever puts a device on divides what waits: a wearing between two readings makes two groups of them.
_GROUPS = """
WITH items AS (
  SELECT q.device_id, q.code, q.measured_at AS at FROM quarantine q JOIN device d ON d.id = q.device_id
  WHERE q.decided_at IS NULL AND q.code IN ('unbound', 'ambiguous') AND (q.measured_at > :since) <> :older
    AND (d.ward_id IS NULL OR d.ward_id = ANY(:wards)) AND (CAST(:device AS uuid) IS NULL OR d.id = :device)),
edges AS (
  SELECT device_id, code, at, 0 AS edge FROM items
  UNION ALL SELECT b.device_id, NULL, lower(b.during), 1 FROM binding b
  WHERE b.device_id IN (SELECT device_id FROM items) AND lower(b.during) IS NOT NULL),
worn AS (SELECT *, sum(edge) OVER (PARTITION BY device_id ORDER BY at, edge DESC) AS times FROM edges),
apart AS (
  SELECT *, lag(at) OVER (PARTITION BY device_id, code, times ORDER BY at) AS one FROM worn WHERE code IS NOT NULL),
numbered AS (
  SELECT *, sum((one IS NULL OR at - one > CAST(:apart AS interval))::int)
    OVER (PARTITION BY device_id, code, times ORDER BY at) AS n FROM apart),
found AS (
  SELECT device_id, code, min(at) AS first, max(at) AS last, count(*) AS number FROM numbered
  GROUP BY device_id, code, times, n ORDER BY max(at) DESC, device_id LIMIT :most OFFSET :skip)
SELECT f.*, d.serial, d.kind, b.place AS before, b.until AS before_until, a.place AS after, a.since AS after_since
FROM found f JOIN device d ON d.id = f.device_id
LEFT JOIN LATERAL (
  SELECT w.name || ' · ' || bed.label AS place, upper(x.during) AS until FROM binding x
  LEFT JOIN stay s ON s.patient_id = x.patient_id AND s.during @> lower(x.during)
  LEFT JOIN bed ON bed.id = s.bed_id LEFT JOIN ward w ON w.id = bed.ward_id
  WHERE x.device_id = f.device_id AND lower(x.during) <= f.first ORDER BY lower(x.during) DESC LIMIT 1) b ON true
LEFT JOIN LATERAL (
  SELECT w.name || ' · ' || bed.label AS place, lower(x.during) AS since FROM binding x
  LEFT JOIN stay s ON s.patient_id = x.patient_id AND s.during @> lower(x.during)
  LEFT JOIN bed ON bed.id = s.bed_id LEFT JOIN ward w ON w.id = bed.ward_id
  WHERE x.device_id = f.device_id AND lower(x.during) > f.first ORDER BY lower(x.during) LIMIT 1) a ON true
ORDER BY f.last DESC, d.serial
"""


def groups(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    device_id: UUID | None = None,
    older: bool = False,
    page: int = 1,
) -> tuple[list[Group], bool]:
    """What waits from the devices of the actor's wards and of the store, the newest first; one statement.

    Gives a page of it and whether there are more. `older`: what was measured before `SINCE` ago, which nobody can
    attribute any more.
    """
    if not actor.may(Permission.DECIDE_KEPT):
        raise NotFoundError("There are no devices here.")
    wards = list(actor.ward_ids)
    params = {
        "since": now - SINCE, "older": older, "wards": wards, "device": device_id, "apart": APART,
        "most": PAGE + 1, "skip": (page - 1) * PAGE,
    }  # fmt: skip
    found = [
        Group(**{part.name: getattr(row, part.name) for part in fields(Group)})
        for row in session.execute(text(_GROUPS), params)
    ]
    return found[:PAGE], len(found) > PAGE


def waiting(session: Session, device_id: UUID) -> int:
    """How many readings of the device wait."""
    query = text(
        "SELECT count(*) FROM quarantine WHERE device_id = :device AND decided_at IS NULL"
        " AND code IN ('unbound', 'ambiguous')"
    )
    found: int = session.execute(query, {"device": device_id}).scalar_one()
    return found


_THERE = """
SELECT 1 FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE s.patient_id = :patient AND b.ward_id = ANY(:wards) AND s.during && tstzrange(:start, :end) LIMIT 1
"""


def find_patient(
    session: Session, actor: Actor, said: Said, *, device: str, start: datetime, end: datetime, now: datetime
) -> tuple[UUID | None, dict[str, str]]:
    """Who was in the actor's wards then and fits both identifiers; else field to what is wrong. Commit in any case."""
    patient = patient_by_number(session, said.number) or patient_by_number(session, said.number.upper())
    params = {
        "patient": patient.id if patient else None,
        "wards": list(actor.ward_ids),
        "start": start,
        "end": end,
    }
    if patient is None or session.execute(text(_THERE), params).first() is None:
        return None, {"number": UNKNOWN}
    wrong = compare(session, actor, patient_id=patient.id, said=said, device=device, now=now)
    return patient.id, {field: WRONG.get(field, words) for field, words in wrong.items()}


_ANY = """
SELECT 1 FROM quarantine WHERE device_id = :device AND decided_at IS NULL AND code = 'unbound'
  AND measured_at >= :start AND measured_at < :end LIMIT 1
"""


def attribute(
    session: Session, actor: Actor, device_id: UUID, *, code: Code, patient_id: UUID, start: datetime, end: datetime,
    because: str, now: datetime,
) -> None:  # fmt: skip
    """They are this patient's, who was found by two identifiers: judged as late data. Raises ConflictError."""
    if code == "unbound":
        if session.execute(text(_ANY), {"device": device_id, "start": start, "end": end}).first() is None:
            raise ConflictError(DECIDED)
        attaching.attach(
            session,
            actor,
            device_id=device_id,
            patient_id=patient_id,
            since=start,
            until=end,
            because=because,
            now=now,
        )
        return
    device = attaching.device_for(session, actor, device_id)
    stays.lock_patients(session, [patient_id])
    with rebinding.changing(session, actor, [device_id], because=because, now=now) as changed:
        cur = attribution.cursor_of(session)
        changed.chosen = departures.ambiguous(
            cur, device_id, patient_id=patient_id, start=start, end=end, most=attribution.MOST
        )
    if not changed.chosen:
        raise ConflictError(DECIDED)
    detail = {"serial": device.serial, "because": because, "readings": len(changed.chosen)}
    audit.record(
        session, "quarantine.attributed", subject=("device", device_id), patient_ids=[patient_id],
        ward_id=device.ward_id, detail=detail,
    )  # fmt: skip


_REFUSE = """
UPDATE quarantine SET decided_at = :now, decided_by = :by, decision = 'refused', because = :because
WHERE device_id = :device AND code = :code AND decided_at IS NULL AND measured_at >= :start AND measured_at < :end
"""


def refuse(
    session: Session, actor: Actor, device_id: UUID, *, code: Code, start: datetime, end: datetime, because: str,
    now: datetime,
) -> int:  # fmt: skip
    """They are nobody's: they stay readable and wait no longer. Gives how many; raises ConflictError for none."""
    device = attaching.device_for(session, actor, device_id)
    params = {
        "now": now, "by": actor.account_id, "because": because, "device": device_id, "code": code, "start": start,
        "end": end,
    }  # fmt: skip
    number = session.connection().execute(text(_REFUSE), params).rowcount
    if not number:
        raise ConflictError(DECIDED)
    audit.record(
        session, "quarantine.refused", subject=("device", device_id), ward_id=device.ward_id,
        detail={"serial": device.serial, "because": because, "readings": number, "from": start.isoformat()},
    )  # fmt: skip
    return number
