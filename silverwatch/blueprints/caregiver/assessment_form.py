"""An assessment as it is sent, and as it is read out of one that stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from silverwatch import clock
from silverwatch.domain.records import assessments, instruments
from silverwatch.domain.records.assessments import Answers, AssessmentView
from silverwatch.domain.records.instruments import Instrument
from silverwatch.web import fields, filters

EARLIEST: Final = timedelta(days=7)
MIN_REASON: Final = 3
CHANGES: Final = ("changed", "struck")


@dataclass(slots=True, kw_only=True)
class AssessmentForm:
    """Answers as sent: question to choice. `at` is local; `change` and `because` are those of a correction."""

    form_id: UUID
    answers: Mapping[str, str]
    at: str
    note: str = ""
    again: str = ""
    change: str = "changed"
    because: str = ""
    says: Answers | None = None
    errors: dict[str, str] = field(default_factory=dict)


def new(instrument: Instrument, *, now: datetime) -> AssessmentForm:
    """An empty form: for now, and again after the usual time."""
    return AssessmentForm(
        form_id=clock.new_id(), answers={}, at=filters.local_minute(now), again=str(instrument.again_h)
    )


def of_assessment(found: AssessmentView) -> AssessmentForm:
    """The form of one that stands, to be corrected."""
    return AssessmentForm(
        form_id=clock.new_id(),
        answers=found.answers,
        at=filters.local_minute(found.at),
        note=found.note,
        again=str(found.again_h or ""),
    )


def read(
    sent: fields.Sent, instrument: Instrument, *, now: datetime, stands: AssessmentView | None = None
) -> AssessmentForm:
    """The form; `says` is set where it is whole. A correction (`stands`) may also strike out, without answers."""
    form = AssessmentForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        answers={question.name: sent.get(f"q-{question.name}", "") for question in instrument.questions},
        at=fields.line(sent, "at", most=16),
        note=fields.line(sent, "note", most=assessments.MOST_NOTE),
        again=sent.get("again", ""),
        change=sent.get("change", "") if stands else "changed",
        because=fields.line(sent, "because", most=assessments.MOST_REASON) if stands else "",
    )
    if stands is not None:
        _check_correction(form)
    if form.change == "struck":
        return form
    for question in instruments.missing(instrument, form.answers):
        form.errors[f"q-{question.name}"] = f"Answer: {question.label}"
    if len(form.note) > assessments.MOST_NOTE:
        form.errors["note"] = f"Write at most {assessments.MOST_NOTE} characters."
    again_h = fields.whole(form.again, most=8760)
    if form.again and again_h not in {*assessments.AGAIN_H, stands.again_h if stands else None}:
        form.errors["again"] = "Choose when it is due again from the list."
    at = _moment(form, now, stands)
    if at is not None and not form.errors:
        form.says = Answers(
            instrument=instrument, answers=form.answers, at=at, note=form.note, again_h=again_h or None
        )
    return form


def _check_correction(form: AssessmentForm) -> None:
    if form.change not in CHANGES:
        form.errors["change"] = "Choose what is right."
    if not MIN_REASON <= len(form.because) <= assessments.MOST_REASON:
        form.errors["because"] = f"Say why in {MIN_REASON} to {assessments.MOST_REASON} characters."


def _moment(form: AssessmentForm, now: datetime, stands: AssessmentView | None) -> datetime | None:
    """The minute that the form says; one that nobody touched is the very moment that was stored."""
    stood = stands.at if stands is not None else None
    at = fields.moment(form.at, form.errors, "at", now=now, stands=stood)
    if at is not None and stood is None and at < now - EARLIEST:
        form.errors["at"] = "This is more than 7 days ago. Write a note about what was found then."
    return None if at is None or "at" in form.errors else min(at, now)
