"""The one way to change who wears a device: readings, events and alarms follow in the same transaction.

Whoever changes bindings does it inside `changing()`: the devices are locked, so that a post is attributed before the
change or after it, and what turns out to be somebody else's is moved and judged anew, as late as it is. The caller has
locked the patients (`records.stays`) and commits.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import incidents, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.binding_models import BindingChange
from silverwatch.domain.devices.facts import BindingsChanged
from silverwatch.domain.devices.models import Binding
from silverwatch.domain.readings import attribution
from silverwatch.domain.readings.attribution import Moved
from silverwatch.domain.readings.departures import Waiting
from silverwatch.domain.readings.facts import ReadingsStored
from silverwatch.domain.readings.pieces import Piece, Span, pieces

WITHDRAWN: Final = "withdrawn"


@dataclass(slots=True)
class Changed:
    """What a change of bindings has done, complete when `changing()` has ended."""

    moved: Moved = field(default_factory=Moved)
    chosen: list[Waiting] = field(default_factory=list)
    """Items of the quarantine of which a person said whose they are; the block may fill it."""


@contextmanager
def changing(
    session: Session, by: Actor, device_ids: Iterable[UUID], *, because: str = "", act_id: UUID | None = None,
    now: datetime,
) -> Iterator[Changed]:  # fmt: skip
    """Bind and unbind these devices in the block. Raises NotFoundError, and ConflictError where it moves too much."""
    wanted = sorted(set(device_ids))
    devices.lock_devices(session, wanted)
    before = _bindings(session, wanted)
    changed = Changed()
    yield changed
    session.flush()
    after = _bindings(session, wanted)
    found = [
        piece
        for device_id in wanted
        for piece in pieces(device_id, _spans(before, device_id), _spans(after, device_id))
    ]
    moved = changed.moved = attribution.move(session, found, by=by.account_id, now=now, chosen=changed.chosen)
    _withdraw(session, found, moved, by=by, now=now)
    readings = moved.readings
    for binding_id in sorted(before.keys() | after.keys()):
        one, other = before.get(binding_id), after.get(binding_id)
        if (one and one[2]) == (other and other[2]):
            continue
        device_id, patient_id, _ = one or other  # type: ignore[misc]
        session.add(
            BindingChange(
                id=clock.new_id(), binding_id=binding_id, device_id=device_id, patient_id=patient_id, at=now,
                account_id=by.account_id, before=one[2] if one else None, after=other[2] if other else None,
                because=because, act_id=act_id, readings=readings,
            )
        )  # fmt: skip
    session.flush()
    touched = moved.patient_ids
    if touched:
        events.record(session, BindingsChanged(patient_ids=tuple(sorted(touched))))
        events.record(session, ReadingsStored())


_Row = tuple[UUID, UUID, Range[datetime]]


def _bindings(session: Session, device_ids: Collection[UUID]) -> dict[UUID, _Row]:
    query = select(Binding.id, Binding.device_id, Binding.patient_id, Binding.during).where(
        Binding.device_id.in_(device_ids)
    )
    return {row.id: (row.device_id, row.patient_id, row.during) for row in session.execute(query)}


def _spans(rows: dict[UUID, _Row], device_id: UUID) -> list[Span]:
    return [
        Span(patient, during.lower, during.upper)
        for device, patient, during in rows.values()
        if device == device_id
    ]


def _withdraw(
    session: Session, changed: Collection[Piece], moved: Moved, *, by: Actor, now: datetime
) -> None:
    """Alarms that rested on what is not the patient's. Those that still go on are withdrawn by who judges."""
    lost = moved.lost
    if lost:
        times = [rest.event_at for rest in lost]
        rows = session.scalars(
            select(Alert)
            .where(
                Alert.patient_id.in_({rest.patient_id for rest in lost}),
                Alert.subject == "patient",
                Alert.vital.is_not(None),
                Alert.event_at.between(min(times), max(times)),
                Alert.ended_at.is_not(None) | Alert.closed_at.is_not(None),
            )
            .order_by(Alert.id)
            .with_for_update()
        )
        for alert in rows:
            if (alert.patient_id, alert.event_at, alert.vital) in lost:
                _take_back(session, alert, now=now)
    for piece in changed:
        if piece.before is None:
            continue
        called = select(Alert).where(
            Alert.patient_id == piece.before, Alert.device_id == piece.device_id,
            Alert.kind.in_(service.EVENT_KINDS), *_within(piece),
        )  # fmt: skip
        for alert in session.scalars(called.order_by(Alert.id).with_for_update()):
            _take_back(session, alert, now=now)
            incidents.withdraw(session, by, alert.id, now=now)


def _within(piece: Piece) -> list[ColumnElement[bool]]:
    found = []
    if piece.start is not None:
        found.append(Alert.event_at >= piece.start)
    if piece.end is not None:
        found.append(Alert.event_at < piece.end)
    return found


def _take_back(session: Session, alert: Alert, *, now: datetime) -> None:
    if alert.closed_at is None:
        alert.ended_at = alert.ended_at or now
        service.close(session, alert, now=now, closed_as=WITHDRAWN)
    else:
        session.execute(update(Alert).where(Alert.id == alert.id).values(closed_as=WITHDRAWN))
