<<<<<<< HEAD
"""Pages of caregivers: the ward board, its regions, alarms, pauses, patients, observations, incidents."""
=======
"""Pages of caregivers: the ward board, its regions, alarms, observations, patients and their shift."""
>>>>>>> fd7fcb7 (shift: My patients of this shift, rounds and tasks, beds that are taken, wards beside each other, and a list to find a patient in.)

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
