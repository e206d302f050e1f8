"""The form of an entry of fluids: reading what was sent."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from silverwatch import clock
from silverwatch.domain.readings.fluid_balance import KINDS, MOST_ML, UNUSUAL_ML
from silverwatch.domain.readings.fluids import MOST_TEXT, Entry
from silverwatch.domain.readings.models import Fluid
from silverwatch.web import fields, filters

LATE: Final = timedelta(hours=24)
"""An entry may be made so much later than it happened."""
REASON: Final = range(3, 201)
"""So many characters a reason has."""


@dataclass(slots=True, kw_only=True)
class FluidForm:
    """An entry as it was sent. `confirmed` is an amount that was looked at again; `look` asks for that.

    `change` and `because` are those of a correction: is there a right entry ("changed"), or none ("struck")?
    """

    form_id: UUID
    local: str
    kind: str = ""
    ml: str = ""
    what: str = ""
    change: str = ""
    because: str = ""
    look: bool = False
    entry: Entry | None = None
    errors: dict[str, str] = field(default_factory=dict)


def empty(now: datetime) -> FluidForm:
    """A form for what happened now."""
    return FluidForm(form_id=clock.new_id(), local=filters.local_minute(now))


def of_entry(fluid: Fluid) -> FluidForm:
    """A form that says what an entry says."""
    return FluidForm(
        form_id=clock.new_id(), local=filters.local_minute(fluid.at), kind=fluid.kind, ml=str(fluid.ml),
        what=fluid.what, change="changed",
    )  # fmt: skip


def read(sent: fields.Sent, *, now: datetime, stands: Fluid | None = None) -> FluidForm:
    """What was sent; `errors` say what to do about what cannot be understood. `stands` is what is corrected."""
    form = FluidForm(
        form_id=fields.identity(sent.get("form_id")) or clock.new_id(),
        local=fields.line(sent, "local", most=16) or filters.local_minute(now),
        kind=fields.line(sent, "kind", most=10),
        ml=fields.line(sent, "ml", most=8),
        what=fields.line(sent, "what", most=MOST_TEXT),
    )
    if stands is not None:
        _read_reason(form, sent)
    if stands is None or form.change == "changed":
        _read_entry(form, sent, now=now, stands=stands)
    return form


def _read_reason(form: FluidForm, sent: fields.Sent) -> None:
    form.change = fields.line(sent, "change", most=10)
    form.because = fields.line(sent, "because", most=REASON.stop)
    if form.change not in ("changed", "struck"):
        form.errors["change"] = "Choose whether there is a right entry."
    if len(form.because) not in REASON:
        form.errors["because"] = f"Say why, in {REASON.start} to {REASON.stop - 1} characters."


def _read_entry(form: FluidForm, sent: fields.Sent, *, now: datetime, stands: Fluid | None) -> None:
    ml = fields.whole(form.ml, most=MOST_ML)
    at = _read_time(form, now=now, stands=stands)
    if form.kind not in KINDS:
        form.errors["kind"] = "Choose what went in or came out."
    if not ml:
        form.errors["ml"] = f"Enter how much in ml, a whole number from 1 to {MOST_ML}."
    if len(form.what) > MOST_TEXT:
        form.errors["what"] = f"Say it in {MOST_TEXT} characters."
    if form.errors or not ml or at is None:
        return
    form.look = ml > UNUSUAL_ML and sent.get("confirmed", "") != form.ml
    form.entry = None if form.look else Entry(kind=form.kind, ml=ml, at=at, what=form.what)


def _read_time(form: FluidForm, *, now: datetime, stands: Fluid | None) -> datetime | None:
    stood = stands.at if stands is not None else None
    at = fields.moment(form.local, form.errors, "local", now=now, stands=stood)
    if at is not None and at < (stood or now) - LATE:
        form.errors["local"] = "This is more than 24 hours earlier. Write a note about what happened then."
    return at
