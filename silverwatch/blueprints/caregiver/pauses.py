"""Pauses: standby of a patient, a pause of one alarm, and of a ward's sound. Each for a reason and until a time."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.changed import shown
from silverwatch.domain import audit
from silverwatch.domain.access import Permission, may_acknowledge
from silverwatch.domain.alerts import pauses, queries, reach, whereabouts
from silverwatch.domain.alerts.pause_lines import open_pauses
from silverwatch.domain.alerts.pauses import Scope
from silverwatch.domain.errors import DomainError, NotFoundError
from silverwatch.domain.wards.models import Ward
from silverwatch.web import auditing, gates, login, pages

MINUTES: Final[dict[Scope, tuple[int, ...]]] = {
    "alarm": (10, 30, 60, 120, 240),
    "patient": (15, 30, 60, 120, 240, 480, 720),
    "sound": (2, 5),
}
"""How long, to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseForm:
    """The form as it was sent. `minutes` from now on."""

    scope: Scope
    reason: str = ""
    note: str = ""
    minutes: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[str, ...]:
        """To choose from."""
        return pauses.REASONS[self.scope]

    @property
    def choices(self) -> tuple[int, ...]:
        """Minutes to choose from."""
        return MINUTES[self.scope]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    for url, show, begin in (
        ("/patients/<uuid:patient_id>/pauses", standby_form, begin_standby),
        ("/alerts/<uuid:alert_id>/pause", alarm_form, begin_alarm_pause),
        ("/wards/<uuid:ward_id>/sound-pause", sound_form, begin_sound_pause),
    ):
        blueprint.add_url_rule(url, view_func=show)
        blueprint.add_url_rule(url, view_func=begin, methods=["POST"])
    blueprint.add_url_rule("/pauses/<uuid:pause_id>/end", view_func=end, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def standby_form(patient_id: UUID) -> Response:
    """Why is the patient away, and until when? And what is paused now."""
    return _standby(patient_id, _fresh("patient"))


@gates.need(Permission.TAKE_ALARMS)
def begin_standby(patient_id: UUID) -> Response:
    """Pause all of a patient but falls and calls for help."""
    form = _read("patient")
    wrong = _begin(form, patient_id=patient_id)
    return _standby(patient_id, form, status=422) if wrong else shown(patient_ids=[patient_id])


@gates.need(Permission.TAKE_ALARMS)
def alarm_form(alert_id: UUID) -> Response:
    """Why may this alarm be quiet, and until when?"""
    return _alarm(alert_id, _fresh("alarm"))


@gates.need(Permission.TAKE_ALARMS)
def begin_alarm_pause(alert_id: UUID) -> Response:
    """Pause one kind of alarm of a patient."""
    form = _read("alarm")
    with db.transaction(read_only=True) as session:
        alert = reach.alert_for(session, login.actor(), alert_id, now=clock.now(), lock=False)
    if alert.patient_id is None:
        raise NotFoundError("There is no such alarm.")
    wrong = _begin(form, patient_id=alert.patient_id, kind=alert.kind)
    return _alarm(alert_id, form, status=422) if wrong else shown(patient_ids=[alert.patient_id])


@gates.need(Permission.TAKE_ALARMS)
def sound_form(ward_id: UUID) -> Response:
    """Why may known alarms be quiet here for some minutes?"""
    return _sound(ward_id, _fresh("sound"))


@gates.need(Permission.TAKE_ALARMS)
def begin_sound_pause(ward_id: UUID) -> Response:
    """Pause the sound of the alarms that the ward knows now; a new one sounds."""
    form = _read("sound")
    wrong = _begin(form, ward_id=ward_id)
    return _sound(ward_id, form, status=422) if wrong else shown(ward_ids=[ward_id])


@gates.need(Permission.TAKE_ALARMS)
def end(pause_id: UUID) -> Response:
    """End a pause now: what is still true sounds."""
    actor, now = login.actor(), clock.now()
    with db.transaction() as session:
        pause = pauses.pause_for(session, actor, pause_id, now=now)
        pauses.end(session, pause, by=actor.account_id, now=now)
        patient_ids = [pause.patient_id] if pause.patient_id else []
        ward_ids = [pause.ward_id] if pause.ward_id else []
        audit.record(session, "pause.ended", subject=("pause", pause.id), patient_ids=patient_ids)
    return shown(patient_ids=patient_ids, ward_ids=ward_ids)


def _begin(
    form: PauseForm, *, patient_id: UUID | None = None, ward_id: UUID | None = None, kind: str | None = None
) -> bool:
    """Begin it, and say whether something is wrong with the form."""
    actor, now = login.actor(), clock.now()
    subject_id = patient_id or ward_id
    assert subject_id is not None  # noqa: S101 - one of the two is given
    try:
        with db.transaction() as session:
            if patient_id is not None:
                place = whereabouts.places_of(session, [patient_id], now=now).get(patient_id)
                ward_id = place[1] if place else None
            if ward_id is None or not may_acknowledge(actor, ward_id):
                raise NotFoundError("There is nothing here.")
            pause = pauses.begin(
                session,
                actor,
                scope=form.scope,
                subject_id=subject_id,
                kind=kind,
                reason=form.reason,
                note=form.note,
                ends_at=now + timedelta(minutes=form.minutes),
                now=now,
            )
            audit.record(
                session,
                "pause.begun",
                subject=("pause", pause.id),
                patient_ids=[patient_id] if patient_id else [],
                ward_id=ward_id,
                detail={"scope": form.scope, "reason": form.reason, "minutes": form.minutes},
            )
    except NotFoundError:
        raise
    except DomainError as error:
        form.errors[_field_of(form)] = str(error)
    return bool(form.errors)


def _field_of(form: PauseForm) -> str:
    if form.reason not in form.reasons:
        return "reason"
    if form.minutes not in form.choices:
        return "minutes"
    return "note" if form.reason == "other" and not form.note else "form"


def _fresh(scope: Scope) -> PauseForm:
    return PauseForm(scope=scope, minutes=int(pauses.USUAL[scope].total_seconds() // 60))


def _read(scope: Scope) -> PauseForm:
    minutes = request.form.get("minutes", "")
    return PauseForm(
        scope=scope,
        reason=request.form.get("reason", ""),
        note=request.form.get("note", "").strip()[: pauses.MAX_NOTE + 1],
        minutes=int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 5 else 0,
    )


def _standby(patient_id: UUID, form: PauseForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        if place.ward_id is None or not may_acknowledge(actor, place.ward_id):
            raise NotFoundError("There is no such patient.")
        standing = open_pauses(session, [patient_id]).get(patient_id, [])
    auditing.viewed("pauses", patient_ids=[patient_id], ward_id=place.ward_id)
    url, back = f"/patients/{patient_id}/pauses", f"/ward/{place.ward_slug}"
    return _page(
        "Standby", form, status=status, place=place, standing=standing, action=url, back=back, now=now
    )


def _alarm(alert_id: UUID, form: PauseForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        alert = reach.alert_for(session, actor, alert_id, now=now, lock=False)
        if alert.patient_id is None:
            raise NotFoundError("There is no such alarm.")
        place = reach.patient_for(session, actor, alert.patient_id, now=now)
        line = queries.line_of(session, alert_id, now=now)
    auditing.viewed("pauses", patient_ids=[alert.patient_id], ward_id=place.ward_id)
    return _page("Pause an alarm", form, status=status, place=place, line=line, action=f"/alerts/{alert_id}/pause",
                 back=f"/ward/{place.ward_slug}", now=now)  # fmt: skip


def _sound(ward_id: UUID, form: PauseForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        ward = session.get(Ward, ward_id) if may_acknowledge(actor, ward_id) else None
        if ward is None:
            raise NotFoundError("There is no such ward.")
        standing = open_pauses(session, [ward_id]).get(ward_id, [])
    return _page("Pause the sound", form, status=status, ward=ward.name, standing=standing,
                 action=f"/wards/{ward_id}/sound-pause", back=f"/ward/{ward.slug}", now=now)  # fmt: skip


def _page(title: str, form: PauseForm, *, status: int, **data: object) -> Response:
    given: dict[str, Any] = {"place": None, "line": None, "ward": None, "standing": [], **data}
    return pages.answer(
        "caregiver/pause.html", f"Error: {title}" if form.errors else title, status=status, form=form, **given
    )
