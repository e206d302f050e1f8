"""The list of a patient's medications as it is shown: what is given now with its next dose, and what is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from silverwatch.domain.records import doses, due_doses, medications
from silverwatch.domain.records.due_doses import DoseView, DueDose
from silverwatch.domain.records.medication_schedule import Span, due
from silverwatch.domain.records.medications import MedicationView

LOOK_AHEAD: Final = timedelta(days=32)
"""The next dose is looked for so far ahead: further than any schedule is apart, and than any begin can lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A medication that is given now. `next_at` is its next dose; None for one as needed, or while nothing is due.

    `given_at` are its doses of the last 24 h, the newest first.
    """

    medication: MedicationView
    next_at: datetime | None
    given_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationList:
    """What is given now, by name, and what is over, the latest end first.

    `is_here`: the patient lies in a bed; while they do not, nothing is due.
    """

    present: list[Listed]
    over: list[MedicationView]
    is_here: bool
    here_since: datetime | None
    """Since when the patient lies in one bed or another without a break."""
    earlier: list[str]
    """Names of what is given now and was entered before the patient came: a schedule outlives a discharge."""
    open: list[DueDose]
    """Doses of the last 24 h, and of the next hour, of which nothing was recorded."""
    recorded: list[DoseView]
    """What was recorded of doses of the last 24 h, with what was struck out, the newest first."""


def list_of(
    session: Session, patient_id: UUID, *, now: datetime, zone: ZoneInfo, only: UUID | None = None
) -> MedicationList:
    """The medications of a patient; `only` that one."""
    found = [m for m in medications.medications_of(session, [patient_id]) if only in (None, m.id)]
    first = min((m.added_at for m in found), default=now)
    present = medications.presence(session, [patient_id], since=min(first, now))[patient_id]
    here_since = _here_since(present, now)
    recorded = due_doses.recorded(session, [patient_id], since=now - due_doses.LOOK_BACK)
    until = now + doses.EARLY + doses.MINUTE
    open_now = due_doses.open_doses(session, [patient_id], until=until, now=now, zone=zone)
    settled = {(dose.medication_id, dose.due_at) for dose in recorded if dose.struck_at is None}
    over = [(ended_at, m) for m in found if (ended_at := m.ended_at(now)) is not None]
    return MedicationList(
        present=[
            Listed(
                medication=m,
                next_at=_next(m, present, settled, now=now, zone=zone),
                given_at=tuple(dose.at for dose in recorded if dose.medication_id == m.id and dose.is_given),
            )
            for m in found
            if m.ended_at(now) is None
        ],
        over=[m for _, m in sorted(over, key=lambda pair: pair[0], reverse=True)],
        is_here=here_since is not None,
        here_since=here_since,
        earlier=[
            m.name for m in found if here_since and m.ended_at(now) is None and m.latest.at < here_since
        ],
        open=open_now.get(patient_id, []),
        recorded=recorded,
    )


def _here_since(present: tuple[Span, ...], now: datetime) -> datetime | None:
    """The begin of the stays that follow each other until now; None for who lies in no bed now."""
    since = None
    for span in reversed(present):
        if span.holds(now) or (since is not None and span.end == since):
            since = span.start
    return since


def _next(
    medication: MedicationView,
    present: tuple[Span, ...],
    settled: set[tuple[UUID, datetime | None]],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> datetime | None:
    """The next dose that was not recorded before its time, looked for in growing steps: most are due within a day."""
    begin = max(now, min(version.from_at for version in medication.versions))
    for days in (1, 8, LOOK_AHEAD.days):
        found = due(
            medication.versions, since=now, until=begin + timedelta(days=days), zone=zone, present=present,
            stopped_at=medication.stopped_at,
        )  # fmt: skip
        ahead = [moment.at for moment in found if (medication.id, moment.at) not in settled]
        if ahead:
            return ahead[0]
    return None
