"""Correct a set of observations, or strike it out: `/patients/<id>/observations/<source>/<time>/correction`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import observation_form as forms
from silverwatch.blueprints.caregiver.observation_list import moment_of
from silverwatch.blueprints.caregiver.observation_looks import advice
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import correcting, reach
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings import corrections
from silverwatch.domain.readings.accept import RefusedError, Span, Values, take
from silverwatch.domain.readings.corrections import STRUCK, Key
from silverwatch.domain.readings.unit_choices import units_of
from silverwatch.domain.readings.units import Units, from_code, shown, to_stored
from silverwatch.domain.readings.vitals import ACVPU, BY_NAME, CONSCIOUSNESS
from silverwatch.domain.records import notes
from silverwatch.web import auditing, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/observations/<uuid:source_id>/<int:micros>/correction"
FIELDS: Final = (*forms.FIRST, *forms.THEN)
KINDS: Final = ("changed", *STRUCK)
REASON: Final = range(3, 301)
"""So many characters a reason has."""


@dataclass(slots=True, kw_only=True)
class CorrectionForm:
    """A correction as it was sent; `written` in `units`. `seen`: how many corrections the writer saw."""

    units: Units
    seen: int
    kind: str = ""
    because: str = ""
    written: dict[str, str] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=correction_form)
    blueprint.add_url_rule(URL, view_func=correct, methods=["POST"])


@gates.need(Permission.RECORD_OBSERVATIONS)
def correction_form(patient_id: UUID, source_id: UUID, micros: int) -> Response:
    """What does the set say, and what is right?"""
    actor, key = login.actor(), _key(patient_id, micros, source_id)
    with db.transaction(read_only=True) as session:
        reach.patient_for(session, actor, patient_id, now=clock.now())
        row = corrections.reading_of(session, key)
        units = units_of(session, actor.account_id)
    written = {
        name: value if isinstance(value, str) else shown(name, value, units)
        for name, value in corrections.values_of(row).items()
    }
    kind = "changed" if row.source_kind == "manual" else "artefact"
    return _page(key, CorrectionForm(units=units, seen=row.corrections, kind=kind, written=written))


@gates.need(Permission.RECORD_OBSERVATIONS)
def correct(patient_id: UUID, source_id: UUID, micros: int) -> Response:
    """Keep what is right, and what was there before."""
    actor, now, key = login.actor(), clock.now(), _key(patient_id, micros, source_id)
    with db.transaction() as session:
        reach.patient_for(session, actor, patient_id, now=now)
        row = corrections.reading_of(session, key)
        form = _read(request.form, row)
        if not form.errors:
            try:
                _correct(session, key, form, now=now)
            except ConflictError as error:
                form.errors["form"] = str(error)
    if form.errors:
        return _page(key, form, status=422)
    source = "manual" if row.source_kind == "manual" else "device"
    return make_response(redirect(f"/patients/{patient_id}/observations?source={source}", 303))


def _correct(session: Session, key: Key, form: CorrectionForm, *, now: datetime) -> None:
    correcting.correct(
        session, login.actor(), key,
        kind=form.kind, because=form.because, values=form.values, seen=form.seen, now=now,
    )  # fmt: skip
    detail = {
        "set": f"{key[2]} {key[1].isoformat()}", "kind": form.kind, "because": form.because,
        "vitals": sorted(form.values),
    }  # fmt: skip
    audit.record(session, "observations.corrected", patient_ids=[key[0]], detail=detail)


def _key(patient_id: UUID, micros: int, source_id: UUID) -> Key:
    return patient_id, moment_of(micros), source_id


def _read(sent: MultiDict[str, str], row: Row[Any]) -> CorrectionForm:
    """What was sent. A device's set can only be struck out: nobody knows what it should have said."""
    because = " ".join(sent.get("because", "").replace("\0", "").split())
    seen = sent.get("seen", "")
    form = CorrectionForm(
        units=from_code(sent.get("units", "")),
        seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 6 else -1,
        kind=sent.get("kind", ""),
        because=because[: REASON.stop],
        written={name: sent.get(name, "").replace("\0", "") for name in (*FIELDS, CONSCIOUSNESS)},
    )
    allowed = KINDS if row.source_kind == "manual" else STRUCK
    if form.kind not in allowed:
        form.errors["kind"] = "Choose what is wrong with this set."
    if len(because) not in REASON:
        form.errors["because"] = f"Say why, in {REASON.start} to {REASON.stop - 1} characters."
    if form.kind == "changed" and "kind" not in form.errors:
        _read_values(form, corrections.values_of(row))
    return form


def _read_values(form: CorrectionForm, before: Values) -> None:
    item: dict[str, Any] = {"measured_at": clock.now().isoformat()}
    for name in FIELDS:
        typed = form.written[name].strip()
        kept = before.get(name)
        if not typed:
            continue
        if isinstance(kept, float) and typed == shown(name, kept, form.units):
            # Not touched: what is stored may have more decimals than the form shows.
            item[name] = kept
        elif forms.NUMBER.fullmatch(typed) is None:
            form.errors[name] = f"Enter a number for {BY_NAME[name].label}."
        else:
            item[name] = to_stored(name, float(typed.replace(",", ".")), form.units)
    level = form.written[CONSCIOUSNESS]
    if level and level not in ACVPU:
        form.errors[CONSCIOUSNESS] = "Choose one of the five levels."
    elif level:
        item[CONSCIOUSNESS] = level
    # What the form does not ask for stays as it is.
    item |= {name: value for name, value in before.items() if name not in (*FIELDS, CONSCIOUSNESS)}
    if not form.errors:
        _check(form, item)


def _check(form: CorrectionForm, item: dict[str, Any]) -> None:
    now = clock.now()
    try:
        taken = take(item, Span(now - timedelta(days=1), now + timedelta(days=1)))
    except RefusedError:
        form.errors["form"] = "Enter at least one value, or strike the set out."
        return
    for name, value in item.items():
        # A person who writes 0 means 0.
        if value == 0 and name in BY_NAME and not BY_NAME[name].above_zero:
            taken.values[name] = 0.0
        elif value == 0 and name in BY_NAME:
            form.errors[name] = f"{BY_NAME[name].label}: enter a number above 0."
    for refusal in taken.refusals:
        form.errors[refusal.field or "form"] = advice(refusal, form.units)
    form.values = dict(taken.values)


def _page(key: Key, form: CorrectionForm, *, status: int = 200) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, key[0], now=now)
        row = corrections.reading_of(session, key)
        history = corrections.corrections_of(session, key)
        written = notes.count(session, key[0])
    auditing.viewed("observations", patient_ids=[key[0]], ward_id=place.ward_id)
    title = "Correct observations"
    return pages.answer(
        "caregiver/correction.html",
        f"Error: {title}" if form.errors else title,
        status=status,
        form=form,
        frame=frame(actor, place, notes_written=written),
        measured_at=key[1],
        by_hand=row.source_kind == "manual",
        stands=corrections.values_of(row),
        history=history,
        first=[BY_NAME[name] for name in forms.FIRST],
        then=[BY_NAME[name] for name in forms.THEN],
        levels=ACVPU,
        now=now,
    )
