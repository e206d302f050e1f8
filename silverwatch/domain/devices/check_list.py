"""Which checks are due, of one device and of all; and which readings came from a device past its calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text, update
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.devices.check_models import DeviceCheck
from silverwatch.domain.errors import NotFoundError

SOON: Final = timedelta(days=30)
REMIND_BEFORE: Final = timedelta(days=7)
MOST: Final = 300

_CHECKS = """
SELECT c.id, c.kind, c.status, c.due_at, c.started_at, c.ended_at, c.before, c.after, c.note,
       c.follows IS NOT NULL AS again,
       d.id AS device_id, d.serial, d.kind AS device_kind, d.location, w.name AS ward, b.label AS bed,
       bw.name AS bed_ward, coalesce(e.name, s.name) AS by
FROM device_check c JOIN device d ON d.id = c.device_id
LEFT JOIN ward w ON w.id = d.ward_id
LEFT JOIN binding bi ON bi.device_id = d.id AND bi.during @> CAST(:now AS timestamptz)
LEFT JOIN stay st ON st.patient_id = bi.patient_id AND st.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = st.bed_id LEFT JOIN ward bw ON bw.id = b.ward_id
LEFT JOIN account s ON s.id = c.started_by LEFT JOIN account e ON e.id = c.ended_by
WHERE {condition} ORDER BY {order} LIMIT :most
"""
_IN_REACH = "(d.ward_id IS NULL OR d.ward_id = ANY(:wards)) AND d.retired_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueList:
    """What is to be done: rows of checks, overdue, within the next 30 days, and later. `cut`: there are more."""

    overdue: Sequence[Row[Any]]
    soon: Sequence[Row[Any]]
    later: Sequence[Row[Any]]
    cut: bool


def due_list(session: Session, actor: Actor, *, kind: str = "", now: datetime) -> DueList:
    """The open checks of the devices of the actor's wards and of the store; one statement."""
    if not actor.may(Permission.SEE_DEVICES):
        raise NotFoundError("There are no devices here.")
    query = _CHECKS.format(
        condition=f"c.ended_at IS NULL AND {_IN_REACH} AND (:kind = '' OR c.kind = :kind)",
        order="c.due_at, d.serial",
    )
    params = {"wards": list(actor.ward_ids), "kind": kind, "now": now, "most": MOST + 1}
    rows = list(session.execute(text(query), params))
    shown = rows[:MOST]
    return DueList(
        overdue=[row for row in shown if row.due_at <= now],
        soon=[row for row in shown if now < row.due_at <= now + SOON],
        later=[row for row in shown if row.due_at > now + SOON],
        cut=len(rows) > MOST,
    )


def of_device(session: Session, device_id: UUID, *, now: datetime, most: int = 40) -> list[Row[Any]]:
    """The checks of a device that the caller may see: what is open by its date, then what was done, newest first."""
    query = _CHECKS.format(
        condition="d.id = :device", order="c.ended_at IS NOT NULL, c.ended_at DESC, c.due_at, c.kind"
    )
    return list(session.execute(text(query), {"device": device_id, "now": now, "most": most}))


def one(session: Session, check_id: UUID, *, now: datetime) -> Row[Any]:
    """One check that the caller may see."""
    query = _CHECKS.format(condition="c.id = :id", order="c.id")
    return session.execute(text(query), {"id": check_id, "now": now, "most": 1}).one()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A device spoke about a patient while its calibration was overdue, from `since` until before `until`."""

    serial: str
    due_at: datetime
    since: datetime
    until: datetime | None


_OVERDUE = """
SELECT b.patient_id, d.serial, c.due_at, greatest(lower(b.during), c.due_at) AS since,
       least(upper(b.during), c.ended_at) AS until
FROM binding b JOIN device d ON d.id = b.device_id
JOIN device_check c ON c.device_id = d.id AND c.kind = 'calibration' AND c.due_at < :until
  AND (c.ended_at IS NULL OR c.ended_at > :since)
  AND b.during && tstzrange(c.due_at,
    CASE WHEN c.ended_at IS NOT NULL THEN greatest(c.ended_at, c.due_at) END)
WHERE b.patient_id = ANY(:patients) AND b.during && tstzrange(:since, :until, '[]')
ORDER BY d.serial, since
"""


def overdue_calibrations(
    session: Session, patient_ids: Sequence[UUID], *, since: datetime, until: datetime
) -> dict[UUID, list[Overdue]]:
    """Patient id to the times in which a device of theirs was past its calibration; one statement."""
    found: dict[UUID, list[Overdue]] = {}
    params = {"patients": list(patient_ids), "since": since, "until": until}
    for row in session.execute(text(_OVERDUE), params) if patient_ids else ():
        item = Overdue(serial=row.serial, due_at=row.due_at, since=row.since, until=row.until)
        if item.until is None or item.until > since:
            found.setdefault(row.patient_id, []).append(item)
    return found


_TO_TELL = """
SELECT a.email, a.name, a.language, count(*) AS checks, min(c.due_at) AS first_at,
       array_agg(DISTINCT d.serial) AS serials
FROM device_check c JOIN device d ON d.id = c.device_id AND d.retired_at IS NULL
JOIN account a ON a.role = 'technician' AND a.deactivated_at IS NULL AND a.email_confirmed_at IS NOT NULL
  AND (d.ward_id IS NULL OR EXISTS (SELECT FROM membership m WHERE m.account_id = a.id AND m.ward_id = d.ward_id))
WHERE c.id = ANY(:checks)
GROUP BY a.id ORDER BY a.email
"""


def take_reminders(session: Session, *, now: datetime) -> list[Row[Any]]:
    """Whom to tell what comes within a week, or is overdue, and was not told yet; it counts as told from now on."""
    taken = session.scalars(
        update(DeviceCheck)
        .where(
            DeviceCheck.ended_at.is_(None),
            DeviceCheck.reminded_at.is_(None),
            DeviceCheck.due_at <= now + REMIND_BEFORE,
        )
        .values(reminded_at=now)
        .returning(DeviceCheck.id)
    ).all()
    return list(session.execute(text(_TO_TELL), {"checks": list(taken)})) if taken else []
