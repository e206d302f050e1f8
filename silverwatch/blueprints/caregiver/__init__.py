"""Pages of caregivers: the ward board, its regions, alarms, observations."""

from flask import Blueprint

from silverwatch.blueprints.caregiver import (
    alerts,
    board,
    emergency,
    notes,
    observations,
    patients,
    regions,
    trends,
)

blueprint = Blueprint("caregiver", __name__)
for part in (board, regions, alerts, patients, trends, notes, observations, emergency):
    part.register(blueprint)

__all__ = ["blueprint"]
