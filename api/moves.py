"""Admission, transfer and discharge: `POST /api/patients/<id>/admission/`, `/transfer/`, `/discharge/`.

The services are those of the pages. What is so already is no error: an answer that was lost can be asked for again.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from flask import Response
from sqlalchemy.orm import Session

from api import acting, bodies, bp, places
from api.places import Place, Text
from api.problems import Problem
from silverwatch import clock, db
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.admissions import leaving, moving, queries
from silverwatch.domain.devices.wearing import Worn, worn_by
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import stays
from silverwatch.web import gates

NOT_ADMITTED: Final = "urn:silverwatch:not-admitted"
NOT_TRANSFERRED: Final = "urn:silverwatch:not-transferred"
NOT_DISCHARGED: Final = "urn:silverwatch:not-discharged"
UNANSWERED: Final = "urn:silverwatch:devices-unanswered"
SCOPE: Final = "patients.write"


class Admission(msgspec.Struct, forbid_unknown_fields=True):
    """Where to. The hospital number says again who is meant: an id alone does not."""

    hospital_number: Text
    to: Place


class Transfer(msgspec.Struct, forbid_unknown_fields=True, rename={"seen_in": "from"}):
    """From where, where to, and of each device that the patient wears, by serial, whether it goes along."""

    seen_in: Place
    to: Place
    devices: dict[str, Literal["along", "left"]] = {}


class Discharge(msgspec.Struct, forbid_unknown_fields=True, rename={"seen_in": "from"}):
    """From where, why, and each device that the patient wears, by serial: all of them come off."""

    seen_in: Place
    because: str
    devices: dict[str, Literal["off"]] = {}


class Lies(msgspec.Struct):
    """Where the patient lies now; null for nowhere. `act_id`: a page can take it back for some minutes."""

    patient_id: UUID
    ward_id: UUID | None
    bed: str | None
    since: datetime | None
    act_id: UUID | None = None


@bp.post("/api/patients/<uuid:patient_id>/admission/")
@gates.machine_key
def admit_patient(patient_id: UUID) -> Response:
    """201; 200 for who lies there already; 409 for a bed that is taken, or a patient who lies elsewhere."""
    actor, _ = acting.actor(SCOPE, Permission.MOVE_PATIENTS)
    sent, now = bodies.read(Admission), clock.now()
    with _refusing(NOT_ADMITTED), db.transaction() as session:
        to = places.target(session, sent.to, ward_ids=actor.ward_ids)
        here = stays.lying(session, [patient_id]).get(patient_id)
        if here is not None and here.ward_id in actor.ward_ids and places.is_there(session, here, to):
            return bodies.answer(_lies(session, patient_id))
        found = queries.candidates(session, actor, sent.hospital_number, now=now)
        # Only who was found can be chosen: an id alone says nothing of who is meant.
        if patient_id not in {
            item.patient.id for item in found if item.hospital_number == sent.hospital_number
        }:
            if here is not None and here.ward_id in actor.ward_ids:
                raise ConflictError(stays.TAKEN["ex_stay_patient"])
            raise NotFoundError("There is no such patient who lies nowhere.")
        act_id = moving.admit(session, actor, patient_id=patient_id, to=to, now=now).act_id
        return bodies.answer(_lies(session, patient_id, act_id), 201)


@bp.post("/api/patients/<uuid:patient_id>/transfer/")
@gates.machine_key
def transfer_patient(patient_id: UUID) -> Response:
    """200; also for who lies there already. Any ward will do; from one of the caller's."""
    actor, _ = acting.actor(SCOPE, Permission.MOVE_PATIENTS)
    sent, now = bodies.read(Transfer), clock.now()
    with _refusing(NOT_TRANSFERRED), db.transaction() as session:
        to = places.target(session, sent.to)
        here = stays.lying(session, [patient_id]).get(patient_id)
        if (
            here is not None
            and places.is_there(session, here, to)
            and _came(session, actor, patient_id, now=now)
        ):
            return bodies.answer(_lies(session, patient_id))
        seen = _seen(session, actor, patient_id, sent.seen_in)
        worn = worn_by(session, [patient_id], at=now)
        _ask(worn, sent.devices, "along or left")
        chosen = {item.device_id: sent.devices[item.serial] for item in worn}
        act_id = moving.transfer(
            session, actor, patient_id=patient_id, seen=seen, to=to, now=now,
            along=[device for device, what in chosen.items() if what == "along"],
            left=[device for device, what in chosen.items() if what == "left"],
        ).act_id  # fmt: skip
        return bodies.answer(_lies(session, patient_id, act_id))


