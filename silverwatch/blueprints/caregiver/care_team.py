"""Who looks after a patient wherever the patient lies."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.record import keepable
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import reach
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import care_team, notes
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/care-team"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(URL, view_func=team)
    add(URL, view_func=join_team, methods=["POST"])
    add(f"{URL}/<uuid:account_id>/removal", view_func=leave_team, methods=["POST"])


@gates.need(Permission.SEE_PATIENT)
def team(patient_id: UUID) -> Response:
    """Who looks after this patient?"""
    return _page(patient_id, {})


@gates.need(Permission.KEEP_RECORD)
def join_team(patient_id: UUID) -> Response:
    """Somebody of these wards looks after the patient from now on."""
    errors = {}
    wanted = fields.identity(request.form.get("account"))
    with db.transaction() as session:
        place = keepable(session, patient_id)
        known = {member.account_id for member in care_team.members_of(session, patient_id)}
        free = care_team.candidates(session, patient_id, ward_ids=_wards(place))
        if wanted in {member.account_id for member in free} and wanted is not None:
            care_team.join(session, login.actor(), patient_id=patient_id, account_id=wanted, now=clock.now())
        elif wanted not in known:
            errors["account"] = "Choose somebody from the list."
    if errors:
        return _page(patient_id, errors, status=422)
    return make_response(redirect(f"/patients/{patient_id}/care-team", 303))


@gates.need(Permission.KEEP_RECORD)
def leave_team(patient_id: UUID, account_id: UUID) -> Response:
    """They look after the patient no longer."""
    errors = {}
    actor = login.actor()
    with db.transaction() as session:
        place = keepable(session, patient_id)
        try:
            care_team.leave(
                session, actor, patient_id=patient_id, account_id=account_id, in_bed=place.bed_id is not None,
                now=clock.now(),
            )  # fmt: skip
        except ConflictError as error:
            errors["form"] = str(error)
    if errors:
        return _page(patient_id, errors, status=422)
    # Who leaves the team of a patient elsewhere may not see the page any more.
    gone = account_id == actor.account_id and place.ward_id not in actor.ward_ids
    return make_response(redirect("/patients" if gone else f"/patients/{patient_id}/care-team", 303))


def _wards(place: Place) -> set[UUID]:
    """Of which wards somebody may be added: the patient's, and those of whoever asks."""
    return {*login.actor().ward_ids, *([place.ward_id] if place.ward_id else [])}


def _page(patient_id: UUID, errors: dict[str, str], *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        members = care_team.members_of(session, patient_id)
        free = care_team.candidates(session, patient_id, ward_ids=_wards(place))
        changes = care_team.changes_of(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("care team", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/care_team.html",
        "Error: Care team" if errors else "Care team",
        status=status,
        frame=frame(actor, place, notes_written=written),
        members=members,
        free=free,
        changes=changes,
        errors=errors,
    )
