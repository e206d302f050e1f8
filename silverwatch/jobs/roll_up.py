"""Bring the roll-ups up to date: a duty of the housekeeping."""

from typing import Final

from silverwatch import clock, db
from silverwatch.domain.readings import rollups

MOST: Final = 100
"""So many goes at a time, each a transaction: a long backlog must not keep the other duties waiting."""


def roll_up() -> int:
    """Note what is due and compute it; gives how many hours were computed."""
    with db.transaction() as session:
        rollups.note_due(session, now=clock.now())
    computed = 0
    for _ in range(MOST):
        with db.transaction() as session:
            done = rollups.roll_up(session)
        computed += done
        if done < rollups.HOURS:
            break
    return computed
