"""Questions of the alarm inbox: a fixed number of statements each, however many wards or alarms are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.access import GRANTS, Permission
from silverwatch.domain.alerts import tiles as compose
from silverwatch.domain.alerts.board import AlarmBar, AlarmLine, WardHeader
from silverwatch.domain.alerts.inbox import OFTEN_H, AlarmList, InboxRow, group_of, grouped
from silverwatch.domain.alerts.rule_models import RULE_NAME
from silverwatch.domain.alerts.states import state_of
from silverwatch.domain.alerts.whereabouts import ABOUT_NOBODY, OF_NOBODY
from silverwatch.domain.wards import allocation

DONE_FOR: Final = timedelta(hours=1)
"""What is done stays in the list for so long."""
MOST_DONE: Final = 20
"""And so many of a ward: the others are on the page of the day."""

_COLUMNS: Final = f"""
a.*, k.at AS acknowledged_at, c.name AS acknowledged_by, coalesce(r.name, c.name) AS closed_by, d.serial,
{RULE_NAME},
b.id AS bed_id, b.label AS bed_label, p.family_name, p.given_name, p.title, p.born_on, p.sex, p.simulated"""
_JOINS: Final = """
LEFT JOIN acknowledgement k ON k.alert_id = a.id AND k.ended_at IS NULL
LEFT JOIN account c ON c.id = k.account_id
LEFT JOIN account r ON r.id = a.resolved_by
LEFT JOIN device d ON d.id = a.device_id"""

_OF_WARDS: Final = f"""
SELECT b.ward_id, {_COLUMNS}
FROM bed b
JOIN stay s ON s.bed_id = b.id AND s.during @> CAST(:now AS timestamptz)
JOIN patient p ON p.id = s.patient_id
JOIN alert a ON a.patient_id = p.id {_JOINS}
WHERE b.ward_id = ANY(:ids) AND a.live AND {{condition}}
"""
_OPEN_OR_DONE: Final = "(a.closed_at IS NULL OR a.closed_at >= :since)"

# Those of the system belong to every ward.
_OF_SYSTEM: Final = f"""
SELECT w.id AS ward_id, {_COLUMNS}
FROM {OF_NOBODY}
LEFT JOIN bed b ON false
LEFT JOIN patient p ON false {_JOINS}
WHERE {ABOUT_NOBODY} AND a.live AND {{condition}}
"""

_OF_ALERTS: Final = f"""
SELECT coalesce(b.ward_id, w.id, d.ward_id) AS ward_id, {_COLUMNS}
FROM alert a
LEFT JOIN patient p ON p.id = a.patient_id
LEFT JOIN stay s ON s.patient_id = a.patient_id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id
LEFT JOIN ward w ON a.subject = 'system' AND w.id = a.subject_id {_JOINS}
WHERE a.id = ANY(:ids)
"""

_RECENT: Final = """
SELECT patient_id, kind, count(*) AS times FROM (
  SELECT patient_id, kind FROM alert WHERE patient_id = ANY(:ids) AND live AND event_at >= :since
    AND closed_as IS DISTINCT FROM 'withdrawn'
  UNION ALL
  SELECT patient_id, kind FROM alert_episode WHERE patient_id = ANY(:ids) AND last_at >= :since
    AND withdrawn_at IS NULL
) found GROUP BY patient_id, kind
"""

# What nobody has taken in the wards of whoever takes alarms; and what is wrong with the system itself, for everybody of
# the staff: that stands until it is over, for it stays wrong when somebody has taken it.
_NOT_TAKEN: Final = (
    "NOT EXISTS (SELECT 1 FROM acknowledgement k WHERE k.alert_id = a.id AND k.ended_at IS NULL)"
)
_STANDING: Final = f"""
SELECT m.account_id, b.ward_id, a.*, d.serial, b.id AS bed_id, b.label AS bed_label,
       CAST(NULL AS timestamptz) AS acknowledged_at, CAST(NULL AS text) AS acknowledged_by,
       {RULE_NAME}
FROM membership m
JOIN account o ON o.id = m.account_id AND o.role = ANY(:takers)
JOIN bed b ON b.ward_id = m.ward_id
JOIN stay s ON s.bed_id = b.id AND s.during @> CAST(:now AS timestamptz)
JOIN alert a ON a.patient_id = s.patient_id
LEFT JOIN device d ON d.id = a.device_id
WHERE m.account_id = ANY(:ids) AND a.closed_at IS NULL AND a.muted_by IS NULL AND {_NOT_TAKEN}
UNION ALL
SELECT c.id, w.id, a.*, g.serial, NULL, NULL, k.at, t.name, NULL
FROM account c
CROSS JOIN {OF_NOBODY}
LEFT JOIN acknowledgement k ON k.alert_id = a.id AND k.ended_at IS NULL
LEFT JOIN account t ON t.id = k.account_id
WHERE c.id = ANY(:ids) AND {ABOUT_NOBODY} AND a.closed_at IS NULL AND a.muted_by IS NULL
  AND (k.id IS NULL OR (a.subject = 'system' AND w.id IS NULL))
  AND ((a.subject = 'system' AND w.id IS NULL) OR c.role = ANY(:takers))
  AND (w.id IS NULL OR EXISTS (SELECT 1 FROM membership m WHERE m.account_id = c.id AND m.ward_id = w.id))
