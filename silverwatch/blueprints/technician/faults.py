"""Faults of devices: taken, and resolved. `/faults`; the same alarms as the ward's, without whom they are about."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import faults, service
from silverwatch.domain.alerts.fleet_live import FaultView
from silverwatch.domain.errors import ConflictError
from silverwatch.web import gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/faults"
MAX_NOTE: Final = 200


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=fault_list)
    blueprint.add_url_rule(f"{URL}/<uuid:fault_id>/acknowledgement", view_func=take_fault, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:fault_id>/resolution", view_func=fault_form)
    blueprint.add_url_rule(f"{URL}/<uuid:fault_id>/resolution", view_func=resolve_fault, methods=["POST"])


@gates.need(Permission.TAKE_FAULTS)
def fault_list() -> Response:
    """Which devices need somebody now?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        found = FaultView(account_id=actor.account_id, faults=faults.faults(session, actor, now=now))
    return pages.answer(
        "technician/faults.html",
        "Faults",
        live_url=pages.live_address([f"faults-{actor.account_id}"]),
        faults=found,
        done=request.args.get("done"),
        now=now,
    )


@gates.need(Permission.TAKE_FAULTS)
def take_fault(fault_id: UUID) -> Response:
    """Take it. Whoever comes second sees on the list whose it is."""
    now = clock.now()
    with db.transaction() as session:
        actor = login.actor()
        alert, device = faults.fault_of(session, actor, fault_id)
        service.acknowledge(session, actor, alert, now=now)
        audit.record(
            session,
            "alert.acknowledged",
            ward_id=device.ward_id,
            subject=("alert", fault_id),
            patient_ids=[alert.patient_id] if alert.patient_id else [],
            detail={"serial": device.serial},
        )
    return see(f"{URL}?done=taken")


@gates.need(Permission.TAKE_FAULTS)
def fault_form(fault_id: UUID) -> Response:
    """Why is nothing left to do?"""
    return _form(fault_id)


@gates.need(Permission.TAKE_FAULTS)
def resolve_fault(fault_id: UUID) -> Response:
    """Nothing is left to do, for a reason. What is still true comes back."""
    reason = request.form.get("reason", "")
    note = " ".join(request.form.get("note", "").replace("\0", "").split())
    errors = {} if reason in faults.WHY else {"reason": "Choose a reason from the list."}
    if reason == "other" and not note:
        errors["note"] = "Write the reason."
    if len(note) > MAX_NOTE:
        errors["note"] = f"Enter at most {MAX_NOTE} characters."
    if errors:
        return _form(fault_id, errors)
    now = clock.now()
    try:
        with db.transaction() as session:
            actor = login.actor()
            alert, device = faults.fault_of(session, actor, fault_id)
            service.resolve(session, actor, alert, now=now, reason=note if reason == "other" else reason)
            audit.record(
                session,
                "alert.resolved",
                ward_id=device.ward_id,
                subject=("alert", fault_id),
                patient_ids=[alert.patient_id] if alert.patient_id else [],
                detail={"serial": device.serial, "reason": reason},
            )
    except ConflictError as refusal:
        return _form(fault_id, {"reason": str(refusal)})
    return see(f"{URL}?done=resolved")


def _form(fault_id: UUID, errors: dict[str, str] | None = None) -> Response:
    with db.transaction(read_only=True) as session:
        alert, device = faults.fault_of(session, login.actor(), fault_id, lock=False)
        shown = {
            "id": alert.id,
            "kind": alert.kind,
            "serial": device.serial,
            "goes_on": service.is_still_true(alert),
            "is_closed": alert.closed_at is not None,
            "back_after": service.REALARM.get(alert.priority, service.REALARM["medium"]),
        }
    title = "Resolve a fault"
    return pages.answer(
        "technician/fault.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        fault=shown,
        reasons=faults.WHY,
        errors=errors or {},
        written={
            "reason": request.form.get("reason", ""),
            "note": request.form.get("note", "")[: MAX_NOTE + 1],
        },
    )
