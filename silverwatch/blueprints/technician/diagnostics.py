"""How a device delivers, and how all of them do. `/devices/<id>/diagnostics`, `/ingest`"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import diagnostics, fleet
from silverwatch.domain.alerts.silence import LATE_INTERVALS, SHORTEST_S
from silverwatch.domain.devices import registry
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.readings import trial
from silverwatch.domain.readings.intake import Outcome
from silverwatch.web import auditing, gates, login, pages

VIEW: Final = "diagnostics"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/devices/<uuid:device_id>/diagnostics", view_func=device_diagnostics)
    blueprint.add_url_rule("/devices/<uuid:device_id>/trial", view_func=try_post, methods=["POST"])
    blueprint.add_url_rule("/ingest", view_func=ingest)


@gates.need(Permission.SEE_DEVICES)
def device_diagnostics(device_id: UUID) -> Response:
    """What came from it in the last 24 hours, and what of it was refused?"""
    return _page(device_id)


@gates.need(Permission.KEEP_DEVICES)
def try_post(device_id: UUID) -> Response:
    """What would become of a post of this device? Nothing of it is kept."""
    text, now = request.form.get("post", ""), clock.now()
    try:
        batch = trial.read(text)
        with db.transaction() as session:
            device = registry.device_of(session, login.actor(), device_id, to_change=True)
            if device.retired_at is not None:
                raise ConflictError("This device is retired: whatever it sends is refused.")
            speaker = trial.speaker_of(device)
            audit.record(session, "device.tried", ward_id=device.ward_id, subject=("device", device_id))
        with db.cursor() as cur:
            outcome = trial.attempt(cur, speaker, batch, now=now)
    except NotFoundError:
        raise
    except DomainError as refusal:
        return _page(device_id, text=text, errors={"post": str(refusal)})
    return _page(device_id, text=text, outcome=outcome)


def _page(
    device_id: UUID,
    *,
    text: str | None = None,
    outcome: Outcome | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        row = fleet.one(session, actor, device_id, now=now)
        longest = timedelta(seconds=LATE_INTERVALS * max(row.interval_s, SHORTEST_S))
        found = diagnostics.diagnose(session, device_id, longest=longest, now=now)
    if found.patient_ids:
        # What was refused is shown as it came, and that may be the values of somebody.
        auditing.viewed(VIEW, patient_ids=found.patient_ids, ward_id=row.ward_id)
    sample = (
        f'{{"measured_at": "{now.isoformat(timespec="seconds")}", "heart_rate": 72, "oxygen_saturation": 97}}'
    )
    return pages.answer(
        "technician/diagnostics.html",
        "Error: Diagnostics" if errors else "Diagnostics",
        status=422 if errors else 200,
        device=row,
        found=found,
        longest=longest,
        may_try=registry.may_keep(actor, ward_id=row.ward_id, kind=row.kind) and row.retired_at is None,
        text=sample if text is None else text[: trial.MOST_TEXT],
        outcome=outcome,
        errors=errors or {},
        now=now,
    )


@gates.need(Permission.SEE_DEVICES)
def ingest() -> Response:
    """Do readings come in, how late, and does judging keep up?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        found = diagnostics.flow(session, login.actor(), now=now)
    return pages.answer("technician/ingest.html", "Ingest", flow=found, now=now)
