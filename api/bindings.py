"""On whom a device is: `PUT /api/devices/<id>/assignment/` with two identifiers, `DELETE` to take it off.

`POST` and `DELETE .../binding/` are the same by an older name.
"""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from flask import Response

from api import acting, bodies, bp, places
from api.places import Place, Text
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.admissions import attaching, identity, importing, queries
from silverwatch.domain.admissions.identity import Said
from silverwatch.domain.devices.models import Binding
from silverwatch.domain.devices.wearing import worn_by
from silverwatch.domain.errors import ConflictError
from silverwatch.web import gates

SCOPE: Final = "devices.write"
MISMATCH: Final = "urn:silverwatch:identity-mismatch"
NOT_ATTACHED: Final = "urn:silverwatch:not-attached"


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """In which bed the wearer lies, and what their wristband says: the number, and the day of birth or family name.

    `since`: when it was put on, null for now.
    """

    bed: Place
    hospital_number: Text
    born_on: Annotated[str, msgspec.Meta(max_length=10)] | None = None
    family_name: Text | None = None
    since: datetime | None = None


class BindingOut(msgspec.Struct):
    """The device is on the patient since then."""

    id: UUID
    device_id: UUID
    patient_id: UUID
    since: datetime | None


@bp.put("/api/devices/<uuid:device_id>/assignment/")
@bp.post("/api/devices/<uuid:device_id>/binding/")
@gates.machine_key
def put_on(device_id: UUID) -> Response:
    """201; 200 where it is on this patient already; 422 where the wristband is another one; 409 as the page."""
    actor, _ = acting.actor(SCOPE, Permission.PUT_ON_DEVICES)
    sent, now = bodies.read(Wanted), clock.now()
    said = _said(sent, now=now)
    with db.transaction() as session:
        serial = attaching.device_for(session, actor, device_id).serial
        patient_id = queries.patient_at(session, actor, sent.bed.ward, sent.bed.bed)
    if patient_id is None:
        raise Problem(422, places.UNFIT, errors=[("/bed", "no bed of your wards in which somebody lies")])
    # By itself: a mismatch is audited and counted, whatever comes of the rest.
    with db.transaction() as session:
        wrong = identity.compare(session, actor, patient_id=patient_id, said=said, device=serial, now=now)
    if wrong:
        names = {"number": "hospital_number"}
        errors = [(f"/{names.get(name, name)}", words) for name, words in wrong.items()]
        raise Problem(422, errors[0][1], errors=errors, kind=MISMATCH)
    return _attach(actor, device_id, patient_id, sent.since, now=now)


def _said(sent: Wanted, *, now: datetime) -> Said:
    born_on = importing.day_of(sent.born_on) if sent.born_on else None
    said = Said(number=sent.hospital_number, born_on=born_on, family_name=sent.family_name or "")
    errors = {f"/{name}": words for name, words in identity.missing(said).items()}
    if sent.born_on and born_on is None:
        errors["/born_on"] = "a day as 1948-03-14"
    if sent.since is not None and (sent.since.tzinfo is None or sent.since > now):
        errors["/since"] = "a time with its offset that is over, or null"
    if errors:
        errors = {"/hospital_number" if name == "/number" else name: words for name, words in errors.items()}
        raise Problem(422, places.UNFIT, errors=list(errors.items()))
    return said


def _attach(
    actor: Actor, device_id: UUID, patient_id: UUID, since: datetime | None, *, now: datetime
) -> Response:
    try:
        with db.transaction() as session:
            worn = next((w for w in worn_by(session, [patient_id], at=now) if w.device_id == device_id), None)
            if worn is not None:
                found = BindingOut(
                    id=worn.binding_id, device_id=device_id, patient_id=patient_id, since=worn.since
                )
                return bodies.answer(found)
            made = attaching.attach(
                session, actor, device_id=device_id, patient_id=patient_id, since=since, now=now
            )
            return bodies.answer(_out(made), 201)
    except ConflictError as error:
        raise Problem(409, str(error), kind=NOT_ATTACHED) from None


@bp.delete("/api/devices/<uuid:device_id>/assignment/")
@bp.delete("/api/devices/<uuid:device_id>/binding/")
@gates.machine_key
def take_off(device_id: UUID) -> Response:
    """204: nobody wears it from now on, also where nobody did."""
    actor, _ = acting.actor(SCOPE, Permission.PUT_ON_DEVICES)
    try:
        with db.transaction() as session:
            attaching.take_off(session, actor, device_id=device_id, now=clock.now())
    except ConflictError as error:
        if str(error) != attaching.NOBODY:
            raise Problem(409, str(error), kind=NOT_ATTACHED) from None
    return Response(status=204)


def _out(made: Binding) -> BindingOut:
    return BindingOut(
        id=made.id, device_id=made.device_id, patient_id=made.patient_id, since=made.during.lower
    )
