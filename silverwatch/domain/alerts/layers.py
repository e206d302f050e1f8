"""Which limits apply to which patient: the site's, where the ward sets none, where the patient has none of their own.

Read anew for each question, nothing is kept but what is worked out from the same texts: a change holds at once in
every process.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.alerts.limit_cells import Key, Layer, Own, Setting, applied
from silverwatch.domain.alerts.limits import Limit, Limits

_VERSIONS: Final = """
SELECT layer, ward_id, patient_id, at, superseded_at, ends_at, CAST(cells AS text) AS cells
FROM limit_version
WHERE (superseded_at IS NULL OR superseded_at > :since) AND (patient_id IS NULL OR patient_id = ANY(:patients))
UNION ALL
SELECT 'delivered', NULL, NULL, NULL, NULL, NULL, CAST(jsonb_agg(to_jsonb(v) ORDER BY v.vital) AS text)
FROM vital_limit v
"""
_STAYS: Final = """
SELECT s.patient_id, b.ward_id, lower(s.during) AS since, upper(s.during) AS until
FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE s.patient_id = ANY(:patients) AND s.during && tstzrange(:since, :now, '[]')
"""

Course = tuple[tuple[datetime, Limits], ...]
"""Limits with since when they applied."""


def limits_of(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Limits]:
    """The limits that apply to each of these patients now; who has the same ones shares an instance."""
    wanted = dict.fromkeys(patient_ids, now)
    return {patient: course[-1][1] for patient, course in courses_of(session, wanted, now=now).items()}


def courses_of(session: Session, since: Mapping[UUID, datetime], *, now: datetime) -> dict[UUID, Course]:
    """Which limits applied to each of these patients from their `since` to `now`: one of them where none changed.

    A constant number of statements, however many the patients are.
    """
    oldest = min(since.values(), default=now)
    params = {"patients": list(since), "since": oldest, "now": now}
    base, versions = _read(session, params)
    if not versions:
        return {patient: ((start, _limits(base, ())),) for patient, start in since.items()}
    stays: dict[UUID, list[Row[Any]]] = {}
    for row in session.execute(text(_STAYS), params):
        stays.setdefault(row.patient_id, []).append(row)
    own: dict[tuple[str, UUID | None], list[Row[Any]]] = {}
    for row in versions:
        own.setdefault((row.layer, row.ward_id or row.patient_id), []).append(row)
    return {
        patient: _course(base, own, stays.get(patient, ()), patient_id=patient, since=start, now=now)
        for patient, start in since.items()
    }


def inherited(session: Session, layer: Layer, *, patient_id: UUID | None = None, now: datetime) -> Limits:
    """What applies in a layer where it sets nothing: the site as delivered, the site, or the patient's ward."""
    above = {"site": (), "ward": ("site",), "patient": ("site", "ward")}[layer]
    params = {"patients": [patient_id] if patient_id else [], "since": now, "now": now}
    stay = session.execute(text(_STAYS), params).first() if patient_id else None
    base, rows = _read(session, params)
    merged: dict[Key, Setting] = {}
    for name in above:
        for row in rows:
            if row.layer == name and (name == "site" or (stay is not None and row.ward_id == stay.ward_id)):
                merged |= dict(_settings(row, now))
    return _limits(base, tuple(sorted(merged.items())))


def delivered(session: Session) -> Limits:
    """The limits that a new site begins with: what the site's layer has where it sets none."""
    return inherited(session, "site", now=clock.now())


def _read(session: Session, params: Mapping[str, Any]) -> tuple[str, list[Row[Any]]]:
    """The delivered limits as JSON, and the versions that people made."""
    rows = session.execute(text(_VERSIONS), params).all()
    return next(row.cells for row in rows if row.layer == "delivered"), [
        row for row in rows if row.layer != "delivered"
    ]


