"""What happened to a patient, newest first: alarms, sets of observations, notes, pauses, incidents, devices, stays.
A fixed number of statements for any number of patients and entries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import queries
from silverwatch.domain.alerts import tiles as compose
from silverwatch.domain.alerts.board import AlarmLine
from silverwatch.domain.alerts.scores import Score, scored
from silverwatch.domain.records import instruments, notes
from silverwatch.domain.records.notes import NoteView

Kind = Literal[
    "alarm", "observations", "note", "pause", "incident", "limits", "assessment", "goal", "device", "stay"
]
Show = Literal["all", "alarms", "notes"]
SHOWS: Final[tuple[Show, ...]] = ("all", "alarms", "notes")
A_PAGE: Final = 12
BACK: Final = timedelta(weeks=10)
"""How far an entry can lie before the one that is asked about: readings are kept in so many weeks."""
MARKED: Final = timedelta(hours=72)
MARKS: Final = 9
"""The newest so many notes and changes of the oxygen of three days have a number, in the timeline and in the chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAlarm:
    """An alarm, open or over: as a line of its worst, who took it first, and how it was closed."""

    line: AlarmLine
    live: bool
    raised_at: datetime
    ended_at: datetime | None
    closed_at: datetime | None
    closed_as: str | None
    times: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_by: str | None
    resolution: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A device was put on or taken off, a bed was taken or left. `began`: the first of the two."""

    began: bool
    name: str
    ward: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """A pause began or ended, an incident was opened, limits were set, something was assessed, a goal ended.

    `what`: the kind of alarm that is paused, or of incident, or the vitals whose limits changed; the result of an
    assessment whose name is `scope`; the goal that ended as `scope`. `by` is None for what the clock, or a device, did.
    """

    began: bool
    scope: str
    what: str | None
    reason: str
    note: str
    until: datetime | None
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened at `at`. Exactly one of what follows `number` is set, by `kind`."""

    id: UUID
    at: datetime
    kind: Kind
    number: int | None = None
    alarm: PastAlarm | None = None
    score: Score | None = None
    note: NoteView | None = None
    moved: Moved | None = None
    care: Care | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The newest entries of a patient. `older`: there are more, from before the last one."""

    patient_id: UUID
    entries: tuple[Entry, ...] = ()
    older: bool = False
    show: Show = "all"
    marks: tuple[Entry, ...] = ()
    """The numbered entries, oldest first, on this page or not."""


_TAKEN = """
SELECT a.id, k.at, k.name AS taken_by, r.name AS resolved_by
FROM alert a
LEFT JOIN account r ON r.id = a.resolved_by
LEFT JOIN LATERAL (
  SELECT k.at, c.name FROM acknowledgement k JOIN account c ON c.id = k.account_id
  WHERE k.alert_id = a.id ORDER BY k.at LIMIT 1) k ON true
WHERE a.id = ANY(:ids)
"""
_MOVED = """
SELECT m.* FROM unnest(CAST(:patients AS uuid[])) AS p (id)
CROSS JOIN LATERAL (
  SELECT * FROM (
    SELECT b.id, b.patient_id, e.at, e.began, 'device' AS kind, d.serial AS name, '' AS ward
    FROM binding b JOIN device d ON d.id = b.device_id,
    LATERAL (VALUES (lower(b.during), true), (upper(b.during), false)) AS e (at, began)
    WHERE b.patient_id = p.id
    UNION ALL
    SELECT s.id, s.patient_id, e.at, e.began, 'stay', b.label, w.name
    FROM stay s JOIN bed b ON b.id = s.bed_id JOIN ward w ON w.id = b.ward_id,
    LATERAL (VALUES (lower(s.during), true), (upper(s.during), false)) AS e (at, began)
    WHERE s.patient_id = p.id) e
  WHERE e.at < :before AND e.at >= :since ORDER BY e.at DESC LIMIT :limit) m
