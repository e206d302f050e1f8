"""Pure: the one word for where an alert stands."""

from datetime import datetime
from typing import Any, Literal, Protocol

State = Literal[
    "new",
    "escalated",
    "raised again",
    "acknowledged",
    "muted",
    "latched",
    "resolved",
    "ended",
    "retrospective",
]


class Standing(Protocol):
    """What is asked of an alert: a row of the table, or of a query with these columns."""

    live: Any
    closed_at: Any
    closed_as: Any
    ended_at: Any
    muted_by: Any
    escalated_at: Any
    realarmed_at: Any


def state_of(alert: Standing, *, acknowledged_at: datetime | None) -> State:
    """Acknowledged is not resolved, resolved is not ended; latched is over but unseen."""
    if alert.closed_at is not None:
        if not alert.live:
            return "retrospective"
        return "resolved" if alert.closed_as == "resolved" else "ended"
    if acknowledged_at is not None:
        return "acknowledged"
    if alert.muted_by is not None:
        return "muted"
    if alert.ended_at is not None:
        return "latched"
    if alert.escalated_at is not None:
        return "escalated"
    return "raised again" if alert.realarmed_at is not None else "new"
