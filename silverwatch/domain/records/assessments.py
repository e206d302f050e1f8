"""What was assessed about patients: recorded, corrected, and when it is due again. The caller commits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import instruments
from silverwatch.domain.records.facts import PlanChanged
from silverwatch.domain.records.instruments import Instrument
from silverwatch.domain.records.plan_models import Assessment

AGAIN_H: Final = (8, 12, 24, 48, 72, 168, 336, 672)
"""How many hours later an assessment can be due again: from a shift to four weeks."""
MOST_NOTE: Final = 500
MOST_REASON: Final = 300
MOST: Final = 200
"""So many assessments of a patient are read at most, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What an assessment says: the choice for each question, when it was done, and when again (in hours)."""

    instrument: Instrument
    answers: Mapping[str, str]
    at: datetime
    note: str = ""
    again_h: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentView:
    """An assessment as it is shown. `by` and `struck_by` are names; `replaces` is the wrong one before it."""

    id: UUID
    patient_id: UUID
    instrument: Instrument
    answers: Mapping[str, str]
    result: str
    score: int | None
    note: str
    at: datetime
    entered_at: datetime
    by: str
    again_h: int | None
    replaces: UUID | None = None
    struck_at: datetime | None = None
    struck_by: str | None = None
    struck_because: str | None = None

    @property
    def due_at(self) -> datetime | None:
        """When it is to be done again; None for not at a set time."""
        return self.at + timedelta(hours=self.again_h) if self.again_h is not None else None

    @property
    def concern(self) -> bool:
        """Does the result ask for something to be done?"""
        return instruments.result(self.instrument, self.answers).concern


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAssessment:
    """An assessment that is to be done again. `label` as it was called last time."""

    patient_id: UUID
    instrument: str
    label: str
    due_at: datetime


_ASSESSMENTS = """
SELECT s.*, a.name AS entered_by, z.name AS struck_name
FROM assessment s JOIN account a ON a.id = s.account_id LEFT JOIN account z ON z.id = s.struck_by
WHERE s.patient_id = :patient {condition} ORDER BY s.at DESC, s.entered_at DESC, s.id DESC LIMIT :most
"""
# The newest of each kind says when it is due: one that was not planned again ends it.
_DUE = """
SELECT patient_id, instrument, version, due_at FROM (
  SELECT DISTINCT ON (patient_id, instrument) patient_id, instrument, version,
         at + again_h * interval '1 hour' AS due_at
  FROM assessment WHERE patient_id = ANY(:patients) AND struck_at IS NULL
  ORDER BY patient_id, instrument, at DESC, entered_at DESC, id DESC) s
WHERE due_at <= :until ORDER BY due_at, instrument
"""


def assessments_of(session: Session, patient_id: UUID) -> list[AssessmentView]:
    """What was assessed about a patient, the newest first, with what was struck out and why."""
    query = text(_ASSESSMENTS.format(condition=""))
    return [_view(row) for row in session.execute(query, {"patient": patient_id, "most": MOST})]


def assessment_of(session: Session, patient_id: UUID, assessment_id: UUID) -> AssessmentView:
    """One of this patient; raises NotFoundError for another one's as for none."""
    query = text(_ASSESSMENTS.format(condition="AND s.id = :id"))
    row = session.execute(query, {"patient": patient_id, "id": assessment_id, "most": 1}).first()
    if row is None:
        raise NotFoundError("There is no such assessment.")
    return _view(row)


def due(session: Session, patient_ids: Iterable[UUID], *, until: datetime) -> list[DueAssessment]:
    """What is to be assessed again of these patients until then, what is due first first."""
    rows = session.execute(text(_DUE), {"patients": list(patient_ids), "until": until})
    return [
        DueAssessment(
            patient_id=row.patient_id,
            instrument=row.instrument,
            label=instruments.version_of(row.instrument, row.version).label,
            due_at=row.due_at,
        )
        for row in rows
    ]


def record(
    session: Session,
    actor: Actor,
    *,
    assessment_id: UUID,
    patient_id: UUID,
    says: Answers,
    now: datetime,
    replaces: UUID | None = None,
) -> bool:
    """Keep complete answers. `assessment_id` is the form's own, so that a resend is the same; False for a resend."""
    found = instruments.result(says.instrument, says.answers)
    values = {
        "patient_id": patient_id, "instrument": says.instrument.name, "version": says.instrument.version,
        "at": says.at, "entered_at": now, "account_id": actor.account_id, "answers": dict(says.answers),
        "result": found.words, "score": found.score, "note": says.note, "again_h": says.again_h,
        "replaces": replaces,
    }  # fmt: skip
    query = insert(Assessment).values(id=assessment_id, **values).on_conflict_do_nothing()
    if session.scalar(query.returning(Assessment.id)) is None:
        return False
    _note(session, "assessment.recorded", patient_id, assessment_id, instrument=says.instrument.name)
    return True


def correct(
    session: Session,
    actor: Actor,
    wrong: Assessment,
    *,
    because: str,
    right: Answers | None,
    assessment_id: UUID,
    now: datetime,
) -> None:
    """Strike the locked one out for a reason, and put the right one in its place where there is one.

    The same correction sent twice is one. Raises ConflictError where somebody else was first, or where the right one
    says the same.
    """
    if wrong.struck_at is not None:
        if (wrong.struck_by, wrong.struck_because) == (actor.account_id, because):
            return
        raise ConflictError("Somebody has corrected this meanwhile. Look at the care plan again.")
    if right is not None and _same(wrong, right):
        raise ConflictError("It says this already. Change something, strike it out, or go back.")
    wrong.struck_at, wrong.struck_by, wrong.struck_because = now, actor.account_id, because
    session.flush()
    _note(session, "assessment.corrected", wrong.patient_id, wrong.id, because=because)
    if right is not None:
        record(
            session, actor,
            assessment_id=assessment_id, patient_id=wrong.patient_id, says=right, now=now, replaces=wrong.id,
        )  # fmt: skip


def lock(session: Session, patient_id: UUID, assessment_id: UUID) -> Assessment:
    """One of this patient that is corrected; raises NotFoundError."""
    found = session.get(Assessment, assessment_id, with_for_update=True)
    if found is None or found.patient_id != patient_id:
        raise NotFoundError("There is no such assessment.")
    return found


def _same(wrong: Assessment, right: Answers) -> bool:
    return (wrong.answers, wrong.at, wrong.note, wrong.again_h) == (
        dict(right.answers), right.at, right.note, right.again_h,
    )  # fmt: skip


def _view(row: Any) -> AssessmentView:
    return AssessmentView(
        id=row.id,
        patient_id=row.patient_id,
        instrument=instruments.version_of(row.instrument, row.version),
        answers=row.answers,
        result=row.result,
        score=row.score,
        note=row.note,
        at=row.at,
        entered_at=row.entered_at,
        by=row.entered_by,
        again_h=row.again_h,
        replaces=row.replaces,
        struck_at=row.struck_at,
        struck_by=row.struck_name,
        struck_because=row.struck_because,
    )


def _note(session: Session, action: str, patient_id: UUID, assessment_id: UUID, **detail: Any) -> None:
    audit.record(
        session, action, subject=("assessment", assessment_id), patient_ids=[patient_id], detail=detail
    )
    events.record(session, PlanChanged(patient_id=patient_id))
