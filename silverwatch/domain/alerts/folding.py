"""Read what waits to be judged and fold it: from the newest checkpoint before the first reading that waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import layers, rule_book
from silverwatch.domain.alerts.relimit import Span, pieces, relimit, together
from silverwatch.domain.alerts.rules import Checkpoint, Reading, Verdict, evaluate
from silverwatch.domain.readings import news2
from silverwatch.domain.readings.vitals import NUMERIC

ROWS: Final = 20_000
"""Readings folded in one go, shared by its patients; a longer backlog goes on in the next."""
CHUNK: Final = 500
KEEP_EVERY: Final = timedelta(seconds=60)
AHEAD: Final = timedelta(minutes=11)
SPOT_ABOVE_S: Final = 60.0
BY_HAND_S: Final = 4 * 3600.0
"""How often a set by hand is expected: NEWS2's interval for a low score."""
MARGIN: Final = timedelta(seconds=60)
"""How far before the first reading ever judged folding starts."""
EVER: Final = timedelta(weeks=10)
"""A reading older than every checkpoint: fold from the beginning, which no partition is older than."""

_STATES = """
SELECT js.patient_id, js.checkpoint, js.checkpoint_at, js.news FROM judge_state js
WHERE js.patient_id = ANY(:patients)
"""
_BEFORE = """
SELECT DISTINCT ON (w.patient_id) w.patient_id, c.state
FROM unnest(CAST(:patients AS uuid[]), CAST(:froms AS timestamptz[])) AS w(patient_id, since)
JOIN checkpoint c ON c.patient_id = w.patient_id AND c.at < w.since
ORDER BY w.patient_id, c.at DESC
"""
_READINGS = f"""
SELECT r.*, d.interval_s
FROM unnest(CAST(:patients AS uuid[]), CAST(:froms AS timestamptz[])) AS w(wanted_id, since)
JOIN LATERAL (
  SELECT patient_id, measured_at, received_at, source_id, sensor_off, consciousness, {", ".join(NUMERIC)}
  FROM reading
  WHERE patient_id = w.wanted_id AND measured_at > w.since AND measured_at < :until
  ORDER BY measured_at, source_id LIMIT :rows
) r ON true
LEFT JOIN device d ON d.id = r.source_id
WHERE least(r.measured_at, r.received_at) > w.since
"""


@dataclass(slots=True, kw_only=True)
class Fold:
    """One patient's fold: from which checkpoint, to which, and what it found.

    `start`: event time after which readings were folded. `rest_from`: a backlog goes on from there.
    `kept`: checkpoints on the way, for readings that come late. `refolded`: it started before the newest one.
    `scale`: of NEWS2 now, None for who is too young to be scored.
    """

    patient_id: UUID
    seq: int
    latest: dict[str, Any]
    news: dict[str, Any]
    scale: news2.Scale | None
    base: Checkpoint
    refolded: bool
    start: datetime
    checkpoint: Checkpoint = field(default_factory=Checkpoint.empty)
    verdicts: list[Verdict] = field(default_factory=list)
    kept: list[Checkpoint] = field(default_factory=list)
    rest_from: datetime | None = None


