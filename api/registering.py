"""`POST /api/patients/`: register a patient, after a look at who is there already, by the rules of the page."""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

import msgspec
from flask import Response

from api import acting, bodies, bp
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import importing
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import details, details_rules
from silverwatch.domain.records.details import Alike
from silverwatch.domain.records.details_rules import Details
from silverwatch.web import auditing, gates

TAKEN: Final = "urn:silverwatch:hospital-number-taken"
POSSIBLE: Final = "urn:silverwatch:possible-duplicate"

Text = Annotated[str, msgspec.Meta(max_length=400)]


class NewPatient(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to be registered. `born_on` is 1948-03-14; `confirm_new`: somebody has looked at those who are alike."""

    hospital_number: Text
    family_name: Text
    given_name: Text
    born_on: Text
    sex: Text
    title: Text = ""
    phone: Text = ""
    address: Text = ""
    confirm_new: bool = False


class RegisteredOut(msgspec.Struct):
    """Who is registered, as it was sent."""

    id: UUID
    hospital_number: str
    family_name: str
    given_name: str
    title: str
    born_on: date
    sex: str


@bp.post("/api/patients/")
@gates.machine_key
def register_patient() -> Response:
    """201; 200 for who is registered just so already; 409 with who may be the same person."""
    actor, is_program = acting.actor("patients.write", Permission.REGISTER_PATIENTS)
    sent, now = bodies.read(NewPatient), clock.now()
    wanted = _wanted(sent)
    alike: list[Alike] = []
    patient_id, is_new = None, False
    try:
        with db.transaction() as session:
            patient_id = details.registered_as(session, wanted)
            if patient_id is None:
                alike = [] if sent.confirm_new else details.possible_duplicates(session, wanted)
                is_new = not alike or any(item.hospital_number == wanted.hospital_number for item in alike)
            if is_new:
                # A program looks after nobody.
                patient_id = details.register(session, actor, wanted, now=now, joins=not is_program).id
    except ConflictError as error:
        raise Problem(409, str(error), errors=[("/hospital_number", str(error))], kind=TAKEN) from None
    if patient_id is None:
        raise _possible(alike)
    found = RegisteredOut(
        id=patient_id, hospital_number=wanted.hospital_number, family_name=wanted.family_name,
        given_name=wanted.given_name, title=wanted.title, born_on=wanted.born_on, sex=wanted.sex,
    )  # fmt: skip
    return bodies.answer(found, 201 if is_new else 200)


def _wanted(sent: NewPatient) -> Details:
    written = {name: " ".join(getattr(sent, name).replace("\0", "").split()) for name in details_rules.TEXTS}
    today = clock.now().astimezone(clock.site_zone()).date()
    found, errors = details_rules.check(written, born_on=importing.day_of(sent.born_on), today=today)
    if found is None:
        said = [(f"/{name}", words) for name, words in errors.items()]
        raise Problem(422, "The body does not fit.", errors=said)
    return found


def _possible(alike: list[Alike]) -> Problem:
    """They may lie in anybody's ward: that they were named here is on record, as on the page."""
    auditing.viewed("possible duplicates", patient_ids=[item.id for item in alike])
    shown = [
        {
            "hospital_number": item.hospital_number, "family_name": item.family_name, "given_name": item.given_name,
            "born_on": item.born_on.isoformat(),
        }
        for item in alike
    ]  # fmt: skip
    detail = "This may be somebody who is registered. If it is another person, send it again with confirm_new true."
    return Problem(409, detail, errors=[("/confirm_new", detail)], kind=POSSIBLE, more={"duplicates": shown})
