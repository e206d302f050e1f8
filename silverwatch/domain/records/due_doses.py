"""Which doses are due and what was recorded of them, for many patients at once in a fixed number of statements.

A dose that was not recorded is a line in a list that says since when: it is never an alarm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.records import medications
from silverwatch.domain.records.doses import EARLY, GIVEN
from silverwatch.domain.records.medication_schedule import due
from silverwatch.domain.records.medications import MedicationView
from silverwatch.domain.settings import doses as settings
from silverwatch.domain.settings.doses import USUAL, DoseTimes

LOOK_BACK: Final = timedelta(hours=24)
"""So far back lists of what is to be done look for doses that were not recorded."""
MOST: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDose:
    """A dose that is due and of which nothing was recorded. `dose` is text with its unit; `times` are the site's."""

    medication_id: UUID
    patient_id: UUID
    name: str
    dose: str
    route: str
    note: str
    due_at: datetime
    times: DoseTimes = USUAL

    def state(self, now: datetime) -> str:
        """`later`, `due`, `late`, or `unrecorded`."""
        waited = now - self.due_at
        if waited >= self.times.unrecorded:
            return "unrecorded"
        if waited >= self.times.late:
            return "late"
        return "due" if waited >= -EARLY else "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseView:
    """A recorded dose as it is shown. `by` and `struck_by` are names; `due_at` is None for one as needed."""

    id: UUID
    medication_id: UUID
    patient_id: UUID
    name: str
    dose: str
    due_at: datetime | None
    outcome: str
    at: datetime
    reason: str
    note: str
    account_id: UUID
    by: str
    entered_at: datetime
    struck_at: datetime | None = None
    struck_by: str | None = None
    struck_because: str | None = None

    @property
    def is_given(self) -> bool:
        """Was it given, and does that stand?"""
        return self.outcome == GIVEN and self.struck_at is None

    @property
    def of_at(self) -> datetime:
        """The moment that it belongs to: when it was due, or for one as needed when it was given."""
        return self.due_at or self.at


_DOSES: Final = """
SELECT d.id, d.medication_id, d.patient_id, m.name, v.dose, d.due_at, d.outcome, d.at, d.reason, d.note, d.account_id,
       a.name AS by, d.entered_at, d.struck_at, s.name AS struck_by, d.struck_because
FROM medication_dose d JOIN medication m ON m.id = d.medication_id
JOIN medication_version v ON v.medication_id = d.medication_id AND v.version = d.version
JOIN account a ON a.id = d.account_id LEFT JOIN account s ON s.id = d.struck_by
WHERE d.patient_id = ANY(:patients) AND {condition} ORDER BY {order}, d.id LIMIT :most
"""


def recorded(
    session: Session, patient_ids: Iterable[UUID], *, since: datetime, medication_id: UUID | None = None
) -> list[DoseView]:
    """What was recorded of doses since then, the newest first, with what was struck out."""
    query = _DOSES.format(
        # A dose is recorded an hour before it is due at the earliest, so the index of `at` bounds the search.
        condition="d.at >= CAST(:since AS timestamptz) - CAST(:early AS interval)"
        " AND coalesce(d.due_at, d.at) >= :since"
        " AND (CAST(:one AS uuid) IS NULL OR d.medication_id = :one)",
        order="coalesce(d.due_at, d.at) DESC, d.entered_at DESC",
    )
    params = {
        "patients": list(patient_ids),
        "since": since,
        "early": EARLY,
        "one": medication_id,
        "most": MOST,
    }
    return _views(session.execute(text(query), params))


def entered_since(
    session: Session, patient_ids: Iterable[UUID], *, since: datetime, most: int
) -> list[DoseView]:
    """What was entered about doses since then and stands, the newest first: what can still be undone."""
    query = _DOSES.format(
        condition="d.entered_at >= :since AND d.struck_at IS NULL"
        " AND d.at >= CAST(:since AS timestamptz) - interval '8 days'",
        order="d.entered_at DESC",
    )
    return _views(session.execute(text(query), {"patients": list(patient_ids), "since": since, "most": most}))


def open_doses(
    session: Session, patient_ids: Sequence[UUID], *, until: datetime, now: datetime, zone: ZoneInfo
) -> dict[UUID, list[DueDose]]:
    """Patient id to the doses due in the last 24 h or until then of which nothing was recorded, in order of time."""
    if not patient_ids:
        return {}
    since = now - LOOK_BACK
    found: dict[UUID, list[DueDose]] = {}
    present = medications.presence(session, patient_ids, since=since)
    rows = session.execute(
        text(
            "SELECT medication_id, due_at FROM medication_dose WHERE patient_id = ANY(:ids) AND struck_at IS NULL"
            " AND at >= CAST(:since AS timestamptz) - interval '1 hour' AND due_at >= :since"
        ),
        {"ids": list(patient_ids), "since": since},
    )
    times = settings.times(session)
    settled = {(row.medication_id, row.due_at) for row in rows}
    for item in medications.medications_of(session, patient_ids, since=since):
        moments = due(
            item.versions, since=since, until=until, zone=zone, present=present[item.patient_id],
            stopped_at=item.stopped_at,
        )  # fmt: skip
        found.setdefault(item.patient_id, []).extend(
            _due_dose(item, moment.number, moment.at, times)
            for moment in moments
            if (item.id, moment.at) not in settled
        )
    return {patient_id: sorted(each, key=lambda dose: dose.due_at) for patient_id, each in found.items()}


def split(
    doses: Iterable[DueDose], now: datetime
) -> tuple[list[DueDose], list[tuple[datetime, tuple[DueDose, ...]]]]:
    """Those that count as not recorded, and the others by the moment at which they are due together."""
    old: list[DueDose] = []
    groups: dict[datetime, list[DueDose]] = {}
    for dose in doses:
        if dose.state(now) == "unrecorded":
            old.append(dose)
        else:
            groups.setdefault(dose.due_at, []).append(dose)
    return old, [(at, tuple(each)) for at, each in sorted(groups.items())]


def _due_dose(item: MedicationView, number: int, at: datetime, times: DoseTimes) -> DueDose:
    plan = next(version.plan for version in item.versions if version.number == number)
    return DueDose(
        medication_id=item.id,
        patient_id=item.patient_id,
        name=item.name,
        dose=plan.dose,
        route=plan.route,
        note=plan.note,
        due_at=at,
        times=times,
    )


def _views(rows: Any) -> list[DoseView]:
    return [DoseView(**row._mapping) for row in rows]
