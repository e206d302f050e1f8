"""Doses of medications: recorded, corrected, undone. The caller commits and holds the lock of the medication.

What was given is a row and never changes: a wrong one is struck out, the right one replaces it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import medications
from silverwatch.domain.records.as_needed import DAY, Warned, warned
from silverwatch.domain.records.dose_models import MedicationDose
from silverwatch.domain.records.facts import MedicationsChanged
from silverwatch.domain.records.medication_models import Medication
from silverwatch.domain.records.medication_schedule import AS_NEEDED, Due, Plan, due, end_of, version_at

GIVEN: Final = "given"
OUTCOMES: Final = (GIVEN, "refused", "held", "missed")
EARLY: Final = timedelta(minutes=60)
"""So long before it is due a dose can be recorded."""
BACK: Final = timedelta(days=7)
"""So long afterwards it still can."""
UNDO: Final = timedelta(hours=1)
"""For so long whoever recorded a dose can say that it was a mistake."""
UNDONE: Final = "Undone: recorded by mistake"
MINUTE: Final = timedelta(minutes=1)


class WarnedError(ConflictError):
    """A dose as needed comes too soon, or is one too many: it is recorded with a reason."""

    def __init__(self, found: Warned, *, by: str) -> None:
        super().__init__("This dose needs a reason.")
        self.found, self.by = found, by


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of a dose, when, and why where it was not given or was warned of."""

    outcome: str
    at: datetime
    reason: str = ""
    note: str = ""


def record_due(
    session: Session, actor: Actor, medication: Medication, entry: Entry, *, due_at: datetime, now: datetime
) -> bool:
    """Say what became of a dose that is due; False when this person has said the same already.

    Raises ConflictError when nothing is due then (any more), it is too early, or somebody else was first.
    """
    found = due_of(session, medication, due_at, now=now)
    standing = session.scalar(_standing(medication.id, due_at))
    if standing is not None:
        return _same_or_first(session, actor, standing, entry)
    _insert(session, actor, medication, entry, number=found.number, due_at=due_at, now=now)
    _note(session, "dose.recorded", medication, outcome=entry.outcome)
    return True


def record_needed(
    session: Session, actor: Actor, medication: Medication, entry: Entry, *, dose_id: UUID, now: datetime
) -> bool:
    """A dose was given as needed. `dose_id` is the form's own, so that a resend is the same dose; False for a resend.

    Raises WarnedError for one that needs a reason and has none, ConflictError when it was not to be given then.
    """
    if session.get(MedicationDose, dose_id) is not None:
        return False
    number, plan = _plan_at(session, medication, entry.at)
    query = (
        select(MedicationDose.at, Account.name)
        .join(Account, Account.id == MedicationDose.account_id)
        .where(
            MedicationDose.medication_id == medication.id,
            MedicationDose.struck_at.is_(None),
            MedicationDose.outcome == GIVEN,
            MedicationDose.at.between(entry.at - 2 * DAY, entry.at + 2 * DAY),
        )
    )
    by = {row.at: row.name for row in session.execute(query)}
    found = warned(plan, by, entry.at)
    if found and not entry.reason:
        raise WarnedError(found, by=by[found.near] if found.near else "")
    _insert(session, actor, medication, entry, number=number, dose_id=dose_id, now=now)
    _note(session, "dose.recorded", medication, outcome=entry.outcome, warned=bool(found))
    return True


def due_of(session: Session, medication: Medication, due_at: datetime, *, now: datetime) -> Due:
    """The dose that is due then; raises ConflictError when there is none, or it cannot be recorded yet or any more."""
    if not now - BACK <= due_at <= now + EARLY:
        raise ConflictError("This dose cannot be recorded now: it is due later, or was due too long ago.")
    versions = medications.view(session, medication.patient_id, medication.id).versions
    present = medications.presence(session, [medication.patient_id], since=due_at)[medication.patient_id]
    found = due(
        versions, since=due_at, until=due_at + MINUTE, zone=clock.site_zone(), present=present,
        stopped_at=medication.stopped_at,
    )  # fmt: skip
    if not found or found[0].at != due_at:
        raise ConflictError("This dose is not due any more. Look at the list of medications again.")
    return found[0]


def dose_of(
    session: Session, patient_id: UUID, medication_id: UUID, dose_id: UUID, *, lock: bool = False
) -> MedicationDose:
    """A recorded dose of this medication of this patient; raises NotFoundError."""
    query = select(MedicationDose).where(
        MedicationDose.id == dose_id,
        MedicationDose.medication_id == medication_id,
        MedicationDose.patient_id == patient_id,
    )
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFoundError("There is no such dose.")
    return found


