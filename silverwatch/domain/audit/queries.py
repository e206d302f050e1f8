"""Questions about the audit: its rows for the page and the export, and who looked at one patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from silverwatch.domain.audit.chain import Head
from silverwatch.domain.audit.service import newest

OUTCOMES: Final = ("done", "refused", "failed")

_COLUMNS: Final = (
    "seq, at, action, outcome, account_id, account_name, role, session_id, patient_ids, ward_id, subject, detail,"
    " address, request_id"
)

# Names are looked up first, so that the index on the account finds their rows. Names of long ago are not found.
_OF_PERSON: Final = (
    "account_id = ANY(ARRAY(SELECT id FROM account WHERE name ILIKE :person OR email ILIKE :person"
    " UNION ALL SELECT id FROM display WHERE name ILIKE :person))"
)

# Also of the records that were merged into the patient's.
# MATERIALIZED: the rows of one patient are few, and their index finds them. Without it the planner, which does not
# look at the values, walks the times of all patients.
_OF_PATIENT: Final = """
WITH found AS MATERIALIZED (SELECT * FROM audit_entry WHERE patient_ids && ARRAY(
  SELECT CAST(:patient AS uuid) UNION ALL SELECT id FROM patient WHERE merged_into = :patient))
"""

_OPENINGS: Final = f"""{_OF_PATIENT}
SELECT (at AT TIME ZONE :zone)::date AS day, account_name AS name, role, action, detail->>'view' AS view,
  detail->>'reason' AS reason, min(at) AS first_at, max(at) AS last_at, count(*) AS times
FROM found
WHERE at >= :since AND at < :until AND outcome = 'done' AND account_id IS DISTINCT FROM :own
GROUP BY day, account_id, account_name, role, action, view, reason
ORDER BY day DESC, max(at) DESC, account_name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows. `person` is a part of a name or e-mail address; `until` is the first moment that is too late.

    `upto` is the number of the newest row that counts: what came later than the question.
    """

    person: str = ""
    patient_id: UUID | None = None
    action: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    upto: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Somebody did the same thing with a patient's record on one day, once or several times."""

    day: date
    name: str | None
    role: str | None
    action: str
    view: str | None
    reason: str | None
    first_at: datetime
    last_at: datetime
    times: int


def entries(
    session: Session, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None
) -> Sequence[RowMapping]:
    """Rows with every column but the mac, newest first: those next `before` a number, or next `after` one."""
    conditions, params = _conditions(wanted)
    if before is not None:
        conditions.append("seq < :before")
    if after is not None:
        conditions.append("seq > :after")
    source = f"{_OF_PATIENT} SELECT {_COLUMNS} FROM found" if wanted.patient_id else None
    query = (
        f"{source or f'SELECT {_COLUMNS} FROM audit_entry'} WHERE {' AND '.join(conditions) or 'true'}"
        f" ORDER BY seq {'ASC' if after is not None else 'DESC'} LIMIT :limit"
    )
    rows = session.execute(text(query), {**params, "before": before, "after": after, "limit": limit})
    found = rows.mappings().all()
    return found[::-1] if after is not None else found


def count(session: Session, wanted: Wanted, *, most: int) -> int:
    """How many rows these are; stops at one more than `most`."""
    conditions, params = _conditions(wanted)
    source = f"{_OF_PATIENT} SELECT 1 FROM found" if wanted.patient_id else "SELECT 1 FROM audit_entry"
    query = (
        f"SELECT count(*) FROM ({source} WHERE {' AND '.join(conditions) or 'true'} LIMIT :limit) found_rows"
    )
    return int(session.scalar(text(query), {**params, "limit": most + 1}) or 0)


def head(session: Session) -> tuple[Head, datetime] | None:
    """The newest row of the chain and its time."""
    found = newest(session)
    if found is None:
        return None
    at: datetime = session.scalar(text("SELECT at FROM audit_entry WHERE seq = :seq"), {"seq": found.seq})
    return found, at


def openings(
    session: Session, patient_id: UUID, *, own: UUID, since: datetime, until: datetime, zone: str
) -> list[Opening]:
    """Who did what with a patient's record, by days of the zone, newest first; not the patient's `own` account."""
    rows = session.execute(
        text(_OPENINGS), {"patient": patient_id, "own": own, "since": since, "until": until, "zone": zone}
    )
    return [Opening(**row) for row in rows.mappings()]


def first_opening(session: Session, patient_id: UUID, *, since: datetime) -> datetime | None:
    """When somebody first did something with a patient's record since then."""
    query = f"{_OF_PATIENT} SELECT min(at) FROM found WHERE at >= :since"
    found: datetime | None = session.scalar(text(query), {"patient": patient_id, "since": since})
    return found


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    person = wanted.person.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    given: dict[str, tuple[str, Any]] = {
        "person": (_OF_PERSON, f"%{person}%" if person else None),
        "action": ("action = :action", wanted.action),
        "outcome": ("outcome = :outcome", wanted.outcome),
        "since": ("at >= :since", wanted.since),
        "until": ("at < :until", wanted.until),
        "upto": ("seq <= :upto", wanted.upto),
    }
    used = {name: (condition, value) for name, (condition, value) in given.items() if value is not None}
    params = {name: value for name, (_, value) in used.items()}
    return [condition for condition, _ in used.values()], {**params, "patient": wanted.patient_id}
