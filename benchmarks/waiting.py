"""Waiting for what goes on behind an answer."""

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from benchmarks.place import Place
from silverwatch import db

_LEFT = "SELECT count(*) FROM vital_state WHERE unjudged_since IS NOT NULL"


def until_judged(_: Place, *, patients: Sequence[UUID] = (), within_s: float = 60.0) -> float:
    """Wait until nobody (of these patients) waits to be judged; the seconds that it took."""
    began = time.monotonic()
    statement = text(_LEFT + (" AND patient_id = ANY(:patients)" if patients else ""))
    params = {"patients": list(patients)} if patients else {}
    while True:
        with db.transaction(read_only=True) as session:
            if not session.scalar(statement, params):
                return time.monotonic() - began
        if time.monotonic() - began > within_s:
            raise RuntimeError(f"readings are not judged after {within_s:.0f} s")
        time.sleep(0.02)
