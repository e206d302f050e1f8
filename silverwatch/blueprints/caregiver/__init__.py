"""Pages of caregivers: the ward board, its regions, alarms, pauses, patients, observations, incidents."""

from flask import Blueprint

from silverwatch.blueprints.caregiver import (
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