"""
_CARE = """
SELECT m.*, c.name AS by FROM unnest(CAST(:patients AS uuid[])) AS p (id)
CROSS JOIN LATERAL (
  SELECT * FROM (
    SELECT u.id, u.patient_id, 'pause' AS sort, u.scope, u.kind AS what, u.reason, u.note, u.ends_at AS until, e.*
    FROM pause u,
    LATERAL (VALUES (u.started_at, true, u.started_by), (u.ended_at, false, u.ended_by)) AS e (at, began, who)
    WHERE u.patient_id = p.id
    UNION ALL
    SELECT i.id, i.patient_id, 'incident', '', i.kind, '', '', NULL, i.at, true, i.opened_by
    FROM incident i WHERE i.patient_id = p.id
    UNION ALL
    SELECT l.id, l.patient_id, 'limits', '',
           (SELECT string_agg(DISTINCT c ->> 'vital', ',') FROM jsonb_array_elements(l.changes) c),
           l.reason, '', l.ends_at, l.at, true, l.account_id
    FROM limit_version l WHERE l.patient_id = p.id
    UNION ALL
    SELECT s.id, s.patient_id, 'assessment', s.instrument, s.result, s.version::text, s.note, NULL, s.at, true,
           s.account_id
    FROM assessment s WHERE s.patient_id = p.id AND s.struck_at IS NULL
    UNION ALL
    SELECT g.id, g.patient_id, 'goal', g.ended_as,
           (SELECT v.what FROM goal_version v WHERE v.goal_id = g.id ORDER BY v.version DESC LIMIT 1),
           g.ended_because, '', NULL, g.ended_at, true, g.ended_by
    FROM goal g WHERE g.patient_id = p.id AND g.ended_at IS NOT NULL) e
  WHERE e.at < :before AND e.at >= :since ORDER BY e.at DESC LIMIT :limit) m
LEFT JOIN account c ON c.id = m.who
"""


def timelines(session: Session, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, Timeline]:
    """The newest page of each patient that exists, as the live region shows it."""
    return read(session, patient_ids, now=now)


def read(
    session: Session,
    patient_ids: Sequence[UUID],
    *,
    now: datetime,
    show: Show = "all",
    before: datetime | None = None,
    limit: int = A_PAGE,
) -> dict[UUID, Timeline]:
    """A page of entries of each patient that exists, those before `before` if it is given."""
    scales = scales_of(session, patient_ids)
    until = before or now + timedelta(seconds=1)
    params = {"patients": list(scales), "before": until, "since": until - BACK, "limit": limit + 1}
    found: dict[UUID, list[Entry]] = {patient_id: [] for patient_id in scales}
    numbers = marks(session, scales, now=now)
    if show in ("all", "alarms"):
        for patient_id, alarms in _alarms(session, scales, before=until, limit=limit + 1, now=now).items():
            found[patient_id] += alarms
    if show in ("all", "notes"):
        for note in notes.notes_of(session, scales, before=until, limit=limit + 1):
            found[note.patient_id].append(_note(note))
    if show == "all":
        for patient_id, scores in _sets(session, scales, until=until, limit=limit + 1).items():
            found[patient_id] += [_set(score) for score in scores]
        for row in session.execute(text(_MOVED), params):
            found[row.patient_id].append(_moved(row))
        for row in session.execute(text(_CARE), params):
            found[row.patient_id].append(_care(row))
    return {
        patient_id: _page(patient_id, entries, numbers[patient_id], show=show, limit=limit)
        for patient_id, entries in found.items()
    }


def scales_of(session: Session, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The SpO₂ scale of each of these patients that exists."""
    query = text("SELECT id, spo2_scale FROM patient WHERE id = ANY(:ids)")
    return {row.id: row.spo2_scale for row in session.execute(query, {"ids": list(patient_ids)})}


