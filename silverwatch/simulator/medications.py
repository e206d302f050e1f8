"""What the patients of the demo are given, so that lists, rounds and adherence have something to show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.records.dose_models import MedicationDose
from silverwatch.domain.records.medication_models import Medication, MedicationVersion
from silverwatch.domain.records.medication_schedule import AS_NEEDED, EVERY_DAY, Plan, Span, Version, due


def daily(dose: str, *times: str, route: str = "oral", note: str = "") -> Plan:
    """Every day at these times."""
    parsed = tuple(time.fromisoformat(at) for at in times)
    return Plan(kind="times", dose=dose, route=route, times=parsed, weekdays=EVERY_DAY, note=note)


def every(hours: int, dose: str, *, route: str, note: str = "") -> Plan:
    """Every so many hours; when first, `seed` says."""
    return Plan(kind="interval", dose=dose, route=route, every_h=hours, note=note)


def needed(dose: str, reason: str, *, apart_h: int, most: int, route: str = "oral") -> Plan:
    """As needed."""
    return Plan(
        kind="as_needed", dose=dose, route=route, reason=reason, least_min=60 * apart_h, most_24h=most
    )


PLANS: Final[Sequence[tuple[str, str, Plan]]] = (
    ("kamau-grace", "Amlodipine tablets", daily("5 mg", "08:00")),
    ("kamau-grace", "Metformin tablets", daily("500 mg", "08:00", "20:00", note="With food")),
    ("ochieng-peter", "Salbutamol", every(6, "2.5 mg", route="inhaled", note="By nebuliser, on air")),
    ("ochieng-peter", "Prednisolone tablets", daily("30 mg", "08:00")),
    ("njeri-ruth", "Amoxicillin", every(8, "1 g", route="iv")),
    ("njeri-ruth", "Paracetamol tablets", needed("1 g", "fever or pain", apart_h=6, most=4)),
    ("hughes-margaret", "Ceftriaxone", every(12, "1 g", route="iv", note="Over 30 min")),
    ("hughes-margaret", "Paracetamol", needed("1 g", "fever", apart_h=6, most=4, route="iv")),
    ("hughes-margaret", "Enoxaparin", daily("40 mg", "18:00", route="sc")),
    ("baker-thomas", "Ibuprofen tablets", daily("400 mg", "08:00", "14:00", "20:00", note="With food")),
    ("otieno-samuel", "Morphine", needed("2 mg", "pain", apart_h=1, most=8, route="iv")),
    ("otieno-samuel", "Cefazolin", every(8, "1 g", route="iv")),
)
FIRST_DUE: Final = {"Salbutamol": 20, "Amoxicillin": -90, "Ceftriaxone": -10, "Cefazolin": 45}
"""In how many minutes a dose is due that comes every so many hours: one is late when the demo begins."""

AFTER: Final = timedelta(minutes=6)
"""So long after they were due doses are recorded."""
WAITS: Final = timedelta(minutes=100)
"""What was due in this time before the demo begins was not recorded."""
GIVEN_AGO: Final = {"Morphine": (2, 5, 9, 14), "Paracetamol tablets": (7,)}
"""So many hours ago doses were given as needed."""
ODD: Final = {
    "Metformin tablets": ("refused", "Nausea, does not want to eat"),
    "Ibuprofen tablets": ("held", "Creatinine has risen, Dr J. Otieno asked"),
}
"""What became of the last dose of these."""


def seed(
    session: Session,
    patients: Mapping[str, UUID],
    nurse_id: UUID,
    *,
    since: datetime,
    now: datetime,
) -> None:
    """What they have been given `since` then. `patients` by their reference; the nurse entered it."""
    for ref, name, plan in PLANS:
        if ref not in patients:
            continue
        first_at = _first(plan, name, since=since, now=now)
        medication_id = clock.new_id()
        entered = {"at": since, "account_id": nurse_id}
        session.add(
            Medication(
                id=medication_id, patient_id=patients[ref], name=name, added_at=since, added_by=nurse_id
            )
        )
        session.flush()
        parts = {
            **asdict(plan), "times": list(plan.times), "weekdays": list(plan.weekdays), "first_at": first_at,
        }  # fmt: skip
        session.add(
            MedicationVersion(medication_id=medication_id, version=1, from_at=since, **entered, **parts)
        )
        session.flush()
        held = Version(number=1, from_at=since, plan=replace(plan, first_at=first_at), at=since)
        for at, outcome, reason in _past(name, held, since=since, now=now):
            session.add(
                MedicationDose(
                    id=clock.new_id(), medication_id=medication_id, patient_id=patients[ref], version=1,
                    due_at=None if plan.kind == AS_NEEDED else at, outcome=outcome, at=at + AFTER, reason=reason,
                    account_id=nurse_id, entered_at=at + AFTER,
                )
            )  # fmt: skip
    session.flush()


def _past(name: str, held: Version, *, since: datetime, now: datetime) -> list[tuple[datetime, str, str]]:
    """What became of the doses until now: one was refused, one held back, and what was due lately waits."""
    if held.plan.kind == AS_NEEDED:
        return [(now - timedelta(hours=hours), "given", "") for hours in GIVEN_AGO.get(name, ())]
    moments = [
        item.at
        for item in due(
            [held], since=since, until=now - WAITS, zone=clock.site_zone(), present=[Span(start=since)]
        )
    ]
    odd = ODD.get(name)
    return [
        (at, *odd) if odd and place == len(moments) - 1 else (at, "given", "")
        for place, at in enumerate(moments)
    ]


def _first(plan: Plan, name: str, *, since: datetime, now: datetime) -> datetime | None:
    """The first dose after `since` of what comes every so many hours, as `FIRST_DUE` fixes the beat."""
    if plan.every_h is None:
        return None
    beat = now.replace(second=0, microsecond=0) + timedelta(minutes=FIRST_DUE[name])
    step = timedelta(hours=plan.every_h)
    return beat - (beat - since) // step * step
