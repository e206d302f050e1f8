"""Waits a moment for the outcome of a test, so that the page that follows can show it."""

import time
from typing import Final
from uuid import UUID

from silverwatch import db
from silverwatch.domain.notices import trials

MOST_S: Final = 4.0
"""As long as a worker and a quick gateway take; what takes longer is on the page as being sent."""
LOOK_EVERY_S: Final = 0.2


def wait_for(notice_id: UUID) -> None:
    """Until it has an outcome, or the time is over."""
    until = time.monotonic() + MOST_S
    while time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        with db.transaction(read_only=True) as session:
            if trials.is_over(session, notice_id):
                return
