"""Setting limits: each change is a version of its layer that stays. The caller commits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.alerts import layers
from silverwatch.domain.alerts.facts import LimitsChanged
from silverwatch.domain.alerts.limit_cells import Key, Own, Owned, Setting, Settings, settings_of
from silverwatch.domain.alerts.limit_models import LimitVersion
from silverwatch.domain.alerts.limit_proposal import LimitsError, Proposal, Scope
from silverwatch.domain.alerts.limits import Limits
from silverwatch.domain.errors import ConflictError

EXPIRED: Final = "The time was over"
DISCHARGED: Final = "The stay was over"
UNDONE: Final = "The discharge was undone"
MERGED: Final = "The record was merged into another one"


def of_scope(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """The conditions of the versions of a scope."""
    return (
        LimitVersion.layer == scope.layer,
        LimitVersion.ward_id.is_not_distinct_from(scope.ward_id),
        LimitVersion.patient_id.is_not_distinct_from(scope.patient_id),
    )


def present(session: Session, scope: Scope, *, now: datetime, lock: bool = False) -> Proposal:
    """What the scope sets now, as the proposal that changes nothing."""
    query = select(LimitVersion).where(*of_scope(scope), LimitVersion.superseded_at.is_(None))
    standing = session.scalar(query.with_for_update() if lock else query)
    own = alive(standing.cells, now=now) if standing else {}
    return Proposal(
        scope=scope,
        base=layers.inherited(session, scope.layer, patient_id=scope.patient_id, now=now),
        own=own,
        wanted={key: cell.setting for key, cell in own.items()},
        number=standing.number if standing else 0,
    )


def alive(cells: Mapping[str, Any], *, now: datetime) -> dict[Key, Own]:
    """The cells of a version whose time is not over."""
    own = layers.owned(cells)
    return {key: cell for key, cell in own.items() if cell.until is None or cell.until > now}


def change(
    session: Session,
    scope: Scope,
    wanted: Settings,
    *,
    by: UUID | None,
    reason: str,
    until: datetime | None = None,
    seen: int | None = None,
    now: datetime,
) -> LimitVersion | None:
    """Let the scope set exactly these cells; None where it does already. What stays as it is keeps who set it and why.

    `seen`: the number of the version that the person looked at. Raises LimitsError for what cannot be set,
    ConflictError where somebody was faster or a patient lies in no bed.
    """
    found = present(session, scope, now=now, lock=True)
    if seen is not None and seen != found.number:
        raise ConflictError(
            "Somebody else has changed these limits. Look at them before you change them again."
        )
    if scope.patient_id is not None and not _lies_in_bed(session, scope.patient_id, now=now):
        raise ConflictError("The patient lies in no bed: own limits are for a stay.")
    proposal = proposed(found, wanted)
    if not proposal.changed():
        return None
    errors = proposal.errors(reason=reason, until=until, now=now)
    if errors:
        raise LimitsError(errors)
    changed = set(proposal.changed())
    cells = {
        key: Own(value=s.value, off=s.off, by=by, at=now, reason=reason.strip(), until=until)
        if key in changed
        else found.own[key]
        for key, s in proposal.wanted.items()
    }
    return _write(session, proposal, cells, by=by, reason=reason.strip(), now=now)


def proposed(found: Proposal, wanted: Settings) -> Proposal:
    """The same scope with exactly these cells set instead."""
    return replace(found, wanted=_pruned(found.base, wanted))


def with_wanted(found: Proposal, wanted: Settings) -> dict[Key, Setting]:
    """Every cell as it would apply if the scope set exactly these."""
    return settings_of(replace(found, wanted=wanted).after)


def _pruned(base: Limits, wanted: Settings) -> dict[Key, Setting]:
    """Without the cells that say what they would inherit."""
    inherited = settings_of(base)
    return {key: setting for key, setting in wanted.items() if setting != inherited[key]}


def _write(
    session: Session, proposal: Proposal, cells: Owned, *, by: UUID | None, reason: str, now: datetime
) -> LimitVersion:
    scope = proposal.scope
    session.execute(
        update(LimitVersion)
        .where(*of_scope(scope), LimitVersion.superseded_at.is_(None))
        .values(superseded_at=now)
    )
    version = LimitVersion(
        id=clock.new_id(),
        layer=scope.layer,
        ward_id=scope.ward_id,
        patient_id=scope.patient_id,
        number=proposal.number + 1,
        at=now,
        account_id=by,
        reason=reason,
        ends_at=min((own.until for own in cells.values() if own.until), default=None),
        cells=layers.json_of(cells),
        changes=proposal.lines(),
    )
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError as error:
        raise ConflictError("Somebody else is changing these limits. Look at them again.") from error
    _judge_again(session, scope, now=now)
    return version


# By the order of locks: a patient's state before their readings and alerts.
_TOUCHED: Final = """
SELECT vs.patient_id FROM vital_state vs
WHERE vs.patient_id IN (
  SELECT s.patient_id FROM stay s JOIN bed b ON b.id = s.bed_id
  WHERE s.during @> CAST(:now AS timestamptz) {condition}
) {or_patient}
ORDER BY vs.patient_id FOR UPDATE
"""
_WAIT: Final = """
UPDATE vital_state SET unjudged_since = coalesce(unjudged_since, :now), unjudged_from = least(unjudged_from, :now)
WHERE patient_id = ANY(:patients)
"""


def _judge_again(session: Session, scope: Scope, *, now: datetime) -> None:
    """The newest values of those whom it concerns are judged under what applies now."""
    condition = {
        "site": "",
        "ward": "AND b.ward_id = :ward",
        "patient": "AND s.patient_id = :patient",
    }[scope.layer]
    params = {"now": now, "ward": scope.ward_id, "patient": scope.patient_id}
    also = "OR vs.patient_id = :patient" if scope.layer == "patient" else ""
    query = text(_TOUCHED.format(condition=condition, or_patient=also))
    patients = list(session.scalars(query, params))
    if patients:
        session.execute(text(_WAIT), {"patients": patients, "now": now})
    ids = patients or ([scope.patient_id] if scope.patient_id else [])
    events.record(session, LimitsChanged(patient_ids=tuple(ids)))


def _lies_in_bed(session: Session, patient_id: UUID, *, now: datetime) -> bool:
    query = text("SELECT 1 FROM stay WHERE patient_id = :id AND during @> CAST(:now AS timestamptz)")
    return session.execute(query, {"id": patient_id, "now": now}).first() is not None


# From bed to bed without a gap is one stay: a transfer keeps a patient's own limits, a discharge ends them.
_DUE: Final = """
SELECT v.id FROM limit_version v
WHERE v.superseded_at IS NULL AND v.cells <> '{}'
  AND (v.ends_at <= :now OR (v.layer = 'patient' AND NOT coalesce((
    SELECT range_agg(s.during) @> tstzrange(v.at, :now, '[]') FROM stay s WHERE s.patient_id = v.patient_id
  ), false)))
