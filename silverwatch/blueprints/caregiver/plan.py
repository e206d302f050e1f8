"""The care plan of a patient: goals with what is done for them, and what was assessed."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.domain.access import Permission, may_keep_record, may_keep_rounds
from silverwatch.domain.alerts import reach
from silverwatch.domain.readings.queries import latest_of
from silverwatch.domain.readings.unit_choices import units_of
from silverwatch.domain.records import assessments, goals, instruments, notes, tasks
from silverwatch.web import auditing, gates, login, pages

URL: Final = "/patients/<uuid:patient_id>/plan"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=plan)


@gates.need(Permission.SEE_PATIENT)
def plan(patient_id: UUID) -> Response:
    """What is to be reached with this patient, and how far is it?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        place = reach.patient_for(session, actor, patient_id, now=now)
        found = goals.goals_of(session, patient_id)
        others = [
            task
            for task in tasks.open_tasks(session, [patient_id], until=now + tasks.FURTHEST)
            if task.goal_id is None
        ]
        latest = latest_of(session, patient_id)
        units = units_of(session, actor.account_id)
        assessed = assessments.assessments_of(session, patient_id)
        written = notes.count(session, patient_id)
    auditing.viewed("plan", patient_ids=[patient_id], ward_id=place.ward_id)
    return pages.answer(
        "caregiver/plan.html",
        "Care plan",
        frame=frame(actor, place, notes_written=written),
        goals=found,
        instruments=instruments.CURRENT.values(),
        assessed={
            name: [item for item in assessed if item.instrument.name == name] for name in instruments.CURRENT
        },
        tasks=others,
        latest=latest,
        units=units,
        may_keep=may_keep_record(actor, patient_id, ward_id=place.ward_id),
        may_rounds=may_keep_rounds(actor, patient_id, ward_id=place.ward_id),
        now=now,
    )
