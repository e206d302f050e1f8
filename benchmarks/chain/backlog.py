"""Ten thousand notices wait while nobody sends: what is new must not stand behind them, and they go all the same."""

import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import psycopg

from benchmarks.chain.account import PROMISED_S
from benchmarks.chain.parts import Dead
from benchmarks.chain.posts import Breaches
from benchmarks.chain.stage import Stage
from benchmarks.faults.site import Site, tree
from benchmarks.measure import cpu_s, rss_mb

ALERTS: Final = 50
DRAINED_WITHIN_S: Final = 600.0
NEW: Final = 5
"""Breaches while the backlog drains, one after the other."""
EVERY_S: Final = 3.0

_ALERT: Final = """
INSERT INTO alert (id, subject, subject_id, patient_id, kind, priority, peak_priority, technical, live, run_from,
  event_at, last_at, raised_at, step)
SELECT gen_random_uuid(), 'patient', p, p, 'backlog', 'medium', 'medium', false, true, now(), now(), now(), now(), 1
FROM unnest(%s::uuid[]) p RETURNING id
"""
_ESCALATION: Final = """
INSERT INTO escalation (id, alert_id, ward_id, priority, place, role, reached, taken_at)
SELECT gen_random_uuid(), a, %(ward)s, 'medium', 0, 'nurse', 2, now() - random() * interval '60 minutes'
FROM unnest(%(alerts)s::uuid[]) a, generate_series(1, %(each)s)
"""
# Both nurses, by webhook: minutes old, the older half older than what is still sent.
_NOTICE: Final = """
INSERT INTO notice (id, alert_id, escalation_id, account_id, channel, address_id, priority, created_at, next_attempt_at)
SELECT gen_random_uuid(), e.alert_id, e.id, d.account_id, d.channel, d.id,
  (ARRAY['high', 'medium', 'low'])[1 + (random() * 2)::int], e.taken_at, e.taken_at
FROM escalation e JOIN alert a ON a.id = e.alert_id AND a.kind = 'backlog', notice_address d
WHERE d.channel = 'webhook' AND d.account_id = ANY(%(accounts)s)
RETURNING id::text, created_at > now() - interval '20 minutes'
"""
_LEFT: Final = (
    "SELECT count(*) FROM notice n JOIN alert a ON a.id = n.alert_id"
    " WHERE a.kind = 'backlog' AND n.next_attempt_at IS NOT NULL"
)
_ENDS: Final = (
    "SELECT count(*) FILTER (WHERE n.failed_at IS NOT NULL AND n.error LIKE 'Given up%'),"
    " count(*) FILTER (WHERE n.failed_at IS NULL AND n.delivered_at IS NULL"
    " OR n.error IS NULL AND n.failed_at IS NOT NULL)"
    " FROM notice n JOIN alert a ON a.id = n.alert_id WHERE a.kind = 'backlog'"
)


@dataclass(slots=True, kw_only=True)
class Found:
    """What came of it. `new_s`: how long each new notice took from its row to the receiver."""

    waiting: int = 0
    young: int = 0
    arrived: int = 0
    closed: int = 0
    drained_s: float = 0.0
    new_s: list[float] = field(default_factory=list)
    rss_before_mb: float = 0.0
    rss_most_mb: float = 0.0
    cpu_s: float = 0.0
    problems: list[str] = field(default_factory=list)


def run(stage: Stage, *, size: int, dice: Random) -> Found:
    """Let `size` notices wait with everybody dead who sends, and see what happens when they are back."""
    found = Found()
    found.rss_before_mb = _rss(stage.site)
    dead = Dead(stage.site, ("worker", "scheduler"), dice=dice)
    watch = threading.Thread(target=dead.keep, args=(2.0,))
    watch.start()
    young = _fill(stage, found, size=size)
    watch.join()
    dead.back()
    began = time.monotonic()
    used = cpu_s(senders(stage.site))
    news = threading.Thread(target=_new_ones, args=(stage, found), daemon=True)
    news.start()
    _drain(stage, found, began)
    news.join()
    found.cpu_s = cpu_s(senders(stage.site)) - used
    _compare(stage, found, young)
    return found


