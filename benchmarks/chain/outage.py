"""A channel is down for long: people are told another way, it is tried seldom, and all goes out when it is back."""

import time
from dataclasses import dataclass, field
from typing import Final

import psycopg

from benchmarks.chain.account import PROMISED_S
from benchmarks.chain.backlog import senders
from benchmarks.chain.posts import Breaches
from benchmarks.chain.stage import CREW, Stage, set_chain
from benchmarks.measure import cpu_s
from silverwatch import db
from silverwatch.domain.notices import rules, ways

AT_ONCE: Final = 5
"""Breaches that come together when it goes down; then one after the other."""
EVERY_S: Final = 4.0
BACK_WITHIN_S: Final = 60.0
KINDS: Final = {"refuses": "nobody listens", "hangs": "it takes calls and never answers"}

_WEBHOOKS: Final = (
    "SELECT n.id::text, n.escalation_id::text || n.account_id::text, extract(epoch FROM n.created_at)::float,"
    " n.attempts, n.next_attempt_at IS NOT NULL"
    " FROM notice n WHERE n.channel = 'webhook' AND extract(epoch FROM n.created_at) > %s"
)
_LETTERS: Final = (
    "SELECT n.escalation_id::text || n.account_id::text, n.id::text FROM notice n"
    " WHERE n.channel = 'email' AND extract(epoch FROM n.created_at) > %s"
)


@dataclass(slots=True, kw_only=True)
class Found:
    """One outage. `other_s`: from each notice that could not go to the letter of the same person; `back_s`: until
    everything had gone out once the receiver was back."""

    kind: str
    lasted_s: float = 0.0
    notices: int = 0
    other_s: list[float] = field(default_factory=list)
    attempts: int = 0
    allowed: int = 0
    cpu_share: float = 0.0
    down: int = 0
    back_s: float = 0.0
    problems: list[str] = field(default_factory=list)


def run(stage: Stage, kind: str, *, seconds: float) -> Found:
    """The receiver of webhooks is away for so long, in one of KINDS."""
    found, began = Found(kind=kind), time.time()
    set_chain(stage, channels=("web", "webhook"))
    stage.webhooks.stop() if kind == "refuses" else stage.webhooks.hang()
    cpu, since = cpu_s(senders(stage.site)), time.monotonic()
    _post(stage, AT_ONCE)
    while time.monotonic() - since < seconds:
        time.sleep(EVERY_S)
        _post(stage, 1)
    # The last ones too have time to be told another way.
    time.sleep(PROMISED_S * 2)
    found.lasted_s = time.monotonic() - since
    found.cpu_share = (cpu_s(senders(stage.site)) - cpu) / found.lasted_s
    with db.transaction(read_only=True) as session:
        found.down = len(ways.down(session))
    _look(stage, found, began)
    stage.webhooks.stop()
    stage.webhooks.start()
    _wait(stage, found, began)
    _judge(found)
    return found


def _post(stage: Stage, count: int) -> None:
    Breaches(int(stage.site.base_url.rsplit(":", 1)[1]), stage.fresh(count)).wait()


def _look(stage: Stage, found: Found, began: float) -> None:
    with psycopg.connect(stage.site.database_url()) as connection:
        rows = connection.execute(_WEBHOOKS, (began,)).fetchall()
        letters = dict(connection.execute(_LETTERS, (began,)).fetchall())
    came = {line["id"]: line["at"] for line in reversed(stage.mails.arrived())}
    found.notices, found.attempts = len(rows), sum(row[3] for row in rows)
    # Until it is known to be down, all hands of both processes may try; then one at a time.
    found.allowed = len(CREW) * (
        rules.DOWN_AFTER + 2 * 4 + int(found.lasted_s / rules.PROBE.total_seconds()) + 1
    )
    for _, who, due, _, _ in rows:
        at = came.get(letters.get(who, ""))
        if at is None:
            found.problems.append("somebody was not told another way")
        else:
            found.other_s.append(at - due)


def _wait(stage: Stage, found: Found, began: float) -> None:
    since = time.monotonic()
    with psycopg.connect(stage.site.database_url(), autocommit=True) as connection:
        while time.monotonic() - since < BACK_WITHIN_S:
            rows = connection.execute(_WEBHOOKS, (began,)).fetchall()
            found.back_s = time.monotonic() - since
            if not any(row[4] for row in rows):
                break
            time.sleep(0.1)
    came = {line["id"] for line in stage.webhooks.arrived()}
    missing = sum(1 for row in rows if row[0] not in came)
    if missing:
        found.problems.append(f"{missing} notices never arrived")


def _judge(found: Found) -> None:
    if found.attempts > found.allowed:
        found.problems.append(f"{found.attempts} attempts, {found.allowed} are enough")
    if found.down < 1:
        found.problems.append("it was not known to be down")
    if found.back_s > PROMISED_S:
        found.problems.append(f"all delivered only {found.back_s:.1f} s after it was back")
