"""One post on its way: which of its items become readings of whom, and what becomes of the others. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from silverwatch.domain.devices.queries import Source, Speaker
from silverwatch.domain.readings.accept import (
    Refusal,
    RefusedError,
    Span,
    Taken,
    TakenEvent,
    take,
    take_event,
)
from silverwatch.domain.readings.quarantine import Kept
from silverwatch.domain.readings.state import Row, complete, conflict, continuous_interval, new_row
from silverwatch.domain.readings.store import Bound, Key
from silverwatch.domain.readings.write import Heard

KEPT: Final = frozenset({"conflict", "unbound", "ambiguous"})
"""Refusals that wait for a person's decision: to the sender they are not errors."""

TOLERATED_SKEW_S: Final = 2.0
_LONGEST_SKEW_S: Final = 10 * 365 * 86_400.0


def _no_words(_place: str, _index: int) -> str:
    return ""


@dataclass(slots=True, kw_only=True)
class Batch:
    """A decoded post: `items` and `events` as they came, the rest about the device that it speaks of.

    `raw` gives the words of one item of "readings" or "events", for the quarantine.
    """

    items: Sequence[Any] = ()
    events: Sequence[Any] = ()
    device: str | None = None
    sent_at: datetime | None = None
    battery: int | None = None
    signal_dbm: int | None = None
    firmware: str | None = None
    raw: Callable[[str, int], str] = _no_words


@dataclass(frozen=True, slots=True)
class Rejected:
    """Item `index` of "readings" or "events", or its `field`, did not become what it was sent as."""

    place: str
    index: int
    refusal: Refusal


