"""Pages of caregivers: the ward board, its regions, alarms, observations."""

from flask import Blueprint

from silverwatch.blueprints.caregiver import alerts, board, emergency, observations, patients, regions

blueprint = Blueprint("caregiver", __name__)
for part in (board, regions, alerts, patients, observations, emergency):
    part.register(blueprint)

__all__ = ["blueprint"]
