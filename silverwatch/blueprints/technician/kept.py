"""Readings that wait: nobody wore the device, or its clock was off near a change. `/quarantine`"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.admissions import attaching, kept
from silverwatch.domain.admissions.kept import Code
from silverwatch.domain.errors import ConflictError
from silverwatch.web import binding_forms, fields, filters, gates, login, pages
from silverwatch.web.binding_forms import BindingForm
from silverwatch.web.hypermedia import see

URL: Final = "/quarantine"
INSTANT: Final = timedelta(microseconds=1)
ACTS: Final = ("attribute", "refuse")


@dataclass(slots=True, kw_only=True)
class DecisionForm:
    """Which readings, exactly (`first`, `last`) and as local minutes; whose they are, or why nobody's."""

    code: Code
    first: datetime
    last: datetime
    start: str
    end: str
    act: str = ""
    because: str = ""
    who: BindingForm = field(default_factory=BindingForm)
    errors: dict[str, str] = field(default_factory=dict)

    def span(self) -> tuple[datetime, datetime] | None:
        """From when until before when; minutes that were not changed stand for the exact times."""
        start = (
            self.first
            if self.start == filters.local_minute(self.first)
            else binding_forms.moment_of(self.start)
        )
        end = self.last if self.end == filters.local_minute(self.last) else binding_forms.moment_of(self.end)
        return (start, end + INSTANT) if start is not None and end is not None and start <= end else None


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=quarantine)
    blueprint.add_url_rule(f"{URL}/<uuid:device_id>", view_func=quarantine_of)
    blueprint.add_url_rule(f"{URL}/<uuid:device_id>/decision", view_func=decision_form)
    blueprint.add_url_rule(f"{URL}/<uuid:device_id>/decision", view_func=decide, methods=["POST"])


@gates.need(Permission.DECIDE_KEPT)
def quarantine() -> Response:
    """What waits for a decision?"""
    return _list(None)


@gates.need(Permission.DECIDE_KEPT)
def quarantine_of(device_id: UUID) -> Response:
    """What of this device?"""
    return _list(device_id)


@gates.need(Permission.DECIDE_KEPT)
def decision_form(device_id: UUID) -> Response:
    """Whose were they?"""
    return _page(device_id, _read(request.args))


@gates.need(Permission.DECIDE_KEPT)
def decide(device_id: UUID) -> Response:
    """A patient's, or nobody's; a person says so with a reason."""
    form, actor, now = _read(request.form), login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        serial = attaching.device_for(session, actor, device_id).serial
    span = _check(form)
    patient_id = None
    if form.act == "attribute" and span is not None and not form.errors:
        with db.transaction() as session:
            patient_id, wrong = kept.find_patient(
                session, actor, form.who.said, device=serial, start=span[0], end=span[1], now=now
            )
            form.errors.update(wrong)
    try:
        if span is not None and not form.errors:
            with db.transaction() as session:
                if patient_id is not None:
                    kept.attribute(
                        session, actor, device_id, code=form.code, patient_id=patient_id, start=span[0], end=span[1],
                        because=form.because, now=now,
                    )  # fmt: skip
                else:
                    kept.refuse(
                        session, actor, device_id, code=form.code, start=span[0], end=span[1], because=form.because,
                        now=now,
                    )  # fmt: skip
    except ConflictError as error:
        form.errors["form"] = str(error)
    return _page(device_id, form) if form.errors else see(f"{URL}?done={form.act}")


def _check(form: DecisionForm) -> tuple[datetime, datetime] | None:
    span = form.span()
    if span is None:
        form.errors["start"] = "Enter a beginning, and an end that is after it."
    if form.act not in ACTS:
        form.errors["act"] = "Choose whose they are."
    if len(form.because) not in attaching.REASON:
        form.errors["because"] = (
            f"Say why, in {attaching.REASON.start} to {attaching.REASON.stop - 1} characters."
        )
    if form.act == "attribute":
        form.errors.update(form.who.errors)
    return span


def _read(sent: binding_forms.Sent) -> DecisionForm:
    now = clock.now()
    first, last = _instant(sent.get("first"), now), _instant(sent.get("last"), now)
    who, _ = binding_forms.read(sent, now=now)
    return DecisionForm(
        code="ambiguous" if sent.get("code") == "ambiguous" else "unbound",
        first=first,
        last=max(first, last),
        start=binding_forms.line(sent, "start") or filters.local_minute(first),
        end=binding_forms.line(sent, "end") or filters.local_minute(max(first, last)),
        act=sent.get("act", "")[:20],
        because=binding_forms.line(sent, "because", most=attaching.REASON.stop),
        who=who,
    )


def _instant(written: str | None, now: datetime) -> datetime:
    """An exact time of a link of ours; now for what is none: then nothing is found."""
    try:
        found = datetime.fromisoformat(written or "")
        return found.astimezone(now.tzinfo) if found.tzinfo is not None else now
    except (ValueError, OverflowError):
        return now


def _list(device_id: UUID | None) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        serial = attaching.device_for(session, actor, device_id).serial if device_id else None
        older, page = "older" in request.args, fields.whole(request.args.get("page"), most=10_000) or 1
        found, more = kept.groups(session, actor, now=now, device_id=device_id, older=older, page=page)
    return pages.answer(
        "technician/quarantine.html",
        "Waiting readings",
        groups=found,
        older=older,
        number=page,
        more=more,
        serial=serial,
        device_id=device_id,
        done=request.args.get("done", ""),
        days=kept.SINCE.days,
        now=now,
    )


def _page(device_id: UUID, form: DecisionForm) -> Response:
    with db.transaction(read_only=True) as session:
        serial = attaching.device_for(session, login.actor(), device_id).serial
    return pages.answer(
        "technician/decision.html",
        "Error: Whose readings are they?" if form.errors else "Whose readings are they?",
        status=422 if form.errors else 200,
        device_id=device_id,
        serial=serial,
        form=form,
    )