ORDER BY v.id FOR UPDATE OF v SKIP LOCKED
"""


def end_due(session: Session, *, now: datetime) -> int:
    """End the limits whose time is over, and a patient's own after the stay. For the guard."""
    ids = list(session.scalars(text(_DUE), {"now": now}))
    if not ids:
        return 0
    versions = session.scalars(select(LimitVersion).where(LimitVersion.id.in_(ids))).all()
    for version in versions:
        _end(session, version, now=now)
    return len(versions)


def end_of_stay(session: Session, patient_id: UUID, *, now: datetime, reason: str = DISCHARGED) -> int | None:
    """The patient's stay is over, and with it their own limits; gives the number of what held, None for none."""
    query = select(LimitVersion).where(
        *of_scope(Scope.of_patient(patient_id)), LimitVersion.superseded_at.is_(None)
    )
    version = session.scalar(query.with_for_update())
    if version is None or not version.cells:
        return None
    proposal = replace(present(session, Scope.of_patient(patient_id), now=now), wanted={})
    _write(session, proposal, {}, by=None, reason=reason, now=now)
    return version.number


def hold_again(session: Session, patient_id: UUID, number: int, *, by: UUID, now: datetime) -> None:
    """The stay goes on after all: what held by this version holds again, as far as its time is not over."""
    scope = Scope.of_patient(patient_id)
    cells: Mapping[str, Any] | None = session.scalar(
        select(LimitVersion.cells).where(*of_scope(scope), LimitVersion.number == number)
    )
    found = present(session, scope, now=now, lock=True)
    left = alive(cells or {}, now=now)
    if left and not found.own:
        wanted = {key: cell.setting for key, cell in left.items()}
        _write(session, replace(found, wanted=wanted), left, by=by, reason=UNDONE, now=now)


def _end(session: Session, version: LimitVersion, *, now: datetime) -> None:
    scope = Scope(version.layer, version.ward_id, version.patient_id)  # type: ignore[arg-type]
    own = layers.owned(version.cells)
    left = alive(version.cells, now=now)
    is_over = len(left) == len(own)
    proposal = Proposal(
        scope=scope,
        base=layers.inherited(session, scope.layer, patient_id=scope.patient_id, now=now),
        own=own,
        wanted={} if is_over else {key: cell.setting for key, cell in left.items()},
        number=version.number,
    )
    _write(
        session,
        proposal,
        {} if is_over else left,
        by=None,
        reason=DISCHARGED if is_over else EXPIRED,
        now=now,
    )


def settings_at(session: Session, scope: Scope, number: int) -> dict[Key, Setting] | None:
    """What the scope set by its version of this number: to be set again. None: there is no such version."""
    query = select(LimitVersion.cells).where(*of_scope(scope), LimitVersion.number == number)
    cells: Mapping[str, Any] | None = session.scalar(query)
    if cells is None:
        return None
    return {key: own.setting for key, own in layers.owned(cells).items()}


def history(session: Session, scope: Scope, *, limit: int = 50) -> Sequence[LimitVersion]:
    """The newest versions of a scope, newest first."""
    query = select(LimitVersion).where(*of_scope(scope)).order_by(LimitVersion.number.desc()).limit(limit)
    return session.scalars(query).all()
