"""Judge every patient that waits: one job drains them all."""

import logging
from datetime import datetime
from uuid import UUID

from silverwatch import clock, db, flow
from silverwatch.adapters import job_queue
from silverwatch.domain.alerts import judging
from silverwatch.domain.alerts.judging import Judged

log = logging.getLogger(__name__)


def judge() -> None:
    """The job behind the bell. The bell goes down first: what is stored from now on rings again."""
    queue = job_queue.current()
    if queue is not None:
        queue.answer_bell(flow.JUDGE)
    drain()


def drain(*, before: datetime | None = None) -> int:
    """Judge whoever waits (since `before`, if given); gives how many were judged.

    Who comes while it runs has rung anew: going on for each of them would keep a worker spinning.
    """
    judged = 0
    while True:
        done = judge_some(before=before)
        judged += done.patients
        if not done.goes_on:
            return judged


def judge_some(*, before: datetime | None = None) -> Judged:
    """Judge one batch. When it fails, one patient at a time, so that a bad one does not hold the others."""
    try:
        return _judge(before=before, limit=judging.BATCH)
    except (*db.UNAVAILABLE, job_queue.Interrupted):
        raise
    except Exception:
        log.exception("judging a batch failed, going on one patient at a time")
    with db.transaction(read_only=True) as session:
        waiting = judging.waiting(session, before=before)
    return Judged(patients=sum(_judge_alone(patient_id) for patient_id in waiting), goes_on=bool(waiting))


@db.retried
def _judge(*, before: datetime | None, limit: int) -> Judged:
    with db.transaction() as session:
        return judging.judge_pending(session, now=clock.now(), before=before, limit=limit)


def _judge_alone(patient_id: UUID) -> int:
    try:
        with db.transaction() as session:
            return judging.judge_pending(session, now=clock.now(), only=patient_id).patients
    except (*db.UNAVAILABLE, job_queue.Interrupted):
        raise
    except Exception:
        log.exception("judging patient %s failed", patient_id)
        with db.transaction() as session:
            judging.give_up(session, patient_id, now=clock.now())
        return 0
