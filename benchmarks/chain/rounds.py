"""One round: breaches come in, parts die at a point of the way, come back, and everything is compared."""

import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Final

import psycopg

from benchmarks.chain import account
from benchmarks.chain.account import Found
from benchmarks.chain.gates import GATES, Gates
from benchmarks.chain.parts import Dead
from benchmarks.chain.posts import Breaches
from benchmarks.chain.stage import Stage
from silverwatch import clock, db
from silverwatch.domain.alerts import reach, service

BEFORE_STEP: Final = "before the next step"
POINTS: Final = (*GATES, BEFORE_STEP)
PATIENTS: Final = 3
DEAD_S: Final = (0.0, 3.0)
POLL_S: Final = 0.02
SHORTLY_S: Final = 0.7
"""So long before the next step is due the parts are killed."""


class _Eye(threading.Thread):
    """Looks from outside when each patient's alert is there."""

    def __init__(self, url: str, patients: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, float] = {}
        self._url, self._patients, self._over = url, list(patients), threading.Event()

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(POLL_S):
                rows = connection.execute(
                    "SELECT patient_id::text FROM alert WHERE patient_id = ANY(%s::uuid[])", (self._patients,)
                ).fetchall()
                for (patient,) in rows:
                    self.seen.setdefault(patient, time.time())

    def close(self) -> dict[str, float]:
        self._over.set()
        self.join()
        return self.seen


def play(stage: Stage, gates: Gates, point: str, parts: Sequence[str], *, dice: Random) -> Found:
    """Kill these parts at this point, and say what came of it."""
    found = Found(point=point, parts=tuple(parts))
    beds = stage.fresh(PATIENTS)
    patients = [str(bed.patient_id) for bed in beds]
    eye = _Eye(stage.site.database_url(), patients)
    eye.start()
    dead_s = dice.uniform(*DEAD_S)
    if point == BEFORE_STEP:
        posts = _post(stage, beds)
        posts.wait()
        _until_a_step_is_due(stage, patients)
        dead = Dead(stage.site, parts, dice=dice)
    else:
        with gates.shut(point) as gate:
            posts = _post(stage, beds)
            if not gate.wait():
                found.problems.append("nobody came to the gate")
            dead = Dead(stage.site, parts, dice=dice)
            gate.open()
    killed_at = time.time()
    dead.keep(dead_s)
    back_at = dead.back()
    found.down_s = back_at - killed_at
    posts.wait()
    account.wait_for_end(stage, patients)
    account.compare(stage, found, acknowledged=posts.acknowledged, seen=eye.close(), back_at=back_at)
    _take(stage, patients)
    return found


def _post(stage: Stage, beds: Sequence[account.Any]) -> Breaches:
    return Breaches(int(stage.site.base_url.rsplit(":", 1)[1]), beds)


def _until_a_step_is_due(stage: Stage, patients: Sequence[str]) -> None:
    query = (
        "SELECT extract(epoch FROM min(escalate_at) - clock_timestamp())::float FROM alert"
        " WHERE patient_id = ANY(%s::uuid[]) AND step = 1 HAVING count(*) = %s"
    )
    with psycopg.connect(stage.site.database_url(), autocommit=True) as connection:
        until = time.monotonic() + account.ENDED_WITHIN_S
        while time.monotonic() < until:
            row = connection.execute(query, (list(patients), len(patients))).fetchone()
            if row and row[0] < SHORTLY_S:
                return
            time.sleep(POLL_S)
    raise RuntimeError("the first step was not taken")


def _take(stage: Stage, patients: Sequence[str]) -> None:
    """Somebody takes the alarms: no further step comes."""
    actor = stage.actors["Nora"]
    with db.transaction() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT id FROM alert WHERE patient_id = ANY(%s::uuid[]) AND closed_at IS NULL", (list(patients),)
        )
        for (alert_id,) in rows.fetchall():
            alert = reach.alert_for(session, actor, alert_id, now=clock.now())
            service.acknowledge(session, actor, alert, now=clock.now())
