"""Whom the limits of a ward or of the site concern, and what would apply to each of them."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts import limit_versions
from silverwatch.domain.alerts.limit_cells import Key, Setting, applied
from silverwatch.domain.alerts.limit_models import LimitVersion
from silverwatch.domain.alerts.limit_proposal import Proposal
from silverwatch.domain.alerts.limits import Limits

_LYING: Final = """
SELECT s.patient_id, b.ward_id FROM stay s JOIN bed b ON b.id = s.bed_id
WHERE s.during @> CAST(:now AS timestamptz) AND (CAST(:ward AS uuid) IS NULL OR b.ward_id = :ward)
ORDER BY s.patient_id
"""


def reach(session: Session, proposal: Proposal, *, now: datetime) -> dict[UUID, tuple[Limits, Limits]]:
    """Patient to the limits that apply now and those that would: what is set nearer to the patient stays."""
    params = {"now": now, "ward": proposal.scope.ward_id}
    lying = {row.patient_id: row.ward_id for row in session.execute(text(_LYING), params)}
    query = select(LimitVersion).where(
        LimitVersion.superseded_at.is_(None),
        or_(
            LimitVersion.patient_id.in_(list(lying)),
            LimitVersion.ward_id.in_(set(lying.values()) if proposal.scope.layer == "site" else ()),
        ),
    )
    nearer = {
        version.ward_id or version.patient_id: {
            key: own.setting for key, own in limit_versions.alive(version.cells, now=now).items()
        }
        for version in session.scalars(query)
    }
    # Patients with the same limits share what is worked out from them.
    known: dict[tuple[tuple[Key, Setting], ...], tuple[Limits, Limits]] = {}
    found = {}
    for patient_id, ward_id in lying.items():
        settings = {**nearer.get(ward_id, {}), **nearer.get(patient_id, {})}
        key = tuple(sorted(settings.items()))
        if key not in known:
            known[key] = applied(proposal.before, settings), applied(proposal.after, settings)
        found[patient_id] = known[key]
    return found
