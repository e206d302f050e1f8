"""One device: how it does, how it is set, what happened to it. `/devices/<id>`."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.technician import device_form
from silverwatch.blueprints.technician.device_form import DeviceForm
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import attaching, kept
from silverwatch.domain.alerts import device_history, fleet, limits_of_devices
from silverwatch.domain.devices import registry
from silverwatch.domain.devices.kinds import KINDS, SENSITIVITIES
from silverwatch.domain.devices.wearing import wearings_of
from silverwatch.domain.errors import ConflictError, DomainError
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import device_chart, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/devices/<uuid:device_id>"
SHOWN: Final = timedelta(days=7)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/devices/new", view_func=new_device)
    blueprint.add_url_rule("/devices/new", view_func=add_device, methods=["POST"])
    blueprint.add_url_rule(URL, view_func=device)
    blueprint.add_url_rule(f"{URL}/change", view_func=device_change)
    blueprint.add_url_rule(f"{URL}/change", view_func=change_device, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/retirement", view_func=retire_device, methods=["POST"])


@gates.need(Permission.SEE_DEVICES)
def device(device_id: UUID) -> Response:
    """How does it do, and what happened to it?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        row = fleet.one(session, actor, device_id, now=now)
        bars = fleet.last_day(session, [row], now=now)[row.id]
        happened = device_history.history(session, device_id, now=now)
        samples = device_history.samples(session, device_id, since=now - SHOWN)
        limits = limits_of_devices.limits_version_shown(session, row.ward_id)
        worn = wearings_of(session, device_id)
        waiting = kept.waiting(session, device_id)
        names = {str(ward.id): ward.name for ward in wards_of(session, actor)}
    may_change = registry.may_keep(actor, ward_id=row.ward_id, kind=row.kind) and row.retired_at is None
    return pages.answer(
        "technician/device.html",
        f"Device {row.serial}",
        device=row,
        bars=bars,
        happened=happened,
        chart=device_chart.draw(samples, since=now - SHOWN, now=now),
        ward_names=names,
        limits_version=limits,
        may_change=may_change,
        wearings=worn,
        waiting=waiting,
        may_bind=actor.may(Permission.PUT_ON_DEVICES) and not row.is_gateway,
        done=request.args.get("done", ""),
        now=now,
    )


@gates.need(Permission.KEEP_DEVICES)
def new_device() -> Response:
    """The form for one more device."""
    return _form(DeviceForm(kind="wearable", interval_s="4"))


@gates.need(Permission.KEEP_DEVICES)
def add_device() -> Response:
    """Add it."""
    form = device_form.read(request.form)
    setting = device_form.setting(form)
    if setting is None:
        return _form(form)
    try:
        with db.transaction() as session:
            added = registry.add(session, login.actor(), serial=form.serial, setting=setting)
            device_id = added.id
    except DomainError as refusal:
        form.errors["serial" if isinstance(refusal, ConflictError) else "form"] = str(refusal)
        return _form(form)
    return see(f"/devices/{device_id}")


@gates.need(Permission.KEEP_DEVICES)
def device_change(device_id: UUID) -> Response:
    """Set it otherwise, or retire it."""
    with db.transaction(read_only=True) as session:
        found = registry.device_of(session, login.actor(), device_id, to_change=True)
        form = device_form.of(found)
    return _form(form)


@gates.need(Permission.KEEP_DEVICES)
def change_device(device_id: UUID) -> Response:
    """Keep how it is set from now on."""
    with db.transaction(read_only=True) as session:
        found = registry.device_of(session, login.actor(), device_id, to_change=True)
        serial = found.serial
    form = device_form.read(request.form, device_id=device_id, serial=serial)
    setting = device_form.setting(form)
    if setting is None:
        return _form(form)
    try:
        with db.transaction() as session:
            actor = login.actor()
            found = registry.device_of(session, actor, device_id, to_change=True)
            registry.change(session, actor, found, setting)
    except ConflictError as refusal:
        form.errors["kind"] = str(refusal)
        return _form(form)
    except DomainError as refusal:
        form.errors["form"] = str(refusal)
        return _form(form)
    return see(f"/devices/{device_id}?done=changed")


@gates.need(Permission.KEEP_DEVICES, step_up=True)
def retire_device(device_id: UUID) -> Response:
    """Take it out of use; the form asks for a tick, because nothing brings its keys back."""
    with db.transaction() as session:
        actor = login.actor()
        found = registry.device_of(session, actor, device_id, to_change=True)
        form = device_form.of(found)
        if request.form.get("sure") == "yes":
            try:
                attaching.retire(session, actor, found, now=clock.now())
            except ConflictError as refusal:
                form.errors["form"] = str(refusal)
        else:
            form.errors["sure"] = "Tick that the device is to be retired."
    return _form(form) if form.errors else see(f"/devices/{device_id}")


def _form(form: DeviceForm) -> Response:
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    title = "Change a device" if form.device_id else "Add a device"
    return pages.answer(
        "technician/device_form.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        form=form,
        wards=wards,
        kinds=KINDS,
        sensitivities=SENSITIVITIES,
    )