@bp.post("/api/patients/<uuid:patient_id>/discharge/")
@gates.machine_key
def discharge_patient(patient_id: UUID) -> Response:
    """200; also for who was discharged from the caller's wards within the last day."""
    actor, _ = acting.actor(SCOPE, Permission.MOVE_PATIENTS)
    sent, now = bodies.read(Discharge), clock.now()
    if sent.because not in leaving.REASONS:
        words = f"one of {', '.join(leaving.REASONS)}"
        raise Problem(422, "The body does not fit.", errors=[("/because", words)])
    with _refusing(NOT_DISCHARGED), db.transaction() as session:
        if patient_id not in stays.lying(session, [patient_id]) and queries.left_lately(
            session, actor, patient_id, now=now
        ):
            return bodies.answer(_lies(session, patient_id))
        seen = _seen(session, actor, patient_id, sent.seen_in)
        worn = worn_by(session, [patient_id], at=now)
        _ask(worn, sent.devices, "off")
        act_id = leaving.discharge(
            session, actor, patient_id=patient_id, seen=seen, because=sent.because,
            devices_seen=[item.device_id for item in worn], now=now,
        ).move.act_id  # fmt: skip
        return bodies.answer(_lies(session, patient_id, act_id))


@contextmanager
def _refusing(kind: str) -> Iterator[None]:
    """What contradicts what is stored, as a problem of this type."""
    try:
        yield
    except ConflictError as error:
        raise Problem(409, str(error), kind=kind) from None


def _seen(session: Session, actor: Actor, patient_id: UUID, said: Place) -> UUID:
    """The bed where the caller saw a patient of theirs; raises NotFoundError, ConflictError for another bed."""
    here = moving.present(session, actor, patient_id, seen=None)
    if not places.is_said(session, here, said):
        raise ConflictError(moving.CHANGED)
    return here.bed_id


def _came(session: Session, actor: Actor, patient_id: UUID, *, now: datetime) -> bool:
    """May the caller know that the patient lies there? In their wards, or where they were sent from there lately."""
    here = stays.lying(session, [patient_id])[patient_id]
    return here.ward_id in actor.ward_ids or queries.left_lately(session, actor, patient_id, now=now)


def _ask(worn: Iterable[Worn], said: Mapping[str, str], answers: str) -> None:
    """Raises Problem 409 where a device that the patient wears was not answered for, or one that they do not."""
    serials = {item.serial for item in worn}
    errors = [(f"/devices/{serial}", f"say {answers}") for serial in sorted(serials - said.keys())]
    errors += [
        (f"/devices/{serial}", "the patient does not wear it") for serial in sorted(said.keys() - serials)
    ]
    if errors:
        raise Problem(409, "Say of each device what becomes of it.", errors=errors, kind=UNANSWERED)


def _lies(session: Session, patient_id: UUID, act_id: UUID | None = None) -> Lies:
    here = stays.lying(session, [patient_id]).get(patient_id)
    if here is None:
        return Lies(patient_id=patient_id, ward_id=None, bed=None, since=None, act_id=act_id)
    return Lies(patient_id=patient_id, ward_id=here.ward_id, bed=here.label, since=here.since, act_id=act_id)
