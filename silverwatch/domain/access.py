"""Who may see and do what. Pure: an Actor in, an answer out; `accounts` builds the Actor, queries take it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Role(StrEnum):
    """The four roles."""

    ADMIN = "admin"
    CAREGIVER = "caregiver"
    TECHNICIAN = "technician"
    PATIENT = "patient"


HOME: Final[dict[Role, str]] = {
    Role.ADMIN: "/admin",
    Role.CAREGIVER: "/ward",
    Role.TECHNICIAN: "/devices",
    Role.PATIENT: "/portal",
}
"""Where a person of that role starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who is signed in, as far as permissions go. `patient_id` is set for a patient's own account."""

    account_id: UUID
    role: Role
    name: str
    ward_ids: frozenset[UUID] = frozenset()
    patient_id: UUID | None = None

    @property
    def home(self) -> str:
        """The path of this actor's first page."""
        return HOME[self.role]


def may_see_ward(actor: Actor, ward_id: UUID) -> bool:
    """May this actor see the patients of the ward by name?"""
    return actor.role in {Role.CAREGIVER, Role.ADMIN} and ward_id in actor.ward_ids


def may_acknowledge(actor: Actor, ward_id: UUID) -> bool:
    """May this actor take an alarm of the ward? Only who cares for its patients."""
    return actor.role is Role.CAREGIVER and ward_id in actor.ward_ids
