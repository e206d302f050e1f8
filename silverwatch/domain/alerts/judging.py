"""Judge what was stored: claim patients, fold their readings in event-time order, bring the alerts in line.

The row lock on `vital_state` is the only claim. Alerts, facts and the new checkpoint are one transaction, so
a crash between any two lines leaves the patient unjudged, and the next one who looks does it again.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain import events
from silverwatch.domain.alerts import checkpoints, folding, outcome, service
from silverwatch.domain.alerts.facts import PatientsJudged

BATCH: Final = 100

_CLAIM = """
SELECT vs.patient_id, vs.seq, vs.unjudged_from, vs.latest, p.spo2_scale, p.born_on,
       (SELECT json_agg(json_build_array(d.decided_at, d.scale) ORDER BY d.decided_at)
        FROM scale_decision d WHERE d.patient_id = p.id) AS scales
FROM vital_state vs JOIN patient p ON p.id = vs.patient_id
WHERE vs.unjudged_since IS NOT NULL {condition}
ORDER BY vs.unjudged_since, vs.patient_id LIMIT :limit
FOR UPDATE OF vs SKIP LOCKED
"""


class Judged(NamedTuple):
    """How many patients were judged, and whether there is more to do at once: a full batch, a cut backlog."""

    patients: int
    goes_on: bool


def judge_pending(
    session: Session,
    *,
    now: datetime,
    before: datetime | None = None,
    limit: int = BATCH,
    only: UUID | None = None,
) -> Judged:
    """Judge up to `limit` patients who wait (since `before`, or just the one of id `only`)."""
    condition = ("AND vs.unjudged_since < :before " if before else "") + (
        "AND vs.patient_id = :only" if only else ""
    )
    params = {"limit": limit, "before": before, "only": only}
    claims = session.execute(text(_CLAIM.format(condition=condition)), params).all()
    if not claims:
        return Judged(patients=0, goes_on=False)
    folds = folding.fold_all(session, claims, now=now)
    outcome.apply(session, folds, now=now)
    checkpoints.store(session, folds)
    events.record(session, PatientsJudged(patient_ids=tuple(fold.patient_id for fold in folds)))
    is_cut = any(fold.rest_from is not None for fold in folds)
    return Judged(patients=len(folds), goes_on=is_cut or len(folds) == limit)


def waiting(session: Session, *, before: datetime | None = None, limit: int = BATCH) -> list[UUID]:
    """The patients who wait to be judged, longest first."""
    condition = "AND unjudged_since < :before" if before else ""
    rows = session.execute(
        text(
            f"SELECT patient_id FROM vital_state WHERE unjudged_since IS NOT NULL {condition}"
            " ORDER BY unjudged_since LIMIT :limit"
        ),
        {"before": before, "limit": limit},
    )
    return [row.patient_id for row in rows]


UNJUDGEABLE: Final = "judging_failed"


def give_up(session: Session, patient_id: UUID, *, now: datetime) -> None:
    """A patient whose readings cannot be judged: say so with an alert, and wait for the next reading to try again."""
    service.raise_alert(
        session,
        now=now,
        subject="patient",
        subject_id=patient_id,
        patient_id=patient_id,
        kind=UNJUDGEABLE,
        priority="high",
        technical=True,
        run_from=now,
        event_at=now,
        last_at=now,
    )
    session.execute(
        text("UPDATE vital_state SET unjudged_since = NULL WHERE patient_id = :id"), {"id": patient_id}
    )