@dataclass(slots=True)
class Outcome:
    """What became of a post. `kept` counts what waits in quarantine for a person."""

    stored: int = 0
    duplicates: int = 0
    kept: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def is_refusal(self) -> bool:
        """Was every item refused?"""
        return bool(self.rejected) and not (self.stored or self.duplicates or self.kept)


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that may be stored, and whose it is."""

    index: int
    taken: Taken
    source: Source


class EventEntry(NamedTuple):
    """An event that may be stored, and whose it is."""

    taken: TakenEvent
    source: Source


class Intake:
    """The post, step by step: read, of whom (`resolve`), about whom (`attribute`), against what is there
    (`settle`)."""

    def __init__(self, batch: Batch, *, speaker: Speaker, received_at: datetime) -> None:
        self.batch = batch
        self.speaker = speaker
        self.received_at = received_at
        self.outcome = Outcome()
        self.quarantined: list[Kept] = []
        self.entries: list[Entry] = []
        self.events: list[EventEntry] = []
        self.rows: dict[Key, Row] = {}
        self.heard: dict[UUID, Heard] = {}
        self._skews: dict[UUID, float] = {}
        self._taken: list[tuple[int, Taken]] = []
        self._taken_events: list[tuple[int, TakenEvent]] = []

    def read(self, span: Span) -> set[str]:
        """Read every item; gives the serials that are named."""
        for index, item in enumerate(self.batch.items):
            try:
                self._taken.append((index, take(item, span)))
            except RefusedError as error:
                self.reject("readings", index, error.refusal)
        for index, item in enumerate(self.batch.events):
            try:
                self._taken_events.append((index, take_event(item, span)))
            except RefusedError as error:
                self.reject("events", index, error.refusal)
        named = {taken.device for _, taken in self._taken} | {event.device for _, event in self._taken_events}
        named.add(self.batch.device)
        return {serial for serial in named if serial is not None}

    def resolve(self, sources: Mapping[str, Source]) -> None:
        """Find the device of each item; what the key does not speak for is refused."""
        # A gateway names the device of each reading; without a name only a device means itself.
        default = self.batch.device
        if default is None and not self.speaker.is_gateway:
            default = self.speaker.serial
        for index, taken in self._taken:
            if source := sources.get(taken.device or default or ""):
                self.entries.append(Entry(index, taken, source))
            else:
                self.reject("readings", index, _unknown(taken.device or default), at=taken.measured_at)
        for index, event in self._taken_events:
            if source := sources.get(event.device or default or ""):
                self.events.append(EventEntry(event, source))
            else:
                self.reject("events", index, _unknown(event.device or default), at=event.at)
        self._hear(sources.get(self.batch.device or self.speaker.serial))

    def _hear(self, about: Source | None) -> None:
        """What the post says about its devices, and how far their clocks are from ours."""
        self.heard[self.speaker.id] = Heard(self.speaker.id)
        newest: dict[UUID, datetime] = {}
        for entry in self.entries:
            taken, source = entry.taken, entry.source
            if source.id not in newest or taken.measured_at > newest[source.id]:
                newest[source.id] = taken.measured_at
                self.heard.setdefault(source.id, Heard(source.id))
        for event in self.events:
            self.heard.setdefault(event.source.id, Heard(event.source.id))
        stored = {entry.source.id: entry.source.skew_s for entry in self.entries}
        stored |= {entry.source.id: entry.source.skew_s for entry in self.events}
        for device_id, heard in self.heard.items():
            heard.skew_s = self._skew(newest.get(device_id), stored.get(device_id))
            known = stored.get(device_id) if heard.skew_s is None else heard.skew_s
            self._skews[device_id] = abs(known or 0.0)
        if about is not None:
            said = self.heard.setdefault(about.id, Heard(about.id))
            said.battery, said.signal_dbm = self.batch.battery, self.batch.signal_dbm
            said.firmware = self.batch.firmware

    def _skew(self, newest: datetime | None, stored: float | None) -> float | None:
        """How far the clock is ahead, as far as this post shows it; None if it does not."""
        if self.batch.sent_at is not None:
            return (self.batch.sent_at - self.received_at).total_seconds()
        if newest is None:
            return None
        ahead = (newest - self.received_at).total_seconds()
        # Without `sent_at` an old reading may have waited in a buffer: it says nothing, except that the
        # clock is not ahead any more.
        return ahead if ahead > 0 else 0.0 if (stored or 0.0) > 0 else None

    def span(self) -> tuple[datetime, datetime] | None:
        """From the first to the last moment at which a binding matters; None without items."""
        times = [entry.taken.measured_at for entry in self.entries]
        times += [entry.taken.at for entry in self.events]
        if not times:
            return None
        margin = timedelta(seconds=min(max(self._skews.values(), default=0.0), _LONGEST_SKEW_S))
        return min(times) - margin, max(times) + margin

    def may_be_known(self, bound: Mapping[UUID, Sequence[Bound]]) -> bool:
        """Is a set of these keys possibly stored already, so that it is worth looking before?"""
        return any(
            entry.source.last_reading_at is not None
            and entry.taken.measured_at <= entry.source.last_reading_at
            for entry in self.entries
        ) or any(len(parts) > 1 for parts in bound.values())

    def attribute(self, bound: Mapping[UUID, Sequence[Bound]]) -> Iterator[tuple[Entry, UUID]]:
        """The entries with their patients; the others are rejected."""
        for entry in self.entries:
            bindings = bound.get(entry.source.id, ())
            at = entry.taken.measured_at
            patient_id = wearer(bindings, at)
            if self._is_ambiguous(entry, bindings):
                refusal = Refusal("ambiguous", "measured_at", "too near to a change of patient for its clock")
                self.reject("readings", entry.index, refusal, source=entry.source, at=at)
            elif patient_id is None:
                refusal = Refusal("unbound", "", "the device was bound to nobody then")
                self.reject("readings", entry.index, refusal, source=entry.source, at=at)
            else:
                yield entry, patient_id

    def _is_ambiguous(self, entry: Entry, bindings: Sequence[Bound]) -> bool:
        skew_s = self._skews[entry.source.id]
        if skew_s <= TOLERATED_SKEW_S:
            return False
        edges = (edge for bound in bindings for edge in (bound.start, bound.end) if edge is not None)
        return any(abs((edge - entry.taken.measured_at).total_seconds()) <= skew_s for edge in edges)

    def settle(self, attributed: Sequence[tuple[Entry, UUID]], rows: dict[Key, Row]) -> None:
        """Each item against the stored row of its key, and against the items before it."""
        self.rows = rows
        intervals: dict[UUID, float | None] = defaultdict(lambda: None)
        for entry, patient_id in attributed:
            index, taken, source = entry.index, entry.taken, entry.source
            if taken.values or taken.zeros:
                intervals[source.id] = continuous_interval(source.interval_s)
                refusal = self._settle(taken, source, patient_id)
                if refusal is not None:
                    at = taken.measured_at
                    self.reject("readings", index, refusal, source=source, patient_id=patient_id, at=at)
            for refusal in taken.refusals:
                at = taken.measured_at
                self.reject("readings", index, refusal, source=source, patient_id=patient_id, at=at)
        for row in self.changed:
            row.interval_s = intervals[row.source_id]
            heard = self.heard[row.source_id]
            if heard.last_reading_at is None or row.event_at > heard.last_reading_at:
                heard.last_reading_at = row.event_at

    def _settle(self, taken: Taken, source: Source, patient_id: UUID) -> Refusal | None:
        key = (source.id, taken.measured_at)
        row = self.rows.get(key)
        if row is None:
            row = Row(patient_id, taken.measured_at, source.id, self.received_at, taken.values, taken.off)
            self.rows[key] = new_row(row)
            self.outcome.stored += 1
        elif refusal := conflict(row, taken):
            return refusal
        elif complete(row, taken):
            self.outcome.stored += 1
        else:
            self.outcome.duplicates += 1
        return None

    @property
    def changed(self) -> list[Row]:
        """The rows to insert or to complete, in the order of their keys."""
        found = [row for row in self.rows.values() if row.changed]
        if len(found) > 1:
            found.sort(key=lambda row: (row.patient_id.int, row.measured_at, row.source_id.int))
        return found

    def reject(
        self,
        place: str,
        index: int,
        refusal: Refusal,
        *,
        source: Source | None = None,
        patient_id: UUID | None = None,
        at: datetime | None = None,
    ) -> None:
        """List the item as rejected, and keep it as it came."""
        self.outcome.rejected.append(Rejected(place, index, refusal))
        self.outcome.kept += refusal.code in KEPT
        device_id = source.id if source else self.speaker.id
        self.quarantined.append(Kept(device_id, patient_id, at, refusal, self.batch.raw(place, index)))


def wearer(bindings: Sequence[Bound], at: datetime) -> UUID | None:
    """Whom the device spoke about at that moment."""
    return next((bound.patient_id for bound in bindings if bound.covers(at)), None)


def _unknown(serial: str | None) -> Refusal:
    if serial is None:
        return Refusal("unknown_device", "device", "a gateway names the device of each item")
    return Refusal("unknown_device", "device", "not a device that this key speaks for")
