"""Pairing: a code for a device, the panel that waits for it, and what to paste on it."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import Blueprint, Response, current_app, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.config import Config
from silverwatch.domain.access import Permission
from silverwatch.domain.devices import pairing, pairing_codes
from silverwatch.domain.devices.kinds import KINDS, USUAL_INTERVAL_S
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings import pairing_panel
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import fields, gates, login, pages
from silverwatch.web.factor_views import qr_code


@dataclass(frozen=True, slots=True, kw_only=True)
class NewForm:
    """The form for a device that nobody has entered, as it was sent."""

    ward: str = ""
    kind: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/devices/pair", view_func=pair_new)
    blueprint.add_url_rule("/devices/pair", view_func=make_code_for_new, methods=["POST"])
    blueprint.add_url_rule("/devices/<uuid:device_id>/pairing", view_func=pair_device)
    blueprint.add_url_rule("/devices/<uuid:device_id>/pairing", view_func=make_code, methods=["POST"])
    blueprint.add_url_rule("/pairings/<uuid:pairing_id>", view_func=show_pairing)
    blueprint.add_url_rule("/pairings/<uuid:pairing_id>", view_func=renew_code, methods=["POST"])


@gates.need(Permission.KEEP_DEVICES)
def pair_new() -> Response:
    """Ask what comes out of the box."""
    return _new(NewForm())


@gates.need(Permission.KEEP_DEVICES)
def make_code_for_new() -> Response:
    """A code for a device that says its serial itself."""
    form = NewForm(ward=request.form.get("ward", "")[:36], kind=request.form.get("kind", "")[:40])
    ward_id = fields.identity(form.ward)
    if ward_id is None or ward_id not in login.actor().ward_ids:
        form.errors["ward"] = "Choose the ward that gets the device."
    if form.kind not in KINDS:
        form.errors["kind"] = "Choose what kind of device it is."
    if form.errors or ward_id is None:
        return _new(form)
    with db.transaction() as session:
        made = pairing.begin_for_new(
            session, by=login.actor(), ward_id=ward_id, kind=form.kind, interval_s=USUAL_INTERVAL_S[form.kind],
            key=_key(), now=clock.now(),
        )  # fmt: skip
        pairing_id = made.id
    return _see(pairing_id)


@gates.need(Permission.KEEP_DEVICES)
def pair_device(device_id: UUID) -> Response:
    """What a code for this device would change."""
    return _device(device_id)


@gates.need(Permission.KEEP_DEVICES)
def make_code(device_id: UUID) -> Response:
    """A code for this device."""
    try:
        with db.transaction() as session:
            made = pairing.begin(session, by=login.actor(), device_id=device_id, key=_key(), now=clock.now())
            pairing_id = made.id
    except ConflictError as error:
        return _device(device_id, errors={"form": str(error)})
    return _see(pairing_id)


@gates.need(Permission.KEEP_DEVICES)
def show_pairing(pairing_id: UUID) -> Response:
    """Is it connected?"""
    return _panel(pairing_id)


@gates.need(Permission.KEEP_DEVICES)
def renew_code(pairing_id: UUID) -> Response:
    """Another code in place of this one."""
    try:
        with db.transaction() as session:
            made = pairing.renew(
                session, by=login.actor(), pairing_id=pairing_id, key=_key(), now=clock.now()
            )
            new_id = made.id
    except ConflictError as error:
        return _panel(pairing_id, errors={"form": str(error)})
    return _see(new_id)


def _config() -> Config:
    found: Config = current_app.extensions["config"]
    return found


def _key() -> bytes:
    return pairing_codes.keys_of(_config())[0]


def _see(pairing_id: UUID) -> Response:
    return make_response(redirect(f"/pairings/{pairing_id}", 303))


def _new(form: NewForm) -> Response:
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    title = "Pair a device"
    return pages.answer(
        "technician/pair.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        form=form,
        wards=wards,
        kinds=KINDS,
        minutes=int(pairing.CODE_FOR.total_seconds() // 60),
    )


def _device(device_id: UUID, *, errors: dict[str, str] | None = None) -> Response:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        device = pairing.device_of(session, login.actor(), device_id)
        is_paired = pairing.is_paired(session, device_id, now=now)
        bed = pairing_panel.bed_of(session, device_id, now=now)
        serial = device.serial
    title = "Pair a device"
    return pages.answer(
        "technician/pair_device.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        device_id=device_id,
        serial=serial,
        is_paired=is_paired,
        bed=bed,
        errors=errors or {},
        minutes=int(pairing.CODE_FOR.total_seconds() // 60),
    )


def _panel(pairing_id: UUID, *, errors: dict[str, str] | None = None) -> Response:
    now, config = clock.now(), _config()
    with db.transaction(read_only=True) as session:
        made = pairing.pairing_of(session, login.actor(), pairing_id)
        panel = pairing_panel.panels(session, [pairing_id], now)[pairing_id]
        said = _said(made.code_hash, pairing_id) if panel.is_open else None
        is_new = made.device_id is None
    if said is None and panel.is_open:
        raise NotFoundError("There is no such code.")
    claim_url = f"{config.base_url}/api/devices/claim/"
    title = "Pair a device"
    return pages.answer(
        "technician/pairing.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        live_url=pages.live_address([f"pairing-{pairing_id}"]),
        pairing=panel,
        secret=said,
        is_new=is_new,
        qr=qr_code(f"{claim_url}#{said.token}") if said else None,
        base_url=config.base_url,
        errors=errors or {},
        now=now,
    )


def _said(code_hash: bytes, pairing_id: UUID) -> pairing_codes.Secrets | None:
    """The code as it was made, with whichever key of the site made it."""
    for key in pairing_codes.keys_of(_config()):
        found = pairing_codes.secrets_of(pairing_id, key=key)
        if pairing_codes.hash_of(found.code, key=key) == code_hash:
            return found
    return None