def _fill(stage: Stage, found: Found, *, size: int) -> set[str]:
    patients = [str(bed.patient_id) for bed in stage.fresh(ALERTS)]
    accounts = [stage.actors[name].account_id for name in ("Nora", "Nils")]
    with psycopg.connect(stage.site.database_url()) as connection:
        alerts = [row[0] for row in connection.execute(_ALERT, (patients,)).fetchall()]
        each = size // ALERTS // len(accounts)
        connection.execute(_ESCALATION, {"alerts": alerts, "each": each, "ward": stage.ward_id})
        rows = connection.execute(_NOTICE, {"accounts": accounts}).fetchall()
    found.waiting = len(rows)
    return {row[0] for row in rows if row[1]}


def _new_ones(stage: Stage, found: Found) -> None:
    """Breaches of today; how long until the receiver has the first notice of each."""
    for _ in range(NEW):
        beds = stage.fresh(1)
        posts = Breaches(int(stage.site.base_url.rsplit(":", 1)[1]), beds)
        posts.wait()
        time.sleep(EVERY_S)
    patients = [str(row) for row in _used(stage)]
    found.new_s = [at - due for due, at in _arrivals(stage, patients)]
    if len(found.new_s) < NEW * 2:
        found.problems.append(f"{len(found.new_s)} of {NEW * 2} new notices arrived in time")


def _used(stage: Stage) -> list[Any]:
    query = (
        "SELECT patient_id FROM alert WHERE kind = 'oxygen_saturation_low' ORDER BY raised_at DESC LIMIT %s"
    )
    with psycopg.connect(stage.site.database_url()) as connection:
        return [row[0] for row in connection.execute(query, (NEW,)).fetchall()]


def _arrivals(stage: Stage, patients: list[str]) -> list[tuple[float, float]]:
    query = (
        "SELECT n.id::text, extract(epoch FROM n.created_at)::float FROM notice n JOIN alert a ON a.id = n.alert_id"
        " JOIN escalation e ON e.id = n.escalation_id WHERE a.patient_id = ANY(%s::uuid[])"
        " AND a.kind = 'oxygen_saturation_low' AND n.channel = 'webhook' AND e.place = 0"
    )
    with psycopg.connect(stage.site.database_url()) as connection:
        due = dict(connection.execute(query, (patients,)).fetchall())
    first: dict[str, float] = {}
    for line in stage.webhooks.arrived():
        first.setdefault(line["id"], line["at"])
    return [(at, first[name]) for name, at in due.items() if name in first]


def _drain(stage: Stage, found: Found, began: float) -> None:
    with psycopg.connect(stage.site.database_url(), autocommit=True) as connection:
        while time.monotonic() - began < DRAINED_WITHIN_S:
            row = connection.execute(_LEFT).fetchone()
            found.rss_most_mb = max(found.rss_most_mb, _rss(stage.site))
            found.drained_s = time.monotonic() - began
            if row is not None and row[0] == 0:
                return
            time.sleep(0.2)
    found.problems.append(f"not drained after {DRAINED_WITHIN_S:.0f} s")


def _compare(stage: Stage, found: Found, young: set[str]) -> None:
    came = [line["id"] for line in stage.webhooks.arrived()]
    found.young, found.arrived = len(young), len(young & set(came))
    if found.arrived != found.young:
        found.problems.append(f"{found.young - found.arrived} of the backlog never arrived")
    with psycopg.connect(stage.site.database_url()) as connection:
        row = connection.execute(_ENDS).fetchone()
    assert row is not None
    found.closed = row[0]
    if row[1]:
        found.problems.append(f"{row[1]} have no end, or no reason")
    late = [one for one in found.new_s if one > PROMISED_S]
    if late:
        found.problems.append(f"{len(late)} new notices late, the latest {max(late):.1f} s")


def senders(site: Site) -> list[int]:
    """The processes that send notices."""
    pids = [site.pid(part) for part in ("scheduler", "report-worker")]
    return [below for pid in pids if pid is not None for below in tree(pid)]


def _rss(site: Site) -> float:
    return sum(rss_mb(pid) for pid in senders(site))
