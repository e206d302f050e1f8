"""Medications of a patient: added, changed by a new version, stopped with a reason. The caller commits.

What is right for the patient is decided by people. Here is kept what they decided, and when it is due.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain import audit, events
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.facts import MedicationsChanged
from silverwatch.domain.records.medication_models import Medication, MedicationVersion
from silverwatch.domain.records.medication_schedule import Plan, Span, Version, end_of, version_at

MOST_NAME: Final = 100
MOST_DOSE: Final = 60
MOST_TEXT: Final = 200
MOST: Final = 20_000
"""So many versions are read at once at most."""
SHORTEST_WORD: Final = 4
"""A shorter word of an allergy is not looked for: it is an article, or stands in half of all names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationView:
    """A medication with all its versions, the first one first. `added_by` and `stopped_by` are names."""

    id: UUID
    patient_id: UUID
    name: str
    despite: str
    added_at: datetime
    added_by: str
    versions: tuple[Version, ...]
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    stopped_because: str | None = None

    @property
    def latest(self) -> Version:
        """The version that was entered last, which may begin later."""
        return self.versions[-1]

    def standing(self, now: datetime) -> Version:
        """The version that holds now; before the first one has begun, that one."""
        return version_at(self.versions, now) or self.versions[0]

    def coming(self, now: datetime) -> Version | None:
        """The newest version, where it has not begun and is not the only one."""
        latest = self.latest
        return latest if latest.from_at > now and latest.number > 1 else None

    def ended_at(self, now: datetime) -> datetime | None:
        """Since when it is not given any more: stopped, or at the end that was planned. None while it is."""
        ends_at = end_of(self.versions, self.latest)
        over = [at for at in (self.stopped_at, ends_at) if at is not None and at <= now]
        return min(over, default=None)


_MEDICATIONS: Final = """
SELECT m.id, m.patient_id, m.name, m.despite, m.added_at, m.stopped_at, m.stopped_because,
       a.name AS added_name, s.name AS stopped_name, b.name AS by_name,
       v.version, v.from_at, v.at, v.dose, v.route, v.kind, v.times, v.weekdays, v.every_h, v.first_at, v.reason,
       v.least_min, v.most_24h, v.note, v.ends_at
FROM medication m JOIN medication_version v ON v.medication_id = m.id
JOIN account a ON a.id = m.added_by JOIN account b ON b.id = v.account_id
LEFT JOIN account s ON s.id = m.stopped_by
WHERE m.patient_id = ANY(:patients) AND (CAST(:one AS uuid) IS NULL OR m.id = :one)
  AND (m.stopped_at IS NULL OR m.stopped_at > CAST(:since AS timestamptz) OR CAST(:since AS timestamptz) IS NULL)
ORDER BY lower(m.name), m.added_at, m.id, v.version LIMIT :most
"""


def medications_of(
    session: Session, patient_ids: Iterable[UUID], *, since: datetime | None = None
) -> list[MedicationView]:
    """Medications of these patients by name, in one statement; with `since` without those that were stopped before."""
    return _read(session, patient_ids, one=None, since=since)


def view(session: Session, patient_id: UUID, medication_id: UUID) -> MedicationView:
    """One medication of this patient; raises NotFoundError for another one's as for none."""
    found = _read(session, [patient_id], one=medication_id, since=None)
    if not found:
        raise NotFoundError("There is no such medication.")
    return found[0]


def presence(
    session: Session, patient_ids: Iterable[UUID], *, since: datetime
) -> dict[UUID, tuple[Span, ...]]:
    """When each of these patients lay in a bed since then: only there are doses due."""
    found: dict[UUID, tuple[Span, ...]] = dict.fromkeys(patient_ids, ())
    rows = session.execute(
        text(
            "SELECT patient_id, lower(during) AS start, upper(during) AS until FROM stay WHERE patient_id = ANY(:ids)"
            " AND during && tstzrange(:since, NULL) ORDER BY lower(during)"
        ),
        {"ids": list(found), "since": since},
    )
    for row in rows:
        found[row.patient_id] += (Span(start=row.start, end=row.until),)
    return found


def add(
    session: Session,
    actor: Actor,
    *,
    medication_id: UUID,
    patient_id: UUID,
    name: str,
    plan: Plan,
    from_at: datetime,
    despite: str = "",
    now: datetime,
) -> bool:
    """Add a medication. `medication_id` is the form's own, so that a resend is the same one; False for a resend."""
    values = {"id": medication_id, "patient_id": patient_id, "name": name, "despite": despite}
    query = insert(Medication).values(**values, added_at=now, added_by=actor.account_id)
    if session.scalar(query.on_conflict_do_nothing().returning(Medication.id)) is None:
        return False
    _keep(session, actor, medication_id, number=1, plan=plan, from_at=from_at, now=now)
    _note(
        session, "medication.added", patient_id, medication_id, kind=plan.kind, despite_allergy=bool(despite)
    )
    return True


