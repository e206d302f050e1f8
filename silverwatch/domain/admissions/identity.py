"""Is it this patient? Two identifiers off the wristband are compared before a device is put on. Compare is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain import audit, throttle
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts.directory import plain
from silverwatch.domain.records.models import Patient
from silverwatch.domain.records.queries import former_numbers
from silverwatch.domain.throttle import Limit

TRIES: Final = Limit(name="two identifiers", tries=20, per=timedelta(minutes=15))
"""So many wristbands may be wrong: whoever guesses at patients gets no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a wristband says: the hospital number, typed or scanned, and the day of birth or the family name."""

    number: str
    born_on: date | None = None
    family_name: str = ""


STOP: Final = "Do not put the device on: check who lies there."
MISMATCH: Final[Mapping[str, str]] = {
    "number": f"The hospital number is not that of the patient in this bed. {STOP}",
    "born_on": f"The date of birth is not that of the patient in this bed. {STOP}",
    "family_name": f"The family name is not that of the patient in this bed. {STOP}",
}


def wrong(patient: Patient, said: Said, *, former: Sequence[str] = ()) -> list[str]:
    """Which of the identifiers are not the patient's. A wristband may still say a `former` number of theirs."""
    found = []
    if _bare(said.number) not in {_bare(number) for number in (patient.hospital_number, *former)}:
        found.append("number")
    if said.born_on is not None and said.born_on != patient.born_on:
        found.append("born_on")
    if said.family_name and plain(said.family_name) != plain(patient.family_name):
        found.append("family_name")
    return found


def missing(said: Said) -> dict[str, str]:
    """What is to be entered before there are two identifiers."""
    found = {}
    if not _bare(said.number):
        found["number"] = "Scan the wristband, or type the hospital number that it says."
    if said.born_on is None and not said.family_name:
        found["born_on"] = "Enter the date of birth or the family name as the wristband says it."
    return found


def _bare(number: str) -> str:
    return "".join(sign for sign in number.casefold() if sign.isalnum())


def compare(
    session: Session, actor: Actor, *, patient_id: UUID, said: Said, device: str = "", now: datetime,
    action: str = "binding.mismatch",
) -> dict[str, str]:  # fmt: skip
    """Field to what is wrong; empty where it is this patient. Commit in any case: tries and mismatches are kept.

    That somebody had another wristband in hand is noted with the names of the fields, not with what was typed.
    """
    if throttle.take(session, TRIES, str(actor.account_id), now=now) is not None:
        return {
            "number": "Too many wristbands did not fit. Wait a few minutes, then go to the bed and scan again."
        }
    patient = session.get_one(Patient, patient_id)
    found = wrong(patient, said, former=former_numbers(session, patient_id))
    if not found:
        throttle.give_back(session, TRIES, str(actor.account_id))
        return {}
    audit.record(
        session, action, outcome="refused", subject=("patient", patient.id), patient_ids=[patient.id],
        detail={"differs": found, **({"device": device} if device else {})},
    )  # fmt: skip
    return {field: MISMATCH[field] for field in found}
