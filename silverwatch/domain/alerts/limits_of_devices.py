"""What a device may know of the limits: whether they have changed. On the psycopg cursor of ingest."""

from typing import Any
from uuid import UUID

from psycopg import Cursor
from sqlalchemy.orm import Session

_VERSION = (
    "SELECT coalesce(sum(number), 0)::int FROM limit_version"
    " WHERE superseded_at IS NULL AND (layer = 'site' OR (layer = 'ward' AND ward_id = %s))"
)


def limits_version(cur: Cursor[Any], ward_id: UUID | None) -> int:
    """A number that grows with each change of the limits of the site and of the ward; 0 before the first one."""
    row = cur.execute(_VERSION, (ward_id,)).fetchone()
    return int(row[0]) if row else 0


def limits_version_shown(session: Session, ward_id: UUID | None) -> int:
    """The same number, for the page of the device."""
    return int(session.connection().exec_driver_sql(_VERSION, (ward_id,)).scalar_one())
