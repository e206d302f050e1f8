"""The beds of a ward: who lies where, what is free, and what was done just now. `/ward/<slug>/beds`"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import queries, undo
from silverwatch.domain.admissions.queries import BedRow
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards.queries import ward_by_slug, wards_of
from silverwatch.web import auditing, fields, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/ward/<slug>/beds"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=ward_beds)
    blueprint.add_url_rule("/moves/<uuid:act_id>/undo", view_func=undo_move, methods=["POST"])


@gates.need(Permission.MOVE_PATIENTS)
def ward_beds(slug: str) -> Response:
    """Which bed is free, and who lies in the others?"""
    return page(slug)


@gates.need(Permission.MOVE_PATIENTS)
def undo_move(act_id: UUID) -> Response:
    """As if it had not been; refused where something else came in between."""
    actor, slug = login.actor(), ""
    try:
        with db.transaction() as session:
            slug = undo.ward_for(session, actor, act_id).slug
            undo.undo(session, actor, act_id, now=clock.now())
    except ConflictError as error:
        return page(slug, {"form": str(error)})
    return see(f"/ward/{slug}/beds?undone=1")


def page(slug: str, errors: dict[str, str] | None = None) -> Response:
    """The beds, with what was done a moment ago."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        ward = ward_by_slug(session, actor, slug)
        wards = wards_of(session, actor)
        beds = queries.beds_of(session, [ward.id], now=now)[ward.id]
        recent = queries.recent_moves(session, [ward.id], now=now)
    shown = {bed.patient.id for bed in beds if bed.patient}
    shown |= {patient.id for move in recent for patient in move.patients}
    auditing.viewed("beds of a ward", patient_ids=shown, ward_id=ward.id)
    title = f"Beds of {ward.name}"
    return pages.answer(
        "caregiver/ward_beds.html",
        f"Error: {title}" if errors else title,
        status=422 if errors else 200,
        ward=ward,
        wards=wards,
        beds=beds,
        rooms=_by_room(beds),
        recent=recent,
        done=fields.identity(request.args.get("done")),
        undone=request.args.get("undone") == "1",
        errors=errors or {},
        now=now,
    )


def _by_room(beds: Iterable[BedRow]) -> list[tuple[str, list[BedRow]]]:
    """Rooms in the order of their first bed on the board, then the beds of none; each with its beds."""
    found: dict[str, list[BedRow]] = {}
    for bed in beds:
        found.setdefault(bed.room, []).append(bed)
    return sorted(found.items(), key=lambda item: item[0] == "")
