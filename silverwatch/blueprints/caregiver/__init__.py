"""Pages of caregivers: the ward board, its regions, alarms, pauses, patients, shifts, observations, incidents."""

from flask import Blueprint

from silverwatch.blueprints.caregiver import (
    alerts,
    board,
    care_team,
    corrections,
    decisions,
    details,
    duty,
    emergency,
    escalation,
    finding,
    handover,
    inbox,
    incidents,
    limits,
    load,
    notes,
    observation_list,
    observations,
    overview,
    patients,
    pauses,
    record,
    regions,
    rules,
    shift,
    tasks,
    trends,
    ward_limits,
)

blueprint = Blueprint("caregiver", __name__)
for part in (
    board,
    regions,
    alerts,
    inbox,
    load,
    escalation,
    pauses,
    finding,
    patients,
    trends,
    notes,
    record,
    details,
    care_team,
    observations,
    observation_list,
    corrections,
    decisions,
    limits,
    rules,
    ward_limits,
    shift,
    tasks,
    overview,
    handover,
    duty,
    incidents,
    emergency,
):
    part.register(blueprint)

__all__ = ["blueprint"]
