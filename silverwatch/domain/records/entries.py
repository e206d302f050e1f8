"""Flags, allergies, conditions, surgeries and contacts of a patient: added, and ended with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.record_models import RecordEntry

FLAGS: Final = ("do_not_resuscitate", "oxygen_88_92", "falls", "isolation", "palliative")
"""In the order in which the banner shows them. The oxygen target is what was prescribed: on which scale NEWS2 scores
the saturation stays a decision of its own."""
KINDS: Final = ("flag", "allergy", "condition", "surgery", "contact")
NO_ALLERGIES: Final = "no_allergies"
"""Somebody asked, and there is none: not the same as that nobody has asked."""
MOST_TEXT: Final = 200
MOST_REASON: Final = 200
MOST: Final = 500
"""So many entries of a patient are read at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An entry as it is shown. `added_by` and `ended_by` are names."""

    id: UUID
    kind: str
    what: str
    detail: str
    phone: str
    happened_on: date | None
    added_at: datetime
    added_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_because: str | None = None


_ENTRIES = """
SELECT e.*, a.name AS added_name, z.name AS ended_name
FROM record_entry e JOIN account a ON a.id = e.added_by LEFT JOIN account z ON z.id = e.ended_by
WHERE e.patient_id = :patient {condition}
ORDER BY e.ended_at DESC NULLS FIRST, e.happened_on DESC NULLS LAST, e.added_at DESC
LIMIT :most
"""


def known(kind: str) -> str:
    """SQL: what stands of this kind about patient `p`, as an array."""
    return (
        "ARRAY(SELECT k.what FROM record_entry k WHERE k.patient_id = p.id"
        f" AND k.kind = '{kind}' AND k.ended_at IS NULL ORDER BY k.added_at, k.id)"
    )


def entries_of(session: Session, patient_id: UUID) -> Mapping[str, list[EntryView]]:
    """All entries of a patient by kind, those that stand first, then the ended ones, the newest first."""
    found: dict[str, list[EntryView]] = {kind: [] for kind in (*KINDS, NO_ALLERGIES)}
    query = text(_ENTRIES.format(condition=""))
    for row in session.execute(query, {"patient": patient_id, "most": MOST}):
        found[row.kind].append(_view(row))
    return found


def entry_of(session: Session, patient_id: UUID, entry_id: UUID) -> EntryView:
    """One entry of this patient; raises NotFoundError for another one's as for none."""
    query = text(_ENTRIES.format(condition="AND e.id = :id"))
    row = session.execute(query, {"patient": patient_id, "id": entry_id, "most": 1}).first()
    if row is None:
        raise NotFoundError("There is no such entry.")
    return _view(row)


def add(
    session: Session,
    actor: Actor,
    *,
    entry_id: UUID,
    patient_id: UUID,
    kind: str,
    what: str,
    detail: str = "",
    phone: str = "",
    happened_on: date | None = None,
    now: datetime,
) -> bool:
    """Add an entry. `entry_id` is the form's own, so that a resend is the same entry; False for a resend.

    Raises ConflictError when the same stands already. A first allergy ends the statement that there is none.
    """
    values = {
        "patient_id": patient_id, "kind": kind, "what": what, "detail": detail, "phone": phone,
        "happened_on": happened_on, "added_at": now, "added_by": actor.account_id,
    }  # fmt: skip
    query = insert(RecordEntry).values(id=entry_id, **values).on_conflict_do_nothing()
    if session.scalar(query.returning(RecordEntry.id)) is None:
        if session.get(RecordEntry, entry_id) is not None:
            return False
        raise ConflictError("This stands in the record already. End it first if it has changed.")
    if kind == "allergy":
        for entry in session.scalars(_standing(patient_id, NO_ALLERGIES)):
            _end(session, actor, entry, because=f"{what} was added.", now=now)
    detail_of = {"kind": kind, **({"what": what} if kind == "flag" else {})}
    audit.record(
        session,
        "record.added",
        subject=("record_entry", entry_id),
        patient_ids=[patient_id],
        detail=detail_of,
    )
    return True


def say_none(session: Session, actor: Actor, *, entry_id: UUID, patient_id: UUID, now: datetime) -> bool:
    """The patient was asked and has no allergies. Raises ConflictError while one stands; False for twice."""
    if session.scalars(_standing(patient_id, "allergy")).first() is not None:
        raise ConflictError("There are allergies in the record. End them first.")
    if session.scalars(_standing(patient_id, NO_ALLERGIES)).first() is not None:
        return False
    return add(
        session,
        actor,
        entry_id=entry_id,
        patient_id=patient_id,
        kind=NO_ALLERGIES,
        what="None known",
        now=now,
    )


def end(
    session: Session, actor: Actor, *, patient_id: UUID, entry_id: UUID, because: str, now: datetime
) -> bool:
    """It holds no longer, and why; False when it was ended already. Raises NotFoundError for another patient's."""
    entry = session.get(RecordEntry, entry_id, with_for_update=True)
    if entry is None or entry.patient_id != patient_id:
        raise NotFoundError("There is no such entry.")
    if entry.ended_at is not None:
        return False
    _end(session, actor, entry, because=because, now=now)
    return True


def _end(session: Session, actor: Actor, entry: RecordEntry, *, because: str, now: datetime) -> None:
    entry.ended_at, entry.ended_by, entry.ended_because = now, actor.account_id, because
    session.flush()
    detail = {"kind": entry.kind, **({"what": entry.what} if entry.kind == "flag" else {})}
    audit.record(
        session,
        "record.ended",
        subject=("record_entry", entry.id),
        patient_ids=[entry.patient_id],
        detail=detail,
    )


def _standing(patient_id: UUID, kind: str) -> Select[RecordEntry]:
    return (
        select(RecordEntry)
        .where(RecordEntry.patient_id == patient_id, RecordEntry.kind == kind, RecordEntry.ended_at.is_(None))
        .with_for_update()
    )


def _view(row: Row[Any]) -> EntryView:
    return EntryView(
        id=row.id,
        kind=row.kind,
        what=row.what,
        detail=row.detail,
        phone=row.phone,
        happened_on=row.happened_on,
        added_at=row.added_at,
        added_by=row.added_name,
        ended_at=row.ended_at,
        ended_by=row.ended_name,
        ended_because=row.ended_because,
    )
