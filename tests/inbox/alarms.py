"""Alarms as rows, for tests that need them in a certain state."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from silverwatch import clock
from tests.cast import Worn
from tests.conftest import Site

VITALS = ("heart_rate", "oxygen_saturation", "respiratory_rate", "temperature")


def raised(
    site: Site, worn: Worn, kind: str, *, ago: timedelta = timedelta(minutes=2), **values: Any
) -> UUID:
    """An alert of the patient; `values` are columns."""
    at = clock.now() - ago
    vital = next((name for name in VITALS if kind.startswith(name)), None)
    row: dict[str, Any] = {
        "id": clock.new_id(), "subject": "patient", "subject_id": worn.patient_id, "patient_id": worn.patient_id,
        "kind": kind, "priority": "medium", "technical": False, "live": True, "run_from": at, "event_at": at,
        "last_at": at, "raised_at": at, "vital": vital, "side": kind.rpartition("_")[2] if vital else None,
        **values,
    }  # fmt: skip
    row.setdefault("peak_priority", row["priority"])
    columns = ", ".join(f'"{name}"' for name in row)
    with site.cursor() as cur:
        marks = ", ".join(["%s"] * len(row))
        cur.execute(f"INSERT INTO alert ({columns}) VALUES ({marks})".encode(), tuple(row.values()))
    found: UUID = row["id"]
    return found
