"""Who may see and do what. Pure: an Actor in, an answer out; `accounts` builds the Actor, queries take it.

`GRANTS` is the one permission table; the page /admin/access shows it. What a permission reaches is a matter of
scope: the wards, the care team and the emergency access of the actor, asked in every query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Role(StrEnum):
    """The four roles of people, and the wall screen, which is nobody."""

    ADMIN = "admin"
    CAREGIVER = "caregiver"
    TECHNICIAN = "technician"
    PATIENT = "patient"
    DISPLAY = "display"


PEOPLE: Final = (Role.ADMIN, Role.CAREGIVER, Role.TECHNICIAN, Role.PATIENT)
STAFF: Final = frozenset({Role.ADMIN, Role.CAREGIVER, Role.TECHNICIAN})
"""Roles whose sessions lock when nobody is there, and who owe a second factor where the site asks for it."""


class Permission(StrEnum):
    """What a role may do within its scope."""

    SEE_WARD = "see the patients of their wards"
    SEE_PATIENT = "open the page of a patient"
    TAKE_ALARMS = "acknowledge and resolve alarms"
    RECORD_OBSERVATIONS = "record observations"
    SEE_RULES = "see which alarm rules hold"
    CHANGE_RULES = "change alarm rules: administrators of site and ward, caregivers of their patients"
    WRITE_NOTES = "write notes about a patient"
    KEEP_RECORD = "keep the record of a patient"
    REGISTER_PATIENTS = "register patients"
    MERGE_PATIENTS = "merge two records of one patient"
    MOVE_PATIENTS = "admit, transfer and discharge patients"
    PUT_ON_DEVICES = "put devices on patients and take them off"
    DECIDE_KEPT = "decide whose readings are that wait"
    REPORT_INCIDENTS = "report incidents and follow them up"
    SEE_LIMITS = "see the alarm limits of their wards"
    SET_PATIENT_LIMITS = "set alarm limits of a patient"
    SET_HOUSE_LIMITS = "set the alarm limits of wards and of the site"
    KEEP_ROUNDS = "keep the beds, tasks and handovers of a shift"
    COMPARE_WARDS = "compare their wards"
    OPEN_IN_EMERGENCY = "open a foreign record in an emergency"
    SEE_DEVICES = "see devices and beds, without names"
    KEEP_DEVICES = "add, pair, change and retire devices"
    TAKE_FAULTS = "acknowledge and resolve faults of devices"
    SEE_CHANGES = "have pages that change by themselves"
    SEE_SYSTEM = "see what is wrong with the system itself"
    SEE_OWN_RECORD = "see their own readings and who opened their record"
    SEE_OVERVIEW = "see whether the system is well"
    MANAGE_USERS = "invite, change and end accounts"
    MANAGE_WARDS = "add, rename and close wards, rooms and beds"
    MANAGE_DISPLAYS = "pair and revoke wall screens"
    MANAGE_KEYS = "make and revoke keys of programs"
    CHANGE_SETTINGS = "change the site's settings"
    PLAN_DUTY = "plan who is on duty"
    READ_AUDIT = "read and export the audit"
    OWN_ACCOUNT = "keep their own account, sessions and second factor"


GRANTS: Final[Mapping[Permission, frozenset[Role]]] = {
    Permission.SEE_WARD: frozenset({Role.CAREGIVER, Role.ADMIN, Role.DISPLAY}),
    Permission.SEE_PATIENT: frozenset({Role.CAREGIVER}),
    Permission.TAKE_ALARMS: frozenset({Role.CAREGIVER}),
    Permission.RECORD_OBSERVATIONS: frozenset({Role.CAREGIVER}),
    Permission.SEE_RULES: frozenset({Role.CAREGIVER, Role.ADMIN}),
    Permission.CHANGE_RULES: frozenset({Role.CAREGIVER, Role.ADMIN}),
    Permission.WRITE_NOTES: frozenset({Role.CAREGIVER}),
    Permission.KEEP_RECORD: frozenset({Role.CAREGIVER}),
    Permission.REGISTER_PATIENTS: frozenset({Role.CAREGIVER}),
    Permission.MERGE_PATIENTS: frozenset({Role.CAREGIVER}),
    Permission.MOVE_PATIENTS: frozenset({Role.CAREGIVER}),
    Permission.PUT_ON_DEVICES: frozenset({Role.CAREGIVER, Role.TECHNICIAN, Role.ADMIN}),
    Permission.DECIDE_KEPT: frozenset({Role.TECHNICIAN, Role.ADMIN}),
    Permission.REPORT_INCIDENTS: frozenset({Role.CAREGIVER}),
    Permission.SEE_LIMITS: frozenset({Role.CAREGIVER, Role.ADMIN}),
    Permission.SET_PATIENT_LIMITS: frozenset({Role.CAREGIVER}),
    # They alarm, or do not, for everybody of a ward: a decision of the house, not of a shift.
    Permission.SET_HOUSE_LIMITS: frozenset({Role.ADMIN}),
    Permission.KEEP_ROUNDS: frozenset({Role.CAREGIVER}),
    Permission.COMPARE_WARDS: frozenset({Role.CAREGIVER, Role.ADMIN}),
    Permission.OPEN_IN_EMERGENCY: frozenset({Role.CAREGIVER}),
    Permission.SEE_DEVICES: frozenset({Role.TECHNICIAN, Role.ADMIN}),
    Permission.KEEP_DEVICES: frozenset({Role.TECHNICIAN, Role.ADMIN}),
    # The ward takes the same alarm with TAKE_ALARMS: whoever is first has it.
    Permission.TAKE_FAULTS: frozenset({Role.TECHNICIAN, Role.ADMIN}),
    Permission.SEE_CHANGES: STAFF | {Role.DISPLAY},
    Permission.SEE_SYSTEM: STAFF,
    Permission.SEE_OWN_RECORD: frozenset({Role.PATIENT}),
    Permission.SEE_OVERVIEW: frozenset({Role.ADMIN}),
    Permission.MANAGE_USERS: frozenset({Role.ADMIN}),
    Permission.MANAGE_WARDS: frozenset({Role.ADMIN}),
    Permission.MANAGE_DISPLAYS: frozenset({Role.ADMIN}),
    Permission.MANAGE_KEYS: frozenset({Role.ADMIN}),
    Permission.CHANGE_SETTINGS: frozenset({Role.ADMIN}),
    Permission.PLAN_DUTY: frozenset({Role.ADMIN}),
    Permission.READ_AUDIT: frozenset({Role.ADMIN}),
    Permission.OWN_ACCOUNT: frozenset(PEOPLE),
}

HOME: Final[dict[Role, str]] = {
    Role.ADMIN: "/admin",
    Role.CAREGIVER: "/ward",
    Role.TECHNICIAN: "/devices",
    Role.PATIENT: "/portal",
    Role.DISPLAY: "/wall",
}
"""Where a person of that role starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is signed in, as far as permissions go.

    `patient_id` is set for a patient's own account; `care_team_of` are the patients whom a caregiver looks after
    wherever they lie; `emergency_for` those whose record is open to them now for a stated emergency.
    """

    account_id: UUID
    role: Role
    name: str
    ward_ids: frozenset[UUID] = frozenset()
    patient_id: UUID | None = None
    care_team_of: frozenset[UUID] = frozenset()
    emergency_for: frozenset[UUID] = frozenset()

    @property
    def home(self) -> str:
        """The path of this actor's first page."""
        return HOME[self.role]

    def may(self, permission: Permission) -> bool:
        """Does this actor's role have the permission at all?"""
        return self.role in GRANTS[permission]


