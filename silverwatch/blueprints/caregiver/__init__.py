"""Pages of caregivers: the ward board, its regions, alarms, pauses, patients, shifts, observations, incidents."""

from flask import Blueprint

from silverwatch.blueprints.caregiver import (
    HEAD,
    alerts,
    board,
    duty,
    emergency,
    escalation,
    incidents,
    limits,
    notes,
    observations,
    patients,
    pauses,
    regions,
    trends,
)

blueprint = Blueprint("caregiver", __name__)
for part in (
    HEAD,
    board,
    regions,
    alerts,
    pauses,
    patients,
    trends,
    notes,
    observations,
    incidents,
    emergency,
    escalation,
    duty,
    limits,
):
    part.register(blueprint)

__all__ = ["blueprint"]