"""


def alarm_lists(session: Session, ward_ids: Sequence[UUID], now: datetime) -> dict[UUID, AlarmList]:
    """The list of each of these wards that exists: what is open, and what was done in the last hour."""
    headers = ward_headers(session, ward_ids)
    rows: dict[UUID, list[InboxRow]] = {ward_id: [] for ward_id in headers}
    for row in _listed(session, list(headers), _OPEN_OR_DONE, now=now, since=now - DONE_FOR):
        for ward_id in rows.keys() & {row.ward_id} if row.ward_id else rows:
            rows[ward_id].append(row)
    return {
        ward_id: AlarmList(ward=header, groups=_shortened(grouped(rows[ward_id])))
        for ward_id, header in headers.items()
    }


def own_lists(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, AlarmList]:
    """The same of the beds that each of these accounts has taken, in the wards that are still theirs."""
    wards = {
        row.account_id: row.wards
        for row in session.execute(
            text(
                "SELECT account_id, array_agg(ward_id) AS wards FROM membership WHERE account_id = ANY(:ids)"
                " GROUP BY account_id"
            ),
            {"ids": list(account_ids)},
        )
    }
    every = sorted({ward_id for found in wards.values() for ward_id in found})
    rows = _listed(session, every, _OPEN_OR_DONE, now=now, since=now - DONE_FOR)
    held = allocation.holders(session, {row.line.bed_id for row in rows if row.line.bed_id}, now=now)

    def is_own(row: InboxRow, account_id: UUID) -> bool:
        holder = held.get(row.line.bed_id) if row.line.bed_id else None
        return holder is not None and holder.account_id == account_id and row.ward_id in wards[account_id]

    return {
        account_id: AlarmList(
            ward=WardHeader(id=account_id, slug="mine", name="Your beds", description=""),
            region="my-alarms",
            groups=_shortened(
                grouped([row for row in rows if account_id in wards and is_own(row, account_id)])
            ),
        )
        for account_id in account_ids
    }


def done_since(
    session: Session, ward_ids: Sequence[UUID], *, since: datetime, now: datetime
) -> list[InboxRow]:
    """The alarms of these wards that were closed since then, the last one first."""
    rows = _listed(session, list(ward_ids), "a.closed_at >= :since", now=now, since=since)
    return sorted(rows, key=lambda row: row.closed_at or now, reverse=True)


def rows_of(session: Session, alert_ids: Sequence[UUID], now: datetime) -> dict[UUID, InboxRow]:
    """Each of these alarms that exists, as a row."""
    found = session.execute(text(_OF_ALERTS), {"ids": list(alert_ids), "now": now}).all()
    return {row.line.id: row for row in _composed(session, found, now=now)}


def ward_headers(session: Session, ward_ids: Iterable[UUID]) -> dict[UUID, WardHeader]:
    """Each of these wards that exists, by name."""
    rows = session.execute(
        text("SELECT id, slug, name, description FROM ward WHERE id = ANY(:ids) ORDER BY name"),
        {"ids": list(ward_ids)},
    )
    return {
        row.id: WardHeader(id=row.id, slug=row.slug, name=row.name, description=row.description)
        for row in rows
    }


def standing(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, AlarmBar]:
    """What stands above the pages of each of these accounts, most urgent first, in one statement.

    What nobody has taken in the wards of whoever takes alarms, and what is wrong with the system itself, taken or not.
    The bar's `ward_id` is the account's id: it spans wards.
    """
    lines: dict[UUID, list[AlarmLine]] = {account_id: [] for account_id in account_ids}
    takers = [role.value for role in GRANTS[Permission.TAKE_ALARMS]]
    for row in session.execute(text(_STANDING), {"ids": list(account_ids), "now": now, "takers": takers}):
        lines[row.account_id].append(compose.line(row))
    return {
        account_id: AlarmBar(ward_id=account_id, lines=tuple(sorted(found, key=compose.urgency)))
        for account_id, found in lines.items()
    }


def untaken(session: Session, account_ids: Sequence[UUID], now: datetime) -> dict[UUID, AlarmBar]:
    """What of it nobody has taken: what the rail counts."""
    return {account_id: not_taken(bar) for account_id, bar in standing(session, account_ids, now).items()}


def not_taken(bar: AlarmBar) -> AlarmBar:
    """The bar without what somebody has taken."""
    return replace(bar, lines=tuple(line for line in bar.lines if line.acknowledged_at is None))


def _listed(
    session: Session, ward_ids: list[UUID], condition: str, *, now: datetime, since: datetime
) -> list[InboxRow]:
    params = {"ids": ward_ids, "now": now, "since": since}
    rows = [
        *session.execute(text(_OF_WARDS.format(condition=condition)), params),
        *session.execute(text(_OF_SYSTEM.format(condition=condition)), {"since": since}),
    ]
    return _composed(session, rows, now=now)


def _composed(session: Session, rows: Sequence[Row[Any]], *, now: datetime) -> list[InboxRow]:
    patients = {row.patient_id for row in rows if row.patient_id and row.closed_at is None}
    recent = _recent(session, patients, now=now) if patients else {}
    return [_row(row, recent=recent, now=now) for row in rows]


def _recent(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[tuple[UUID, str], int]:
    params = {"ids": list(patient_ids), "since": now - timedelta(hours=OFTEN_H)}
    return {(row.patient_id, row.kind): row.times for row in session.execute(text(_RECENT), params)}


def _row(row: Any, *, recent: Mapping[tuple[UUID, str], int], now: datetime) -> InboxRow:
    state = state_of(row, acknowledged_at=row.acknowledged_at)
    return InboxRow(
        line=compose.line(row),
        state=state,
        group=group_of(row, state),
        ward_id=row.ward_id,
        patient=compose.patient_header(row, now=now) if row.patient_id else None,
        recent=max(1, recent.get((row.patient_id, row.kind), 1)),
        escalate_at=row.escalate_at,
        realarm_at=row.realarm_at,
        muted_by=row.muted_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by if row.closed_at else None,
        resolution=row.resolution,
    )


def _shortened(groups: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((name, rows[:MOST_DONE] if name == "resolved" else rows) for name, rows in groups)
