"""The form that puts a device on a patient, as technicians and caregivers send it: two identifiers, and since when."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from werkzeug.datastructures import MultiDict

from silverwatch import clock, db
from silverwatch.domain.admissions import attaching, identity
from silverwatch.domain.admissions.identity import Said
from silverwatch.domain.errors import ConflictError
from silverwatch.web import fields, filters, login

Sent = MultiDict[str, str]
MOST: Final = 100


@dataclass(slots=True, kw_only=True)
class BindingForm:
    """What was sent. `bed` or `device` is what was chosen; `since` a local minute, empty for now."""

    bed: str = ""
    device: str = ""
    number: str = ""
    born_on: str = ""
    family_name: str = ""
    since: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def said(self) -> Said:
        """What the wristband says."""
        return Said(number=self.number, born_on=day_of(self.born_on), family_name=self.family_name)


def read(sent: Sent, *, now: datetime) -> tuple[BindingForm, datetime | None]:
    """The form, and since when; None for now. `errors` say what is missing or cannot be understood."""
    form = BindingForm(
        bed=line(sent, "bed"),
        device=line(sent, "device"),
        number=line(sent, "number"),
        born_on=line(sent, "born_on"),
        family_name=line(sent, "family_name"),
        since=line(sent, "since"),
    )
    form.errors.update(identity.missing(form.said))
    if form.born_on and day_of(form.born_on) is None:
        form.errors["born_on"] = "Enter the date of birth as day, month and year."
    since = moment_of(form.since)
    if form.since and since is None:
        form.errors["since"] = "Enter the day and time since when it is worn, or nothing for now."
    if since is not None and since > now:
        form.errors["since"] = "This time has not come yet. Enter one that is over, or nothing for now."
    return form, since


def put_on(
    form: BindingForm, *, device_id: UUID, serial: str, patient_id: UUID, since: datetime | None
) -> None:
    """Put the device on, if the wristband is the patient's; `errors` say why not.

    The comparison commits by itself: a mismatch is audited and counted, whatever comes of the rest.
    """
    actor = login.actor()
    with db.transaction() as session:
        form.errors.update(
            identity.compare(
                session, actor, patient_id=patient_id, said=form.said, device=serial, now=clock.now()
            )
        )
    if form.errors:
        return
    try:
        with db.transaction() as session:
            attaching.attach(
                session, actor, device_id=device_id, patient_id=patient_id, since=since, now=clock.now()
            )
    except ConflictError as error:
        form.errors["form"] = str(error)


def line(sent: Sent, name: str, *, most: int = MOST) -> str:
    """A text on one line."""
    return fields.line(sent, name, most=most)[:most]


def day_of(written: str) -> date | None:
    """A day, None for what is none."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def moment_of(written: str) -> datetime | None:
    """A local minute or second, None for what is none."""
    try:
        return filters.from_local_minute(written) if written else None
    except ValueError:
        return None
