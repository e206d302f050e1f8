"""The course of a patient over some hours, as plain values: five lines, the sets by hand with their scores, the gaps.

Nothing is drawn here: `web/trend_chart.py` does. All times are aware UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.layers import limits_of
from silverwatch.domain.alerts.limits import Limit
from silverwatch.domain.alerts.scores import Score, scored
from silverwatch.domain.readings import history
from silverwatch.domain.readings.history import SPANS, Span

LINES: Final = (
    ("respiratory_rate", ("respiratory_rate",)),
    ("oxygen_saturation", ("oxygen_saturation",)),
    ("blood_pressure", ("systolic_bp",)),
    ("heart_rate", ("heart_rate", "pulse_rate")),
    ("temperature", ("temperature",)),
)
"""Name of a line, and the vitals that give its values: the first one that has any in a bin."""

SPOT_GAP: Final = timedelta(hours=12, minutes=30)
"""Sets by hand are joined over this at most: the longest interval of NEWS2, and half an hour of grace."""
SELDOM_AFTER: Final = timedelta(minutes=10)
"""A line whose values are usually further apart than this is one of single measurements, joined and dotted."""
SETS: Final = 200
"""So many sets of a span are shown, the newest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The values of one bin: their mean, smallest and largest, at its middle. `second`: the diastolic pressure."""

    at: datetime
    mean: float
    low: float
    high: float
    second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """No value between two moments."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One vital over the span. `runs`: points that may be joined. `dotted`: each point is a measurement of its own."""

    name: str
    vital: str
    runs: tuple[tuple[Point, ...], ...]
    gaps: tuple[Gap, ...]
    dotted: bool
    limit: Limit

    @property
    def points(self) -> list[Point]:
        """All points, oldest first."""
        return [point for run in self.runs for point in run]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is known of `patient_id` between `since` and `until`; the last bin is not over yet at `now`."""

    patient_id: UUID
    span: Span
    since: datetime
    until: datetime
    now: datetime
    spo2_scale: int
    lines: tuple[Line, ...]
    sets: tuple[Score, ...]

    @property
    def on_oxygen(self) -> bool:
        """Was oxygen given at the newest set that says so?"""
        given = [item.oxygen_l_min for item in self.sets if item.oxygen_l_min is not None]
        return bool(given and given[-1] > 0)


_WHO = """
SELECT p.spo2_scale, (SELECT min(lower(s.during)) FROM stay s WHERE s.patient_id = p.id) AS here_since
FROM patient p WHERE p.id = :id
"""


def course(session: Session, patient_id: UUID, *, hours: int, now: datetime) -> Course:
    """The course over `hours`, one of `history.SPANS`; a fixed number of statements."""
    span = SPANS[hours]
    since = history.begin(span, now=now)
    who = session.execute(text(_WHO), {"id": patient_id}).one()
    bins = history.bins(session, patient_id, span=span, now=now)
    limits = limits_of(session, [patient_id], now=now)[patient_id].by_vital
    begun = max(since, who.here_since) if who.here_since else since
    until = since + timedelta(hours=span.hours)
    sets = scored(session, {patient_id: who.spo2_scale}, since=since, until=until, limit=SETS)[patient_id]
    return Course(
        patient_id=patient_id,
        span=span,
        since=since,
        until=until,
        now=now,
        spo2_scale=who.spo2_scale,
        lines=tuple(
            _line(name, vitals, bins, span=span, limits=limits, begun=begun, now=now)
            for name, vitals in LINES
        ),
        sets=tuple(sets),
    )


def _line(
    name: str,
    vitals: Sequence[str],
    bins: Sequence[Row[Any]],
    *,
    span: Span,
    limits: Mapping[str, Limit],
    begun: datetime,
    now: datetime,
) -> Line:
    points = [point for row in bins if (point := _point(row, vitals, step=span.step, now=now))]
    dotted = _is_seldom(points, span)
    gaps = [] if dotted else _gaps(points, span=span, begun=begun, now=now)
    return Line(
        name=name,
        vital=vitals[0],
        runs=_runs(points, SPOT_GAP if dotted else span.gap),
        gaps=tuple(gaps),
        dotted=dotted,
        limit=limits.get(vitals[0], Limit()),
    )


def _point(row: Row[Any], vitals: Sequence[str], *, step: timedelta, now: datetime) -> Point | None:
    values = row._mapping
    vital = next((vital for vital in vitals if values[f"{vital}_count"]), None)
    if vital is None:
        return None
    return Point(
        at=min(row.bin + step / 2, now),
        mean=values[f"{vital}_mean"],
        low=values[f"{vital}_min"],
        high=values[f"{vital}_max"],
        second=values["diastolic_bp_mean"] if vital == "systolic_bp" else None,
    )


def _is_seldom(points: Sequence[Point], span: Span) -> bool:
    """Does it come now and then? Told by the usual distance of its values: a device may measure anything."""
    if len(points) < 2:
        return True
    apart = sorted(b.at - a.at for a, b in pairwise(points))
    return apart[len(apart) // 2] > max(SELDOM_AFTER, span.step)


def _runs(points: Sequence[Point], most: timedelta) -> tuple[tuple[Point, ...], ...]:
    runs: list[list[Point]] = []
    for point in points:
        if not runs or point.at - runs[-1][-1].at > most:
            runs.append([])
        runs[-1].append(point)
    return tuple(tuple(run) for run in runs)


def _gaps(points: Sequence[Point], *, span: Span, begun: datetime, now: datetime) -> list[Gap]:
    """Where nothing came for too long, the beginning of the span and the present moment included."""
    half = span.step / 2
    edges = [begun, *(moment for point in points for moment in (point.at - half, point.at + half)), now]
    return [
        Gap(start=start, end=end)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start > span.gap
    ]
