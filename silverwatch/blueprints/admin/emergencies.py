"""Emergency accesses that wait for a review."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import emergency
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = "/admin/emergencies"
MOST_OPEN: Final = 100
AT_ONCE: Final = 20


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=emergencies)
    blueprint.add_url_rule(f"{URL}/<uuid:access_id>/review", view_func=review_emergency, methods=["POST"])


@gates.need(Permission.READ_AUDIT)
def emergencies() -> Response:
    """Who opened a foreign record, and was it right?"""
    return _page()


@gates.need(Permission.READ_AUDIT)
def review_emergency(access_id: UUID) -> Response:
    """Somebody has looked at it."""
    note = fields.line(request.form, "note", most=emergency.MAX_NOTE)
    if len(note) > emergency.MAX_NOTE:
        error = f"Write a note of at most {emergency.MAX_NOTE} characters."
        return _page(errors={f"note-{access_id}": error}, note=note[: emergency.MAX_NOTE], status=422)
    with db.transaction() as session:
        emergency.review(session, actor=login.actor(), access_id=access_id, note=note, now=clock.now())
    return forms.see(URL)


def _page(*, errors: dict[str, str] | None = None, note: str = "", status: int = 200) -> Response:
    before, now = fields.identity(request.args.get("before")), clock.now()
    with db.transaction(read_only=True) as session:
        waiting = emergency.unreviewed(session, limit=MOST_OPEN) if before is None else []
        done = emergency.reviewed(session, limit=AT_ONCE + 1, before=before)
    shown = done[:AT_ONCE]
    auditing.viewed("emergencies", patient_ids=[item.patient_id for item in (*waiting, *shown)])
    return pages.answer(
        "admin/emergencies.html",
        "Error: Emergency accesses" if errors else "Emergency accesses",
        status=status,
        waiting=waiting,
        done=shown,
        older=f"{URL}?before={shown[-1].id}" if len(done) > AT_ONCE else None,
        is_first=before is None,
        errors=errors or {},
        note=note,
        now=now,
    )
