"""Put a device on a patient, and take it off, at the bed. `/patients/<id>/devices/new`"""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.transfer import movable
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import attaching
from silverwatch.domain.devices.wearing import free_devices, worn_by
from silverwatch.domain.records import notes
from silverwatch.web import auditing, binding_forms, fields, gates, login, pages
from silverwatch.web.binding_forms import BindingForm
from silverwatch.web.hypermedia import see

URL: Final = "/patients/<uuid:patient_id>/devices"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(f"{URL}/new", view_func=device_form)
    blueprint.add_url_rule(URL, view_func=put_on_device, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:device_id>/end", view_func=take_off_device, methods=["POST"])


@gates.need(Permission.MOVE_PATIENTS)
def device_form(patient_id: UUID) -> Response:
    """Which device, and is it this patient?"""
    return _page(patient_id, BindingForm(device=request.args.get("device", "")[:36]))


@gates.need(Permission.MOVE_PATIENTS)
def put_on_device(patient_id: UUID) -> Response:
    """Put it on, if the wristband is this patient's."""
    actor, now = login.actor(), clock.now()
    form, since = binding_forms.read(request.form, now=now)
    device_id = fields.identity(form.device)
    with db.transaction(read_only=True) as session:
        movable(session, patient_id)
        free = free_devices(session, actor.ward_ids, at=now)
    device = next((item for item in free if item.id == device_id), None)
    if device is None:
        form.errors["device"] = "Choose a device that is free."
    elif not form.errors:
        binding_forms.put_on(
            form, device_id=device.id, serial=device.serial, patient_id=patient_id, since=since
        )
    return _page(patient_id, form) if form.errors else see(f"/patients/{patient_id}/place?done=on")


@gates.need(Permission.MOVE_PATIENTS)
def take_off_device(patient_id: UUID, device_id: UUID) -> Response:
    """The patient wears it no longer. Twice is no error."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        movable(session, patient_id)
        worn = {item.device_id for item in worn_by(session, [patient_id], at=now)}
        attaching.device_of_patient(session, actor, device_id)
        if device_id in worn:
            attaching.take_off(session, actor, device_id=device_id, now=now)
    return see(f"/patients/{patient_id}/place?done=off")


def _page(patient_id: UUID, form: BindingForm) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = movable(session, patient_id)
        free = free_devices(session, actor.ward_ids, at=now)
        written = notes.count(session, patient_id)
    auditing.viewed("devices of a patient", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Put on a device"
    return pages.answer(
        "caregiver/device_new.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        frame=frame(actor, place, notes_written=written),
        free=free,
        form=form,
        now=now,
    )
