"""On whom a device is: put it on who lies in a bed, take it off, correct when it was worn. Never a name."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import attaching, queries
from silverwatch.domain.devices.wearing import wearings_of
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import auditing, binding_forms, fields, filters, gates, login, pages
from silverwatch.web.binding_forms import BindingForm
from silverwatch.web.hypermedia import see

URL: Final = "/devices/<uuid:device_id>/binding"
CORRECTION: Final = "/bindings/<uuid:binding_id>"
VIEW: Final = "devices of a patient"


@dataclass(slots=True, kw_only=True)
class CorrectionForm:
    """From when to when it was worn, as local minutes; `never`: not by this patient at all."""

    start: str = ""
    end: str = ""
    never: bool = False
    because: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=binding_form)
    add(URL, view_func=put_on, methods=["POST"])
    add(f"{URL}/end", view_func=take_off, methods=["POST"])
    add(CORRECTION, view_func=correction_form)
    add(CORRECTION, view_func=correct_binding, methods=["POST"])


@gates.need(Permission.PUT_ON_DEVICES)
def binding_form(device_id: UUID) -> Response:
    """In which bed does its wearer lie?"""
    return _page(device_id, BindingForm(bed=request.args.get("bed", "")[:36]))


@gates.need(Permission.PUT_ON_DEVICES)
def put_on(device_id: UUID) -> Response:
    """Put it on whoever lies in the bed, if the wristband is theirs."""
    actor, now = login.actor(), clock.now()
    form, since = binding_forms.read(request.form, now=now)
    bed_id = fields.identity(form.bed)
    # Not read only: the bed is locked while it is asked who lies in it.
    with db.transaction() as session:
        serial = attaching.device_for(session, actor, device_id).serial
        patient_id = attaching.patient_in(session, actor, bed_id) if bed_id else None
    if patient_id is None:
        form.errors["bed"] = "Choose a bed in which somebody lies."
    elif not form.errors:
        binding_forms.put_on(form, device_id=device_id, serial=serial, patient_id=patient_id, since=since)
    return _page(device_id, form) if form.errors else _after("on", device_id, patient_id)


@gates.need(Permission.PUT_ON_DEVICES)
def take_off(device_id: UUID) -> Response:
    """Nobody wears it from now on. Twice is no error."""
    patient_id = None
    try:
        with db.transaction() as session:
            patient_id = attaching.take_off(
                session, login.actor(), device_id=device_id, now=clock.now()
            ).patient_id
    except ConflictError:
        return _after("nobody", device_id, patient_id)
    return _after("off", device_id, patient_id)


def _after(done: str, device_id: UUID, patient_id: UUID | None) -> Response:
    """Back to the device, or for who sees no devices to the patient."""
    if login.actor().may(Permission.SEE_DEVICES) or patient_id is None:
        return see(f"/devices/{device_id}?done={done}#on")
    return see(f"/patients/{patient_id}/place?done={done}")


@gates.need(Permission.PUT_ON_DEVICES)
def correction_form(binding_id: UUID) -> Response:
    """From when to when was it worn?"""
    with db.transaction(read_only=True) as session:
        binding, _ = attaching.binding_for(session, login.actor(), binding_id)
        form = CorrectionForm(
            start=filters.local_minute(binding.during.lower) if binding.during.lower else "",
            end=filters.local_minute(binding.during.upper) if binding.during.upper else "",
        )
    return _correction(binding_id, form)


@gates.need(Permission.PUT_ON_DEVICES)
def correct_binding(binding_id: UUID) -> Response:
    """What it measured goes to whose it was, or waits."""
    sent, actor, now = request.form, login.actor(), clock.now()
    form = CorrectionForm(
        start=binding_forms.line(sent, "start"), end=binding_forms.line(sent, "end"),
        never=sent.get("never") == "yes",
        because=binding_forms.line(sent, "because", most=attaching.REASON.stop),
    )  # fmt: skip
    if len(form.because) not in attaching.REASON:
        form.errors["because"] = (
            f"Say why, in {attaching.REASON.start} to {attaching.REASON.stop - 1} characters."
        )
    device_id = patient_id = None
    try:
        with db.transaction() as session:
            binding, device = attaching.binding_for(session, actor, binding_id)
            device_id, patient_id = device.id, binding.patient_id
            start = _edge(form.start, binding.during.lower)
            end = _edge(form.end, binding.during.upper)
            _check(form, start=start, end=end)
            if not form.errors:
                attaching.correct(
                    session, actor, binding_id, start=start or now, end=end, because=form.because,
                    never=form.never, now=now,
                )  # fmt: skip
    except ConflictError as error:
        form.errors["form"] = str(error)
    if form.errors or device_id is None:
        return _correction(binding_id, form)
    return _after("corrected", device_id, patient_id)


def _edge(written: str, stands: datetime | None) -> datetime | None:
    """What is not changed stays exact: a form knows minutes only."""
    if stands is not None and written == filters.local_minute(stands):
        return stands
    return binding_forms.moment_of(written)


def _check(form: CorrectionForm, *, start: datetime | None, end: datetime | None) -> None:
    if form.never:
        return
    if start is None:
        form.errors["start"] = "Enter the day and time since when it was worn."
    if form.end and end is None:
        form.errors["end"] = "Enter the day and time until when it was worn, or nothing while it is worn."
    elif start is not None and end is not None and end <= start:
        form.errors["end"] = "The end must be after the beginning."


def _page(device_id: UUID, form: BindingForm) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        device = attaching.device_for(session, actor, device_id)
        found = {"serial": device.serial, "kind": device.kind, "id": device.id}
        wards = wards_of(session, actor)
        beds = queries.beds_of(session, [ward.id for ward in wards], now=now)
        past = wearings_of(session, device_id)
    title = f"Put on {found['serial']}"
    return pages.answer(
        "technician/binding.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        device=found,
        worn=next((item for item in past if item.until is None), None),
        wards=[(ward, [bed for bed in beds[ward.id] if bed.patient]) for ward in wards],
        form=form,
        now=now,
    )


def _correction(binding_id: UUID, form: CorrectionForm) -> Response:
    actor = login.actor()
    with db.transaction(read_only=True) as session:
        binding, device = attaching.binding_for(session, actor, binding_id)
        serial, device_id, patient_id = device.serial, device.id, binding.patient_id
        wearing = next(
            (item for item in wearings_of(session, device_id) if item.binding_id == binding_id), None
        )
        is_worn = binding.during.upper is None
    auditing.viewed(VIEW, patient_ids=[patient_id])
    title = f"Correct when {serial} was worn"
    back = f"/devices/{device_id}" if actor.may(Permission.SEE_DEVICES) else f"/patients/{patient_id}/place"
    return pages.answer(
        "technician/binding_correction.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        binding_id=binding_id,
        serial=serial,
        wearing=wearing,
        is_worn=is_worn,
        back=back,
        form=form,
    )
