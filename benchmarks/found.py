"""An alarm as the recomputation and the site are compared by."""

from typing import NamedTuple


class Found(NamedTuple):
    """One alarm, times in seconds since the recording began; `ended_at` None if it stands at the end."""

    kind: str
    run_from: float
    event_at: float
    ended_at: float | None
    priority: str
    peak_priority: str
