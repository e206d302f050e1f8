"""Where patients are now, and so where their alerts are."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

OF_PATIENTS = """patient p
LEFT JOIN stay s ON s.patient_id = p.id AND s.during @> CAST(:now AS timestamptz)
LEFT JOIN bed b ON b.id = s.bed_id"""
"""Patients `p` with the bed `b` of their present stay `s`, if there is one."""

OF_NOBODY = """alert a
LEFT JOIN device g ON a.subject = 'device' AND g.id = a.device_id
LEFT JOIN ward w ON w.id = coalesce(g.ward_id, a.subject_id)"""
"""Alerts `a` of which those that are `ABOUT_NOBODY` concern the ward `w`, or where there is none every ward."""
ABOUT_NOBODY = "a.patient_id IS NULL AND (a.subject = 'system' OR g.ward_id IS NOT NULL)"
"""About the system, a ward as a whole, or the gateway of a ward. A gateway in the store is the technicians' alone."""


def places_of(
    session: Session, patient_ids: Iterable[UUID], *, now: datetime
) -> dict[UUID, tuple[UUID, UUID]]:
    """Patient id to (bed id, ward id) of who lies in a bed now."""
    rows = session.execute(
        text(
            "SELECT s.patient_id, b.id, b.ward_id FROM stay s JOIN bed b ON b.id = s.bed_id"
            " WHERE s.patient_id = ANY(:ids) AND s.during @> CAST(:now AS timestamptz)"
        ),
        {"ids": list(patient_ids), "now": now},
    )
    return {row.patient_id: (row.id, row.ward_id) for row in rows}


def wards_of(session: Session, patient_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, UUID | None]:
    """Patient id to ward id of each patient that exists; None for who lies in no bed now."""
    rows = session.execute(
        text(f"SELECT p.id, b.ward_id FROM {OF_PATIENTS} WHERE p.id = ANY(:ids)"),
        {"ids": list(patient_ids), "now": now},
    )
    return {row.id: row.ward_id for row in rows}


def places_of_alerts(
    session: Session, alert_ids: Iterable[UUID], *, now: datetime
) -> dict[UUID, tuple[UUID | None, UUID | None]]:
    """Alert id to (ward id, patient id). An alert of a ward itself has no patient, one of the system neither."""
    rows = session.execute(
        text(
            "SELECT a.id, a.patient_id, coalesce(b.ward_id, w.id, d.ward_id) AS ward_id FROM alert a"
            " LEFT JOIN stay s ON s.patient_id = a.patient_id AND s.during @> CAST(:now AS timestamptz)"
            " LEFT JOIN bed b ON b.id = s.bed_id"
            " LEFT JOIN ward w ON a.subject = 'system' AND w.id = a.subject_id"
            " LEFT JOIN device d ON d.id = a.device_id"
            " WHERE a.id = ANY(:ids)"
        ),
        {"ids": list(alert_ids), "now": now},
    )
    return {row.id: (row.ward_id, row.patient_id) for row in rows}
