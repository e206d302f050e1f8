"""Pure: in which spans of time another patient wears a device than before."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID


class Piece(NamedTuple):
    """From `start` until before `end` the device is `after`'s and was `before`'s. None: without end, or nobody's."""

    device_id: UUID
    start: datetime | None
    end: datetime | None
    before: UUID | None
    after: UUID | None


class Span(NamedTuple):
    """A device is on somebody from `start` until before `end`."""

    patient_id: UUID
    start: datetime | None
    end: datetime | None


def pieces(device_id: UUID, before: Sequence[Span], after: Sequence[Span]) -> list[Piece]:
    """Pure: where somebody else wears the device than before, in order of time."""
    edges: set[datetime] = {
        edge for span in (*before, *after) for edge in (span.start, span.end) if edge is not None
    }
    cuts: list[datetime | None] = [None, *sorted(edges), None]
    found: list[Piece] = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        one, other = _wearer(before, start, first=number == 0), _wearer(after, start, first=number == 0)
        if one == other:
            continue
        last = found[-1] if found else None
        if last is not None and last.end == start and (last.before, last.after) == (one, other):
            found[-1] = last._replace(end=end)
        else:
            found.append(Piece(device_id, start, end, one, other))
    return found


def _wearer(spans: Sequence[Span], start: datetime | None, *, first: bool) -> UUID | None:
    """Who wears it from this cut on; `first`: from ever."""
    for span in spans:
        begins = span.start is None or (not first and start is not None and span.start <= start)
        goes_on = first or span.end is None or (start is not None and start < span.end)
        if begins and goes_on:
            return span.patient_id
    return None
