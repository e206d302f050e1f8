"""How a test posts, and how it looks at what was stored."""

import json
from datetime import datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from silverwatch import clock

NDJSON = "application/x-ndjson"

SETTINGS = {
    "serial", "interval_s", "sensitivity", "sample_rate_hz", "settings_version", "limits_version", "time", "devices"
}  # fmt: skip
"""What a device is told of itself."""


def send(
    site: Any, key: str | None, body: Any, *, content_type: str = "application/json", **headers: str
) -> TestResponse:
    """Post bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    response: TestResponse = site.client.post(
        "/api/readings/", data=data, headers=headers, content_type=content_type
    )
    return response


def answer(
    site: Any, key: str, body: Any, *, status: int = 200, **options: Any
) -> tuple[int, int, list[tuple[str, str]]]:
    """(stored, duplicates, [(code, pointer)]) of a post."""
    response = send(site, key, body, **options)
    assert response.status_code == status, response.get_data(as_text=True)
    found = response.get_json()
    assert set(found) == {"stored", "duplicates", "rejected"}
    assert all(set(item) == {"index", "code", "pointer", "detail"} for item in found["rejected"])
    return (
        found["stored"],
        found["duplicates"],
        [(item["code"], item["pointer"]) for item in found["rejected"]],
    )


def ago(seconds: float) -> datetime:
    """So long ago."""
    return clock.now() - timedelta(seconds=seconds)


def reading(at: datetime | float, **values: Any) -> dict[str, Any]:
    """A reading of that time, or of so many seconds ago."""
    moment = at if isinstance(at, datetime) else ago(at)
    return {"measured_at": moment.isoformat(), **values}


def rows(site: Any, query: str, *parameters: Any) -> list[Any]:
    """What a query gives: the values of its one column, or tuples."""
    with site.cursor() as cur:
        found = cur.execute(query, parameters).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def vital_state(site: Any, patient_id: Any) -> dict[str, Any]:
    """A patient's `vital_state` as a dict."""
    found: dict[str, Any] = rows(
        site, "SELECT to_jsonb(v) FROM vital_state v WHERE patient_id = %s", patient_id
    )[0]
    return found


def problem(response: Any, status: int, *more: str) -> dict[str, Any]:
    """The problem document of an answer that is one; `more`: members that its type has besides."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    found: dict[str, Any] = response.get_json()
    assert set(found) == {"type", "title", "status", "detail", "errors", "request_id", *more}
    assert found["status"] == status
    assert response.headers["X-Request-ID"] == found["request_id"]
    return found
