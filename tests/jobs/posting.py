"""Devices of the tests: post over the client, judge, look."""

from datetime import datetime, timedelta
from typing import Any

from silverwatch import clock
from silverwatch.jobs import evaluate

Steps = list[tuple[float, dict[str, Any]]]


def post(site: Any, key: str, steps: Steps, *, until: datetime | None = None) -> dict[str, Any]:
    """Post readings; each step is (seconds before `until`, vitals). Gives the answer."""
    end = until or clock.now()
    readings = [
        {"measured_at": (end - timedelta(seconds=before)).isoformat(), **vitals} for before, vitals in steps
    ]
    response = site.client.post(
        "/api/readings/", json={"readings": readings}, headers={"Authorization": f"Bearer {key}"}
    )
    assert response.status_code == 200, response.get_data(as_text=True)
    found: dict[str, Any] = response.get_json()
    return found


def held(vital: str, value: float, *, seconds: float, every: float = 5, ending: float = 0) -> Steps:
    """The same value for some seconds, ending some seconds before now."""
    count = int(seconds / every)
    return [(ending + every * (count - number), {vital: value}) for number in range(count + 1)]


def alerts(site: Any, patient_id: object) -> list[tuple[str, str, bool, bool]]:
    """(kind, priority, is open, live) of a patient's alerts, by time."""
    rows = site.rows(
        "SELECT kind, priority, closed_at IS NULL, live FROM alert WHERE patient_id = %s AND subject = 'patient'"
        " ORDER BY event_at, kind",
        patient_id,
    )
    return [tuple(row) for row in rows]


def judge() -> int:
    """Do what the job behind the bell does."""
    return evaluate.drain()