def correct(
    session: Session,
    actor: Actor,
    medication: Medication,
    wrong: MedicationDose,
    *,
    because: str,
    right: Entry | None,
    now: datetime,
) -> None:
    """Strike the dose out, and put the right one in its place where there is one. The same correction twice is one.

    Raises ConflictError where somebody else was first, or where the right one says the same.
    """
    if wrong.struck_at is not None:
        if (wrong.struck_by, wrong.struck_because) == (actor.account_id, because):
            return
        raise ConflictError("Somebody has corrected this dose meanwhile. Look at the list again.")
    if right is not None and right == Entry(
        outcome=wrong.outcome, at=wrong.at, reason=wrong.reason, note=wrong.note
    ):
        raise ConflictError("The entry says this already. Change something, strike it out, or go back.")
    _strike(session, actor, wrong, because=because, now=now)
    if right is not None:
        _insert(
            session, actor, medication, right,
            number=wrong.version, due_at=wrong.due_at, replaces=wrong.id, now=now,
        )  # fmt: skip
    _note(session, "dose.corrected", medication, because=because, struck=right is None)


def undo(
    session: Session, actor: Actor, medication: Medication, dose: MedicationDose, *, now: datetime
) -> None:
    """It was recorded by mistake: only who recorded it can say that, for an hour. Raises ConflictError otherwise."""
    if dose.struck_at is not None:
        return
    if dose.account_id != actor.account_id or dose.entered_at <= now - UNDO:
        raise ConflictError("Only who recorded a dose can undo that, within an hour. Correct it instead.")
    _strike(session, actor, dose, because=UNDONE, now=now)
    _note(session, "dose.undone", medication)


def _plan_at(session: Session, medication: Medication, at: datetime) -> tuple[int, Plan]:
    """The version by which it may be given as needed at a moment, and its plan."""
    versions = medications.view(session, medication.patient_id, medication.id).versions
    holds = version_at(versions, at)
    if holds is None or holds.plan.kind != AS_NEEDED:
        raise ConflictError("This medication was not to be given as needed then. Look at the list again.")
    ends = [end for end in (end_of(versions, holds), medication.stopped_at) if end is not None]
    present = medications.presence(session, [medication.patient_id], since=at)[medication.patient_id]
    if (ends and min(ends) <= at) or not any(span.holds(at) for span in present):
        raise ConflictError(
            "This medication was not to be given then: it was over, or the patient in no bed."
        )
    return holds.number, holds.plan


def _standing(medication_id: UUID, due_at: datetime) -> Any:
    return select(MedicationDose).where(
        MedicationDose.medication_id == medication_id,
        MedicationDose.due_at == due_at,
        MedicationDose.struck_at.is_(None),
    )


def _same_or_first(session: Session, actor: Actor, standing: MedicationDose, entry: Entry) -> bool:
    if (standing.account_id, standing.outcome) == (actor.account_id, entry.outcome):
        return False
    name = session.get_one(Account, standing.account_id).name
    at = standing.at.astimezone(clock.site_zone())
    raise ConflictError(f"{name} recorded this dose as {standing.outcome} at {at:%H:%M}.")


def _insert(
    session: Session,
    actor: Actor,
    medication: Medication,
    entry: Entry,
    *,
    number: int,
    due_at: datetime | None = None,
    dose_id: UUID | None = None,
    replaces: UUID | None = None,
    now: datetime,
) -> None:
    values = {
        "id": dose_id or clock.new_id(), "medication_id": medication.id, "patient_id": medication.patient_id,
        "version": number, "due_at": due_at, "outcome": entry.outcome, "at": entry.at, "reason": entry.reason,
        "note": entry.note, "account_id": actor.account_id, "entered_at": now, "replaces": replaces,
    }  # fmt: skip
    session.execute(insert(MedicationDose).values(**values))


def _strike(session: Session, actor: Actor, dose: MedicationDose, *, because: str, now: datetime) -> None:
    dose.struck_at, dose.struck_by, dose.struck_because = now, actor.account_id, because
    session.flush()


def _note(session: Session, action: str, medication: Medication, **detail: Any) -> None:
    audit.record(
        session, action, subject=("medication", medication.id), patient_ids=[medication.patient_id], detail=detail
    )  # fmt: skip
    events.record(session, MedicationsChanged(patient_id=medication.patient_id))
