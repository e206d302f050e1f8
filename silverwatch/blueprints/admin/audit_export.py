"""The audit as a CSV file, made while it is sent: some rows at a time, so that no connection waits for a reader."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Response

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.audit import queries, words
from silverwatch.domain.audit.queries import Wanted
from silverwatch.domain.records.queries import hospital_numbers
from silverwatch.web import filters as shown
from silverwatch.web import spreadsheet

MOST: Final = 100_000
AT_ONCE: Final = 1000
HEAD: Final = (
    "number", "time (UTC)", "outcome", "action", "what", "name", "role", "account", "patients", "ward", "subject",
    "detail", "address", "session", "request",
)  # fmt: skip


def answer(wanted: Wanted, *, total: int, filters: Mapping[str, str]) -> Response:
    """The rows, after the audit has noted that they leave. `total` may be one more than may be sent."""
    sent = min(total, MOST)
    with db.transaction() as session:
        audit.record(
            session,
            "audit.exported",
            patient_ids=[wanted.patient_id] if wanted.patient_id else [],
            detail={"filters": dict(filters), "rows": sent, "cut": total > MOST},
        )
    response = Response(_lines(wanted, most=sent, cut=total > MOST), mimetype="text/csv")
    name = f"audit-{shown.day(clock.now())}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(wanted: Wanted, *, most: int, cut: bool) -> Iterator[str]:
    yield spreadsheet.lines([HEAD])
    left, before = most, None
    while left > 0:
        with db.transaction(read_only=True) as session:
            rows = queries.entries(session, wanted, limit=min(AT_ONCE, left), before=before)
            numbers = hospital_numbers(session, {item for row in rows for item in row["patient_ids"]})
        if not rows:
            break
        yield spreadsheet.lines([_cells(row, numbers) for row in rows])
        left, before = left - len(rows), rows[-1]["seq"]
    if cut:
        yield spreadsheet.lines([[f"Cut after {MOST} rows: choose fewer days."]])


def _cells(row: Any, numbers: Mapping[Any, str]) -> list[object]:
    detail = "; ".join(f"{name}: {value}" for name, value in words.remarks(row["action"], row["detail"]))
    return [
        row["seq"], row["at"].isoformat(), row["outcome"], row["action"], words.sentence(row["action"], row["detail"]),
        row["account_name"], row["role"], row["account_id"],
        " ".join(numbers.get(item, str(item)) for item in row["patient_ids"]), row["ward_id"], row["subject"], detail,
        row["address"], row["session_id"], row["request_id"],
    ]  # fmt: skip
