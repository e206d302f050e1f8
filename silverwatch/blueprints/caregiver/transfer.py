"""Transfer a patient to another bed, or swap two: each device that they wear goes along, or stays behind."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import moving, queries
from silverwatch.domain.admissions.moving import Target
from silverwatch.domain.admissions.queries import BedRow
from silverwatch.domain.alerts.reach import Place, patient_for
from silverwatch.domain.devices.wearing import Worn, worn_by
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import notes
from silverwatch.domain.wards.queries import wards_of_beds
from silverwatch.web import auditing, fields, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/patients/<uuid:patient_id>"
HOME: Final = "home:"
ASK: Final = "Say of each device whether it goes along."


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveForm:
    """Where to (a bed, or "home:" and a ward), or with whom; and what becomes of each device, as it was sent."""

    to: str = ""
    other: str = ""
    devices: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def chosen(self, worn: Iterable[Worn], what: str) -> list[UUID]:
        """The devices that go along, or are left."""
        return [item.device_id for item in worn if self.devices.get(str(item.device_id)) == what]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    for name, form, view in (
        ("transfer", transfer_form, transfer_patient),
        ("swap", swap_form, swap_patients),
    ):
        blueprint.add_url_rule(f"{URL}/{name}", view_func=form)
        blueprint.add_url_rule(f"{URL}/{name}", view_func=view, methods=["POST"])


@gates.need(Permission.MOVE_PATIENTS)
def transfer_form(patient_id: UUID) -> Response:
    """Where to?"""
    return _transfer(patient_id, MoveForm())


@gates.need(Permission.MOVE_PATIENTS)
def transfer_patient(patient_id: UUID) -> Response:
    """The patient lies there from now on."""
    form, actor, now = _read(), login.actor(), clock.now()
    act_id, slug = None, ""
    try:
        with db.transaction() as session:
            place = movable(session, patient_id)
            slug = place.ward_slug or ""
            worn = worn_by(session, [patient_id], at=now)
            to = _target(session, form.to)
            if to is None:
                form.errors["to"] = "Choose a free bed, or at home."
            if not _asked(form, worn):
                form.errors["devices"] = ASK
            if to is not None and not form.errors:
                act_id = moving.transfer(
                    session, actor, patient_id=patient_id, seen=seen(place), to=to,
                    along=form.chosen(worn, "along"), left=form.chosen(worn, "left"), now=now,
                ).act_id  # fmt: skip
    except ConflictError as error:
        form.errors["to"] = str(error)
    return _transfer(patient_id, form) if form.errors else see(f"/ward/{slug}/beds?done={act_id}")


@gates.need(Permission.MOVE_PATIENTS)
def swap_form(patient_id: UUID) -> Response:
    """With whom?"""
    return _swap(patient_id, MoveForm(other=request.args.get("other", "")[:36]))


@gates.need(Permission.MOVE_PATIENTS)
def swap_patients(patient_id: UUID) -> Response:
    """Both lie in each other's beds from now on."""
    form, actor, now = _read(), login.actor(), clock.now()
    act_id, slug = None, ""
    try:
        with db.transaction() as session:
            place = movable(session, patient_id)
            slug = place.ward_slug or ""
            other = fields.identity(form.other)
            if other is None or other == patient_id:
                form.errors["other"] = "Choose with whom."
                raise ConflictError("")
            with_whom = movable(session, other)
            worn = worn_by(session, [patient_id, other], at=now)
            if not _asked(form, worn):
                form.errors["devices"] = ASK
            else:
                moves = moving.swap(
                    session, actor, patient_ids=(patient_id, other), seen=(seen(place), seen(with_whom)),
                    along=form.chosen(worn, "along"), left=form.chosen(worn, "left"), now=now,
                )  # fmt: skip
                act_id = moves[0].act_id
    except ConflictError as error:
        form.errors.setdefault("other", str(error))
    return _swap(patient_id, form) if form.errors else see(f"/ward/{slug}/beds?done={act_id}")


def movable(session: Session, patient_id: UUID) -> Place:
    """A patient who lies in a ward of the actor; raises NotFoundError for any other."""
    place = patient_for(session, login.actor(), patient_id, now=clock.now())
    if place.ward_id not in login.actor().ward_ids:
        raise NotFoundError("There is no such patient.")
    return place


def seen(place: Place) -> UUID:
    """The bed in which the form showed the patient, if it said one; else where they lie."""
    said = fields.identity(request.form.get(f"seen-{place.patient.id}"))
    found = said or place.bed_id
    assert found is not None  # noqa: S101 - who lies in a ward lies in a bed
    return found


def _read() -> MoveForm:
    sent = request.form
    devices = {
        name.removeprefix("device-"): value for name, value in sent.items() if name.startswith("device-")
    }
    return MoveForm(to=sent.get("to", "")[:50], other=sent.get("other", "")[:36], devices=devices)


def _asked(form: MoveForm, worn: Iterable[Worn]) -> bool:
    return all(form.devices.get(str(item.device_id)) in ("along", "left") for item in worn)


def _target(session: Session, said: str) -> Target | None:
    home = fields.identity(said.removeprefix(HOME)) if said.startswith(HOME) else None
    if home is not None and home in login.actor().ward_ids:
        return Target(ward_id=home)
    bed_id = fields.identity(said)
    ward_id = wards_of_beds(session, [bed_id]).get(bed_id) if bed_id else None
    return Target(ward_id=ward_id, bed_id=bed_id) if ward_id else None


def _transfer(patient_id: UUID, form: MoveForm) -> Response:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        place = movable(session, patient_id)
        worn = worn_by(session, [patient_id], at=now)
        own = login.actor().ward_ids
        free = sorted(
            queries.free_beds(session),
            key=lambda ward: (ward.ward_id != place.ward_id, ward.ward_id not in own),
        )
        written = notes.count(session, patient_id)
    auditing.viewed("beds of a ward", patient_ids=[patient_id], ward_id=place.ward_id)
    return _answer(
        "caregiver/transfer.html", "Transfer", place, form, written=written, free=free, own=own, worn=worn
    )


def _swap(patient_id: UUID, form: MoveForm) -> Response:
    actor, now = login.actor(), clock.now()
    other_id = fields.identity(form.other)
    with db.transaction(read_only=True) as session:
        place = movable(session, patient_id)
        beds = queries.beds_of(session, actor.ward_ids, now=now)
        rows = [
            bed for found in beds.values() for bed in found if bed.patient and bed.patient.id != patient_id
        ]
        other: BedRow | None = next((b for b in rows if b.patient and b.patient.id == other_id), None)
        asked = [patient_id, other_id] if other and other_id else [patient_id]
        worn = worn_by(session, asked, at=now)
        written = notes.count(session, patient_id)
    shown = [bed.patient.id for bed in rows if bed.patient]
    auditing.viewed("beds of a ward", patient_ids=[patient_id, *shown], ward_id=place.ward_id, part=True)
    return _answer(
        "caregiver/swap.html", "Swap beds", place, form, written=written, rows=rows, other=other, worn=worn
    )


def _answer(
    template: str, title: str, place: Place, form: MoveForm, *, written: int, **data: Any
) -> Response:
    return pages.answer(
        template,
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        frame=frame(login.actor(), place, notes_written=written),
        form=form,
        **data,
    )