def marks(session: Session, scales: Mapping[UUID, int], *, now: datetime) -> dict[UUID, list[Entry]]:
    """Of each patient the numbered entries, oldest first."""
    since = now - MARKED
    found: dict[UUID, list[Entry]] = {patient_id: [] for patient_id in scales}
    for note in notes.notes_of(session, scales, since=since, limit=MARKS):
        if note.struck_at is None:
            found[note.patient_id].append(_note(note))
    scores = scored(session, scales, since=since, until=now + timedelta(minutes=10), limit=100)
    for patient_id, sets in scores.items():
        found[patient_id] += [_set(score) for score in sets if score.changes_oxygen]
    return {
        patient_id: [
            replace(entry, number=number)
            for number, entry in enumerate(sorted(entries, key=lambda entry: entry.at)[-MARKS:], start=1)
        ]
        for patient_id, entries in found.items()
    }


def _sets(
    session: Session, scales: Mapping[UUID, int], *, until: datetime, limit: int
) -> dict[UUID, list[Score]]:
    """One set more than asked for: what changed with the oldest one is known then."""
    found = scored(session, scales, since=until - BACK, until=until, limit=limit + 1)
    return {patient_id: scores[-limit:] for patient_id, scores in found.items()}


def _page(
    patient_id: UUID, entries: list[Entry], marked: Sequence[Entry], *, show: Show, limit: int
) -> Timeline:
    numbers = {(entry.kind, entry.id): entry.number for entry in marked}
    newest = sorted(entries, key=lambda entry: (entry.at, entry.id), reverse=True)
    # The next page begins before the last entry: what happened at the same moment stands on this one.
    while limit < len(newest) and newest[limit].at == newest[limit - 1].at:
        limit += 1
    return Timeline(
        patient_id=patient_id,
        entries=tuple(replace(entry, number=numbers.get((entry.kind, entry.id))) for entry in newest[:limit]),
        older=len(newest) > limit,
        show=show,
        marks=tuple(marked),
    )


def _alarms(
    session: Session, patient_ids: Iterable[UUID], *, before: datetime, limit: int, now: datetime
) -> dict[UUID, list[Entry]]:
    rows = queries.newest_alerts(
        session, patient_ids, since=before - BACK, before=before, limit=limit, now=now
    )
    ids = [row.id for row in rows]
    taken = {row.id: row for row in session.execute(text(_TAKEN), {"ids": ids})} if ids else {}
    found: dict[UUID, list[Entry]] = {}
    for row in rows:
        alarm = _alarm(row, taken[row.id])
        found.setdefault(row.patient_id, []).append(
            Entry(id=row.id, at=row.event_at, kind="alarm", alarm=alarm)
        )
    return found


def _alarm(row: Any, taken: Any) -> PastAlarm:
    return PastAlarm(
        line=replace(compose.line(row), priority=row.peak_priority),
        live=row.live,
        raised_at=row.raised_at,
        ended_at=row.ended_at,
        closed_at=row.closed_at,
        closed_as=row.closed_as,
        times=row.times,
        acknowledged_at=taken.at,
        acknowledged_by=taken.taken_by,
        resolved_by=taken.resolved_by,
        resolution=row.resolution,
    )


def _set(score: Score) -> Entry:
    return Entry(id=score.id, at=score.at, kind="observations", score=score)


def _note(note: NoteView) -> Entry:
    return Entry(id=note.id, at=note.first.at, kind="note", note=note)


def _moved(row: Any) -> Entry:
    moved = Moved(began=row.began, name=row.name, ward=row.ward)
    return Entry(id=row.id, at=row.at, kind=row.kind, moved=moved)


def _care(row: Any) -> Entry:
    scope, reason = row.scope, row.reason
    if row.sort == "assessment":
        scope, reason = instruments.version_of(row.scope, int(row.reason)).label, ""
    same = {name: getattr(row, name) for name in ("began", "what", "note", "until", "by")}
    care = Care(scope=scope, reason=reason, **same)
    return Entry(id=row.id, at=row.at, kind=row.sort, care=care)