def fold_all(session: Session, claims: Sequence[Row[Any]], *, now: datetime) -> list[Fold]:
    """Fold every claimed patient; a constant number of statements, however many they are."""
    patients = [claim.patient_id for claim in claims]
    states = {row.patient_id: row for row in session.execute(text(_STATES), {"patients": patients})}
    late = [c for c in claims if _is_late(c, states.get(c.patient_id))]
    older = _older(session, late) if late else {}
    folds = [
        _begin(
            claim,
            states.get(claim.patient_id),
            late=claim in late,
            older=older.get(claim.patient_id),
            now=now,
        )
        for claim in claims
    ]
    most = max(CHUNK, ROWS // max(1, len(folds)))
    rows = _readings(session, folds, now=now, most=most)
    starts = {fold.patient_id: fold.start for fold in folds}
    limits = layers.courses_of(session, starts, now=now)
    rules = rule_book.courses_of(session, starts, now=now)
    for fold, claim in zip(folds, claims, strict=True):
        patient_id = fold.patient_id
        scales = _scales(claim, since=fold.start, now=now)
        spans = together(limits[patient_id], rules[patient_id], scales)
        _run(fold, rows.get(patient_id, []), spans, now=now, most=most)
    return folds


def _is_late(claim: Row[Any], state: Row[Any] | None) -> bool:
    return (
        state is not None and state.checkpoint_at is not None and claim.unjudged_from <= state.checkpoint_at
    )


def _older(session: Session, late: Sequence[Row[Any]]) -> dict[UUID, Any]:
    params = {"patients": [c.patient_id for c in late], "froms": [c.unjudged_from for c in late]}
    return {row.patient_id: row.state for row in session.execute(text(_BEFORE), params)}


def _begin(claim: Row[Any], state: Row[Any] | None, *, late: bool, older: Any, now: datetime) -> Fold:
    stored = older if late else (state.checkpoint if state is not None else None)
    base = msgspec.convert(stored, Checkpoint) if stored else Checkpoint.empty()
    return Fold(
        patient_id=claim.patient_id,
        seq=claim.seq,
        latest=claim.latest,
        news=state.news if state is not None else {},
        scale=news2.scale_for(claim.spo2_scale, born_on=claim.born_on, on=now.date()),
        base=base,
        refolded=late,
        start=base.at or (now - EVER if late else claim.unjudged_from - MARGIN),
    )


def _scales(claim: Row[Any], *, since: datetime, now: datetime) -> list[tuple[datetime, int | None]]:
    """On which scale of NEWS2 the patient was scored from then on: by decisions, and not before they were 16."""
    decided = [(datetime.fromisoformat(at), scale) for at, scale in claim.scales or ()]
    # Each decision is one against the scale before.
    first = 3 - decided[0][1] if decided else claim.spo2_scale
    birthday = news2.scored_from(claim.born_on)
    moments = {since, *(at for at in (birthday, *(at for at, _ in decided)) if since < at <= now)}
    return [
        (
            moment,
            None
            if moment < birthday
            else next((scale for at, scale in reversed(decided) if at <= moment), first),
        )
        for moment in sorted(moments)
    ]


def _readings(
    session: Session, folds: Sequence[Fold], *, now: datetime, most: int
) -> dict[UUID, list[Row[Any]]]:
    params = {
        "patients": [fold.patient_id for fold in folds],
        "froms": [fold.start for fold in folds],
        "until": now + AHEAD,
        "rows": most,
    }
    found: dict[UUID, list[Row[Any]]] = {}
    for row in session.execute(text(_READINGS), params):
        found.setdefault(row.patient_id, []).append(row)
    return found


def _run(fold: Fold, rows: list[Row[Any]], spans: tuple[Span, ...], *, now: datetime, most: int) -> None:
    if len(rows) >= most:
        # The last moment may be cut in half: it belongs to the next go. The join keeps no order.
        fold.rest_from = max(row.measured_at for row in rows)
        rows = [row for row in rows if row.measured_at < fold.rest_from]
        spans = tuple(span for span in spans if span.since < fold.rest_from) or spans[:1]
    readings = sorted(map(reading_of, rows), key=Reading.order)
    fold.checkpoint = fold.base
    found: dict[tuple[str, datetime], Verdict] = {}
    kept_at = fold.base.at
    before = spans[0].limits
    for piece in pieces(readings, spans, size=CHUNK):
        if piece.moved_at is not None and piece.by.limits is not before:
            fold.checkpoint, ended = relimit(
                fold.checkpoint, before=before, after=piece.by.limits, at=piece.moved_at
            )
            found.update(
                {(episode.kind, episode.raised_at): Verdict(episode, live=False) for episode in ended}
            )
            before = piece.by.limits
        fold.checkpoint, verdicts = evaluate(
            fold.checkpoint,
            piece.readings,
            limits=piece.by.limits,
            now=now,
            rules=piece.by.rules,
            scale=piece.by.scale,
        )
        found.update({(v.episode.kind, v.episode.raised_at): v for v in verdicts})
        at = fold.checkpoint.at
        if at is not None and (kept_at is None or _minute(at) > _minute(kept_at)):
            fold.kept.append(fold.checkpoint)
            kept_at = at
    fold.verdicts = list(found.values())


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // KEEP_EVERY.total_seconds())


def reading_of(row: Row[Any], names: Sequence[str] = NUMERIC) -> Reading:
    """A stored row, with the interval of its device, as the rules see it; with the values of these vitals."""
    values = {}
    for name in names:
        value = getattr(row, name)
        if value is not None:
            values[name] = value
    interval_s = row.interval_s
    return Reading(
        event_at=min(row.measured_at, row.received_at),
        values=values,
        sensor_off=row.sensor_off,
        spot=interval_s is None or interval_s > SPOT_ABOVE_S,
        interval_s=interval_s if interval_s is not None else BY_HAND_S,
        consciousness=row.consciousness,
    )
