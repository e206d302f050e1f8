"""The form of a dose: what became of it, when, why. Also that of a correction."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from silverwatch import clock
from silverwatch.domain.records.as_needed import Warned
from silverwatch.domain.records.dose_models import MedicationDose
from silverwatch.domain.records.doses import BACK, EARLY, GIVEN, OUTCOMES, Entry
from silverwatch.domain.records.medications import MOST_TEXT
from silverwatch.web import fields, filters

REASON: Final = range(3, MOST_TEXT + 1)
"""So many characters a reason has."""


@dataclass(slots=True, kw_only=True)
class DoseForm:
    """A dose as it was sent. `form_id` makes a resend of one as needed the same dose.

    `warned` is what was said about one as needed, `near_by` who gave the one before. `change` and `because` are of
    a correction: is there a right entry ("changed"), or none ("struck")? `entry` is there once all is understood.
    """

    form_id: UUID
    outcome: str = GIVEN
    local: str = ""
    reason: str = ""
    note: str = ""
    change: str = ""
    because: str = ""
    warned: Warned | None = None
    near_by: str = ""
    entry: Entry | None = None
    errors: dict[str, str] = field(default_factory=dict)


def empty(now: datetime, *, outcome: str = GIVEN) -> DoseForm:
    """A form for what happens now."""
    return DoseForm(form_id=clock.new_id(), outcome=outcome, local=filters.local_minute(now))


def of_dose(dose: MedicationDose) -> DoseForm:
    """A form that says what was recorded."""
    return DoseForm(
        form_id=clock.new_id(), outcome=dose.outcome, local=filters.local_minute(dose.at), reason=dose.reason,
        note=dose.note, change="changed",
    )  # fmt: skip


def read(
    sent: fields.Sent, *, now: datetime, due_at: datetime | None, stands: MedicationDose | None = None
) -> DoseForm:
    """What was sent; `errors` say what to do about what cannot be understood. `stands` is what is corrected.

    A button without a form says no more than that it was given now.
    """
    form = DoseForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        outcome=fields.line(sent, "outcome", most=10) or GIVEN,
        local=fields.line(sent, "local", most=16) or filters.local_minute(now),
        reason=fields.line(sent, "reason", most=MOST_TEXT),
        note=fields.line(sent, "note", most=MOST_TEXT),
    )
    if stands is not None:
        form.change = fields.line(sent, "change", most=10)
        form.because = fields.line(sent, "because", most=REASON.stop)
        if form.change not in ("changed", "struck"):
            form.errors["change"] = "Choose whether there is a right entry."
        if len(form.because) not in REASON:
            form.errors["because"] = f"Say why, in {REASON.start} to {REASON.stop - 1} characters."
    if stands is None or form.change == "changed":
        _read_entry(form, now=now, due_at=due_at, stands=stands)
    return form


def _read_entry(
    form: DoseForm, *, now: datetime, due_at: datetime | None, stands: MedicationDose | None
) -> None:
    at = _read_time(form, now=now, due_at=due_at, stands=stands)
    if form.outcome not in OUTCOMES or (due_at is None and form.outcome != GIVEN):
        form.errors["outcome"] = "Choose what became of the dose."
    if form.outcome != GIVEN and len(form.reason) not in REASON:
        form.errors["reason"] = (
            f"Say why it was not given, in {REASON.start} to {REASON.stop - 1} characters."
        )
    elif len(form.reason) > MOST_TEXT:
        form.errors["reason"] = f"Say it in {MOST_TEXT} characters."
    if len(form.note) > MOST_TEXT:
        form.errors["note"] = f"Say it in {MOST_TEXT} characters."
    if at is not None and not form.errors:
        form.entry = Entry(outcome=form.outcome, at=at, reason=form.reason, note=form.note)


def _read_time(
    form: DoseForm, *, now: datetime, due_at: datetime | None, stands: MedicationDose | None
) -> datetime | None:
    """When it happened: now at the latest, and not long before it was due."""
    stood = stands.at if stands is not None else None
    if stood is None and form.local == filters.local_minute(now):
        return now
    at = fields.moment(form.local, form.errors, "local", now=now, stands=stood)
    if at is None or at == stood:
        return at
    if due_at is not None and at < due_at - EARLY:
        form.errors["local"] = "This is more than an hour before the dose was due. Enter a later time."
    elif at < (stood or now) - BACK:
        form.errors["local"] = "This is more than 7 days ago. Write a note about what happened then."
    return at