def change(
    session: Session,
    actor: Actor,
    medication: Medication,
    *,
    seen: int,
    plan: Plan,
    from_at: datetime,
    now: datetime,
) -> bool:
    """Another plan holds from `from_at` on, or from now if that is over; False when it says the same already.

    The medication is locked. `seen` is the version that was on the form: raises ConflictError when there is a newer
    one, and for what is stopped.
    """
    if medication.stopped_at is not None:
        raise ConflictError("This medication is stopped. Add it again if it is to be given.")
    latest = view(session, medication.patient_id, medication.id).latest
    if latest.plan == plan:
        return False
    if latest.number != seen:
        raise ConflictError("This medication was changed meanwhile. Look at it again before you change it.")
    _keep(
        session, actor, medication.id,
        number=latest.number + 1, plan=plan, from_at=max(from_at, now), now=now,
    )  # fmt: skip
    _note(session, "medication.changed", medication.patient_id, medication.id, kind=plan.kind)
    return True


def stop(session: Session, actor: Actor, medication: Medication, *, because: str, now: datetime) -> bool:
    """It is not given any more, and why. The medication is locked; False when it was stopped already."""
    if medication.stopped_at is not None:
        return False
    medication.stopped_at, medication.stopped_by, medication.stopped_because = now, actor.account_id, because
    session.flush()
    _note(session, "medication.stopped", medication.patient_id, medication.id, because=because)
    return True


def locked(session: Session, patient_id: UUID, medication_id: UUID) -> Medication:
    """A medication of this patient, which nobody else changes meanwhile; raises NotFoundError."""
    query = select(Medication).where(Medication.id == medication_id, Medication.patient_id == patient_id)
    found = session.scalar(query.with_for_update())
    if found is None:
        raise NotFoundError("There is no such medication.")
    return found


def present_names(session: Session, patient_id: UUID, *, now: datetime) -> list[str]:
    """The names of what the patient is given now."""
    found = medications_of(session, [patient_id], since=now)
    return [item.name for item in found if item.ended_at(now) is None]


def allergies_named(name: str, allergies: Iterable[str]) -> list[str]:
    """Allergies of which a word stands in the name. Letters are compared: it knows no substances."""
    written = name.casefold()
    return [
        allergy
        for allergy in allergies
        if any(
            len(word) >= SHORTEST_WORD and word in written
            for word in "".join(sign if sign.isalnum() else " " for sign in allergy.casefold()).split()
        )
    ]


def _keep(
    session: Session,
    actor: Actor,
    medication_id: UUID,
    *,
    number: int,
    plan: Plan,
    from_at: datetime,
    now: datetime,
) -> None:
    parts = {**asdict(plan), "times": list(plan.times), "weekdays": list(plan.weekdays)}
    session.add(
        MedicationVersion(
            medication_id=medication_id, version=number, from_at=from_at, at=now, account_id=actor.account_id, **parts
        )
    )  # fmt: skip
    session.flush()


def _read(
    session: Session, patient_ids: Iterable[UUID], *, one: UUID | None, since: datetime | None
) -> list[MedicationView]:
    params = {"patients": list(patient_ids), "one": one, "since": since, "most": MOST}
    found: dict[UUID, list[Any]] = {}
    for row in session.execute(text(_MEDICATIONS), params):
        found.setdefault(row.id, []).append(row)
    return [_view(rows) for rows in found.values()]


def _view(rows: Sequence[Any]) -> MedicationView:
    row = rows[0]
    return MedicationView(
        id=row.id,
        patient_id=row.patient_id,
        name=row.name,
        despite=row.despite,
        added_at=row.added_at,
        added_by=row.added_name,
        versions=tuple(_version(item) for item in rows),
        stopped_at=row.stopped_at,
        stopped_by=row.stopped_name,
        stopped_because=row.stopped_because,
    )


def _version(row: Any) -> Version:
    parts = {name: getattr(row, name) for name in Plan.__dataclass_fields__}
    plan = Plan(**{**parts, "times": tuple(row.times), "weekdays": tuple(row.weekdays)})
    return Version(number=row.version, from_at=row.from_at, plan=plan, at=row.at, by=row.by_name)


def _note(session: Session, action: str, patient_id: UUID, medication_id: UUID, **detail: Any) -> None:
    audit.record(
        session, action, subject=("medication", medication_id), patient_ids=[patient_id], detail=detail
    )
    events.record(session, MedicationsChanged(patient_id=patient_id))
