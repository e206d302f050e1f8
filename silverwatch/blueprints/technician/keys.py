"""Keys of a device: `/devices/<id>/keys`. A key is shown once, when it is made."""

from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.devices import device_keys
from silverwatch.domain.devices.pairing import device_of
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.web import fields, gates, login, pages


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    url = "/devices/<uuid:device_id>"
    blueprint.add_url_rule(f"{url}/keys", view_func=device_key_list)
    blueprint.add_url_rule(f"{url}/keys", view_func=rotate_device_key, methods=["POST"])
    blueprint.add_url_rule(f"{url}/keys/revocation", view_func=revoke_device_keys, methods=["POST"])
    blueprint.add_url_rule(f"{url}/reach", view_func=set_gateway_reach, methods=["POST"])


@gates.need(Permission.KEEP_DEVICES)
def device_key_list(device_id: UUID) -> Response:
    """Which keys of this device work?"""
    return _page(device_id)


@gates.need(Permission.KEEP_DEVICES, step_up=True)
def rotate_device_key(device_id: UUID) -> Response:
    """Make a new key and show it, this once."""
    written = request.form.get("overlap", "")
    overlap_h = int(written) if written in {str(hours) for hours in device_keys.OVERLAPS_H} else 0
    try:
        with db.transaction() as session:
            key = device_keys.rotate(
                session, by=login.actor(), device_id=device_id, overlap_h=overlap_h, now=clock.now()
            )
    except ConflictError as error:
        return _page(device_id, errors={"overlap": str(error)})
    # Not a redirect: the key would have to be kept somewhere on the way.
    return _page(device_id, key=key)


@gates.need(Permission.KEEP_DEVICES)
def revoke_device_keys(device_id: UUID) -> Response:
    """One key, or all, are good for nothing from now on."""
    written = request.form.get("key", "")
    key_id = fields.identity(written)
    if key_id is None and written != "all":
        return _page(device_id, errors={"form": "Choose the key to revoke."})
    with db.transaction() as session:
        device_keys.revoke(session, by=login.actor(), device_id=device_id, key_id=key_id, now=clock.now())
    return _see(device_id)


@gates.need(Permission.KEEP_DEVICES)
def set_gateway_reach(device_id: UUID) -> Response:
    """For which devices the gateway's key speaks."""
    chosen = [
        fields.identity(written) for written in request.form.getlist("device")[: device_keys.MOST_LISTED]
    ]
    if None in chosen:
        raise NotFoundError("There is no such device.")
    listed = request.form.get("reach") == "listed"
    try:
        with db.transaction() as session:
            device_keys.set_reach(
                session, by=login.actor(), gateway_id=device_id,
                device_ids=[device for device in chosen if device] if listed else None,
            )  # fmt: skip
    except ConflictError as error:
        return _page(device_id, errors={"form": str(error)})
    return _see(device_id)


def _see(device_id: UUID) -> Response:
    return make_response(redirect(f"/devices/{device_id}/keys", 303))


def _page(device_id: UUID, *, key: str | None = None, errors: dict[str, str] | None = None) -> Response:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        device = device_of(session, login.actor(), device_id)
        lines = device_keys.keys_of(session, device_id, now=now)
        spoken_for = device_keys.reachable(session, device) if device.is_gateway else None
        serial, reach = device.serial, device.reach
    title = "Keys of a device"
    return pages.answer(
        "technician/keys.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        device_id=device_id,
        serial=serial,
        reach=reach,
        keys=lines,
        spoken_for=spoken_for,
        key=key,
        overlaps=device_keys.OVERLAPS_H,
        errors=errors or {},
        now=now,
    )