def _course(
    base: str,
    own: Mapping[tuple[str, UUID | None], Sequence[Row[Any]]],
    stays: Sequence[Row[Any]],
    *,
    patient_id: UUID,
    since: datetime,
    now: datetime,
) -> Course:
    site, mine = own.get(("site", None), ()), own.get(("patient", patient_id), ())
    moments = {since}
    for lying in stays:
        moments |= {at for at in (lying.since, lying.until) if at is not None}
        for row in own.get(("ward", lying.ward_id), ()):
            moments |= set(_edges(row))
    for row in (*site, *mine):
        moments |= set(_edges(row))
    course: list[tuple[datetime, Limits]] = []
    for moment in sorted(at for at in moments if since <= at <= now):
        stay = next((s for s in stays if _holds(s.since, s.until, moment)), None)
        # Whoever lies in no bed has the site's limits: a patient's own are for the stay.
        nearer = (own.get(("ward", stay.ward_id), ()), mine) if stay is not None else ()
        merged: dict[Key, Setting] = {}
        for rows in (site, *nearer):
            merged |= dict(_settings(_standing(rows, moment), moment))
        limits = _limits(base, tuple(sorted(merged.items())))
        if not course or course[-1][1] is not limits:
            course.append((moment, limits))
    return tuple(course)


def _edges(row: Row[Any]) -> tuple[datetime, ...]:
    untils = (own.until for own in cells_in(row.cells).values()) if row.ends_at else ()
    return tuple(at for at in (row.at, row.superseded_at, *untils) if at is not None)


def _holds(since: datetime | None, until: datetime | None, at: datetime) -> bool:
    return (since is None or since <= at) and (until is None or at < until)


def _standing(rows: Sequence[Row[Any]], at: datetime) -> Row[Any] | None:
    return next((row for row in rows if _holds(row.at, row.superseded_at, at)), None)


def _settings(row: Row[Any] | None, at: datetime) -> tuple[tuple[Key, Setting], ...]:
    if row is None:
        return ()
    if row.ends_at is None:
        return _always(row.cells)
    return tuple(
        (key, own.setting) for key, own in cells_in(row.cells).items() if own.until is None or own.until > at
    )


@lru_cache(maxsize=4096)
def cells_in(cells: str) -> Mapping[Key, Own]:
    """The cells of a version from their JSON, in the order of screens."""
    found = msgspec.json.decode(cells, type=dict[str, dict[str, Own]])
    return {
        Key(vital, cell): own for vital, mine in sorted(found.items()) for cell, own in sorted(mine.items())
    }


def owned(cells: Mapping[str, Any]) -> dict[Key, Own]:
    """The cells of a version as the database gives them."""
    return dict(cells_in(msgspec.json.encode(cells).decode()))


def json_of(cells: Mapping[Key, Own]) -> dict[str, Any]:
    """The cells of a version as JSON."""
    found: dict[str, Any] = {}
    for key, own in cells.items():
        found.setdefault(key.vital, {})[key.cell] = msgspec.to_builtins(own)
    return found


@lru_cache(maxsize=4096)
def _always(cells: str) -> tuple[tuple[Key, Setting], ...]:
    return tuple((key, own.setting) for key, own in cells_in(cells).items())


@lru_cache(maxsize=16)
def _base(delivered: str) -> Limits:
    rows = msgspec.json.decode(delivered, type=list[_Delivered])
    names = Limit.__struct_fields__
    return Limits({row.vital: Limit(**{name: getattr(row, name) for name in names}) for row in rows})


class _Delivered(Limit, frozen=True, kw_only=True):
    vital: str


@lru_cache(maxsize=4096)
def _limits(delivered: str, settings: tuple[tuple[Key, Setting], ...]) -> Limits:
    """Keyed by what is set: two patients with the same limits share what is worked out from them."""
    return applied(_base(delivered), dict(settings))


def switched_off(
    session: Session, patient_ids: Iterable[UUID], *, now: datetime
) -> dict[UUID, frozenset[str]]:
    """The vitals of which somebody switched a limit off, of each of these patients."""
    return {
        patient: frozenset(vital for vital, _ in limits.off)
        for patient, limits in limits_of(session, patient_ids, now=now).items()
        if limits.off
    }
