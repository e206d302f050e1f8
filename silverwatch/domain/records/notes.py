"""Notes about patients. Nothing that was written is ever lost: a change is a new version, an error is struck out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.models import Note, NoteVersion

MOST_TEXT: Final = 4000
MOST_REASON: Final = 300
A_PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a note said from `at` on, and who wrote it."""

    number: int
    text: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """A note with all its versions, the first one first; struck out where `struck_at` is set."""

    id: UUID
    patient_id: UUID
    written_by: UUID
    versions: tuple[Version, ...]
    struck_at: datetime | None = None
    struck_by: str | None = None
    struck_because: str | None = None

    @property
    def first(self) -> Version:
        """As it was written."""
        return self.versions[0]

    @property
    def latest(self) -> Version:
        """As it stands."""
        return self.versions[-1]


_NOTES = """
SELECT n.*, s.name AS struck_name, v.version, v.text, v.at, a.name
FROM unnest(CAST(:patients AS uuid[])) AS p (id)
CROSS JOIN LATERAL (
  SELECT * FROM note WHERE patient_id = p.id AND written_at < :before AND written_at >= :since
  ORDER BY written_at DESC, id DESC LIMIT :limit) n
JOIN note_version v ON v.note_id = n.id
JOIN account a ON a.id = v.account_id
LEFT JOIN account s ON s.id = n.struck_by
ORDER BY n.written_at DESC, n.id DESC, v.version
"""
_ALWAYS: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def write(
    session: Session, actor: Actor, *, note_id: UUID, patient_id: UUID, written: str, now: datetime
) -> UUID | None:
    """Add a note. `note_id` is the form's own, so that a resend is the same note: None then, else the note's id.

    Who goes back to the form and writes something else has written another note.
    """
    values = {"patient_id": patient_id, "written_at": now, "written_by": actor.account_id}
    query = insert(Note).values(id=note_id, **values).on_conflict_do_nothing()
    if session.execute(query.returning(Note.id)).first() is None:
        first = session.get(NoteVersion, (note_id, 1))
        if first is not None and (first.text, first.account_id) == (written, actor.account_id):
            return None
        note_id = clock.new_id()
        session.execute(insert(Note).values(id=note_id, **values))
    _add(session, actor, note_id, number=1, written=written, now=now)
    return note_id


def change(session: Session, actor: Actor, note: Note, *, seen: int, written: str, now: datetime) -> bool:
    """Add a version to one's own note; False when it says the same already.

    `seen` is the version that the writer saw: raises ConflictError when there is a newer one, when the note is struck
    out, and for somebody else's note.
    """
    if note.written_by != actor.account_id:
        raise ConflictError("Only who wrote a note can change it. Write a note of your own.")
    if note.struck_at is not None:
        raise ConflictError("This note is struck out. Write a new one.")
    number, stands = session.execute(
        text("SELECT version, text FROM note_version WHERE note_id = :id ORDER BY version DESC LIMIT 1"),
        {"id": note.id},
    ).one()
    if stands == written:
        return False
    if number != seen:
        raise ConflictError("This note was changed meanwhile. Read it again before you change it.")
    _add(session, actor, note.id, number=number + 1, written=written, now=now)
    return True


def strike_out(session: Session, actor: Actor, note: Note, *, because: str, now: datetime) -> bool:
    """Say that a note should not have been written, and why. The first one who says so stands: False for the next."""
    if note.struck_at is not None:
        return False
    note.struck_at, note.struck_by, note.struck_because = now, actor.account_id, because
    session.flush()
    return True


def note_of(session: Session, patient_id: UUID, note_id: UUID, *, lock: bool = False) -> Note:
    """A note of this patient; raises NotFoundError."""
    note = session.get(Note, note_id, with_for_update=lock)
    if note is None or note.patient_id != patient_id:
        raise NotFoundError("There is no such note.")
    return note


def notes_of(
    session: Session,
    patient_ids: Iterable[UUID],
    *,
    since: datetime = _ALWAYS[0],
    before: datetime = _ALWAYS[1],
    limit: int = A_PAGE,
) -> list[NoteView]:
    """The newest notes of each patient (written in a time) with their versions, newest first, in one statement."""
    params = {"patients": list(patient_ids), "since": since, "before": before, "limit": limit}
    return _views(session.execute(text(_NOTES), params))


def view(session: Session, note: Note) -> NoteView:
    """One note with its versions."""
    at = note.written_at
    found = notes_of(session, [note.patient_id], since=at, before=at + timedelta(microseconds=1))
    return next(item for item in found if item.id == note.id)


def count(session: Session, patient_id: UUID) -> int:
    """How many notes a patient has."""
    return session.scalar(text("SELECT count(*) FROM note WHERE patient_id = :id"), {"id": patient_id}) or 0


def _add(session: Session, actor: Actor, note_id: UUID, *, number: int, written: str, now: datetime) -> None:
    session.add(
        NoteVersion(note_id=note_id, version=number, text=written, at=now, account_id=actor.account_id)
    )
    session.flush()


def _views(rows: Any) -> list[NoteView]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return [_view(versions) for versions in found.values()]


def _view(rows: Sequence[Any]) -> NoteView:
    row = rows[0]
    return NoteView(
        id=row.id,
        patient_id=row.patient_id,
        written_by=row.written_by,
        versions=tuple(Version(number=r.version, text=r.text, at=r.at, by=r.name) for r in rows),
        struck_at=row.struck_at,
        struck_by=row.struck_name,
        struck_because=row.struck_because,
    )
