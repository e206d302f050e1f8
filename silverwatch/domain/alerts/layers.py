"""Which limits apply to which patient."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.limits import Limit, Limits


def limits_of(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Limits]:  # noqa: ARG001
    """The limits that apply to each of these patients now; who has the same ones shares an instance."""
    names = Limit.__struct_fields__
    rows = session.execute(text(f"SELECT vital, {', '.join(names)} FROM vital_limit"))
    site = Limits({row.vital: Limit(**{name: getattr(row, name) for name in names}) for row in rows})
    return dict.fromkeys(patient_ids, site)