def may_see_ward(actor: Actor, ward_id: UUID) -> bool:
    """May this actor see the patients of the ward?"""
    return actor.may(Permission.SEE_WARD) and ward_id in actor.ward_ids


def may_acknowledge(actor: Actor, ward_id: UUID) -> bool:
    """May this actor take an alarm of the ward? Only who cares for its patients."""
    return actor.may(Permission.TAKE_ALARMS) and ward_id in actor.ward_ids


def may_see_patient(actor: Actor, patient_id: UUID, *, ward_id: UUID | None) -> bool:
    """May this actor open the patient's page? `ward_id` is where the patient lies now, None for nowhere."""
    if not actor.may(Permission.SEE_PATIENT):
        return False
    return ward_id in actor.ward_ids or patient_id in actor.care_team_of or patient_id in actor.emergency_for


def may_write_notes(actor: Actor, patient_id: UUID, *, ward_id: UUID | None) -> bool:
    """May this actor write about the patient? An emergency opens a record to be read, not to be written."""
    return actor.may(Permission.WRITE_NOTES) and (
        ward_id in actor.ward_ids or patient_id in actor.care_team_of
    )


def may_keep_record(actor: Actor, patient_id: UUID, *, ward_id: UUID | None) -> bool:
    """May this actor change what is known of the patient? An emergency opens a record to be read."""
    return actor.may(Permission.KEEP_RECORD) and (
        ward_id in actor.ward_ids or patient_id in actor.care_team_of
    )


def may_set_limits(actor: Actor, patient_id: UUID, *, ward_id: UUID | None) -> bool:
    """May this actor set the patient's own alarm limits? An emergency opens a record to be read."""
    return actor.may(Permission.SET_PATIENT_LIMITS) and (
        ward_id in actor.ward_ids or patient_id in actor.care_team_of
    )


def may_keep_rounds(actor: Actor, patient_id: UUID, *, ward_id: UUID | None) -> bool:
    """May this actor add tasks for the patient, and do them? An emergency opens a record to be read."""
    return actor.may(Permission.KEEP_ROUNDS) and (
        ward_id in actor.ward_ids or patient_id in actor.care_team_of
    )


def may_keep_devices(actor: Actor, ward_id: UUID | None) -> bool:
    """May this actor pair the devices of this ward? Those of no ward are the whole site's: an administrator's."""
    if not actor.may(Permission.KEEP_DEVICES):
        return False
    return actor.role is Role.ADMIN if ward_id is None else ward_id in actor.ward_ids


def may_move_patients(actor: Actor, ward_id: UUID) -> bool:
    """May this actor say who comes to the ward, lies where in it, and leaves it?"""
    return actor.may(Permission.MOVE_PATIENTS) and ward_id in actor.ward_ids
