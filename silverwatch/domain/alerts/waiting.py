"""For how long readings have waited to be judged: how far behind the screens are."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

NEVER_S = 3600.0
"""Stands for a guard that never showed life."""

GUARD_BEAT_S = 6.0
"""The guard's heartbeat comes every 2 s; younger than this it says nothing about a lag."""


def judge_lag_s(session: Session, *, now: datetime) -> float:
    """Seconds since which a reading waits to be judged, or since when the guard has shown no life."""
    beat = session.scalar(text("SELECT at FROM heartbeat WHERE name = 'guard'"))
    guard = (now - beat).total_seconds() if beat else NEVER_S
    return max(waiting_s(session, now=now), guard if guard > GUARD_BEAT_S else 0.0)


def waiting_s(session: Session, *, now: datetime) -> float:
    """Seconds since which a reading waits to be judged; 0 when none does."""
    since = session.scalar(text("SELECT min(unjudged_since) FROM vital_state"))
    return max(0.0, (now - since).total_seconds()) if since else 0.0
