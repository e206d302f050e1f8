"""When it alarms for a patient: own limits, what they would have done, and what was changed."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain import audit
from silverwatch.domain.access import Permission, may_set_limits
from silverwatch.domain.admissions import merge_views
from silverwatch.domain.alerts import (
    limit_replay,
    limit_versions,
    limit_views,
    reach,
    rule_changes,
    rule_queries,
)
from silverwatch.domain.alerts.limit_cells import Settings
from silverwatch.domain.alerts.limit_proposal import LimitsError, Proposal, Scope
from silverwatch.domain.alerts.reach import Place
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import notes
from silverwatch.web import auditing, gates, limit_forms, login, pages
from silverwatch.web.limit_forms import OF_PATIENT, LimitForm

URL: Final = "/patients/<uuid:patient_id>/limits"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=limits)
    blueprint.add_url_rule(URL, view_func=set_limits, methods=["POST"])


@gates.need(Permission.SEE_PATIENT)
def limits(patient_id: UUID) -> Response:
    """When will it alarm? `?from=3`: with what was set by the third change, to be set again."""
    return _page(patient_id, again=request.args.get("from", ""))


@gates.need(Permission.SET_PATIENT_LIMITS)
def set_limits(patient_id: UUID) -> Response:
    """Show what would change and what it would have done; once that is confirmed, set it."""
    sent, now = request.form, clock.now()
    with db.transaction(read_only=True) as session:
        _settable(session, patient_id)
        found = limit_versions.present(session, Scope.of_patient(patient_id), now=now)
    form, wanted = limit_forms.read(sent, found, OF_PATIENT)
    if sent.get("undo") or sent.get("edit"):
        return _page(patient_id, form=form, undo=sent.get("undo"))
    proposal = limit_versions.proposed(found, wanted)
    limit_forms.check(form, proposal, now=now)
    if not form.errors and sent.get("confirmed") == "yes":
        _save(patient_id, form, wanted)
        if not form.errors:
            return make_response(redirect(f"/patients/{patient_id}/limits?saved=1", 303))
    if form.errors:
        return _page(patient_id, form=form, status=422)
    return _page(patient_id, form=form, proposal=proposal)


def _save(patient_id: UUID, form: LimitForm, wanted: Settings) -> None:
    """Set them; what somebody else did meanwhile is an error of the form."""
    now = clock.now()
    try:
        with db.transaction() as session:
            _settable(session, patient_id)
            version = limit_versions.change(
                session, Scope.of_patient(patient_id), wanted, by=login.actor().account_id, reason=form.reason,
                until=form.until(now), seen=form.seen, now=now,
            )  # fmt: skip
            if version is not None:
                detail = {"layer": "patient", "number": version.number, "changes": version.changes}
                audit.record(session, "limits.changed", patient_ids=[patient_id], detail=detail)
    except (ConflictError, LimitsError) as error:
        form.errors["form"] = str(error)


def _settable(session: Session, patient_id: UUID) -> Place:
    """A patient whose limits this actor may set; raises NotFoundError for any other one."""
    actor = login.actor()
    place = reach.patient_for(session, actor, patient_id, now=clock.now())
    if not may_set_limits(actor, patient_id, ward_id=place.ward_id):
        raise NotFoundError("There is no such patient.")
    return place


def _page(
    patient_id: UUID,
    *,
    form: LimitForm | None = None,
    proposal: Proposal | None = None,
    undo: str | None = None,
    again: str = "",
    status: int = 200,
) -> Response:
    """The editor; with a `proposal` what would change, to be confirmed."""
    actor, now = login.actor(), clock.now()
    scope = Scope.of_patient(patient_id)
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        rows = limit_views.limit_rows_with_alarms(session, patient_id, now=now)
        present = limit_versions.present(session, scope, now=now)
        if form is None:
            form = limit_forms.first(rows, OF_PATIENT, number=present.number)
            number = limit_forms.whole(again)
            old = limit_versions.settings_at(session, scope, number) if number else None
            if old is not None:
                limit_forms.fill(form, limit_versions.with_wanted(present, old))
        elif undo:
            vital = None if undo == "all" else undo
            limit_forms.fill(form, limit_versions.with_wanted(present, {}), vital=vital)
            form.errors.clear()
        history = limit_views.changes_of(session, scope)
        dropped = merge_views.dropped_limits(session, patient_id)
        rules = rule_queries.of_patient(session, actor, place, now=now)
        layer = rule_changes.Layer(patient_id=patient_id)
        may_make_rules = rule_changes.may_change(session, actor, layer, now=now)
        written = notes.count(session, patient_id)
        replay = _replay(session, patient_id, proposal) if proposal else None
    auditing.viewed("limits", patient_ids=[patient_id], ward_id=place.ward_id)
    title = "Alarm limits"
    return pages.answer(
        "caregiver/limits.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        frame=frame(actor, place, notes_written=written),
        may_set=may_set_limits(actor, patient_id, ward_id=place.ward_id) and place.bed_id is not None,
        rows=rows,
        rules=rules,
        may_make_rules=may_make_rules,
        form=form,
        lines=proposal.lines() if proposal else (),
        loosened=bool(proposal and proposal.loosened()),
        until=form.until(now),
        replay=replay,
        history=history,
        dropped=dropped,
        lasts=limit_forms.LASTS_H,
        saved="saved" in request.args,
        undone=undo,
        now=now,
    )


def _replay(session: Session, patient_id: UUID, proposal: Proposal) -> limit_replay.Replay:
    now = clock.now()
    return limit_replay.replay(
        session,
        {patient_id: (proposal.before, proposal.after)},
        vitals=[line["vital"] for line in proposal.lines()],
        since=now - limit_replay.DAY,
        now=now,
    )
