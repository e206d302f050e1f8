"""What is done to and by people's accounts: all verbs in one place. The caller commits.

Each verb notes itself in the audit and ends the sessions that must end; letters go through `tell`, given by who
has the words.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from silverwatch.domain import audit, events
from silverwatch.domain.access import PEOPLE, Actor, Role
from silverwatch.domain.accounts import links, sessions
from silverwatch.domain.accounts.credentials import (
    WrongPasswordError,
    change_password,
    confirm_email_change,
    request_email_change,
    request_reset,
    reset_password,
)
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.accounts.holders import Tell, by_id, check_patient, must_leave_an_admin, put_in_wards
from silverwatch.domain.accounts.joining import (
    accept_invitation,
    approve_patient,
    confirm_email,
    create_first_admin,
    invite,
    register_patient,
)
from silverwatch.domain.accounts.models import CareTeamMember
from silverwatch.domain.errors import ConflictError, DomainError

__all__ = [
    "Tell",
    "WrongPasswordError",
    "accept_invitation",
    "approve_patient",
    "change_password",
    "change_role",
    "confirm_email",
    "confirm_email_change",
    "create_first_admin",
    "deactivate",
    "invite",
    "reactivate",
    "register_patient",
    "request_email_change",
    "request_reset",
    "reset_password",
    "set_wards",
]


def deactivate(session: Session, *, by: Actor, account_id: UUID, now: datetime) -> None:
    """End an account, or reject a registration: its sessions and links are dead, its history stays.

    Raises NotFoundError, ConflictError for oneself and for the last administrator. Twice is once.
    """
    if account_id == by.account_id:
        raise ConflictError("You cannot deactivate your own account. Ask another administrator.")
    must_leave_an_admin(session, account_id)
    account = by_id(session, account_id)
    if account.deactivated_at is not None:
        return
    account.deactivated_at = now
    links.revoke(session, account_id, now=now, kinds=("invitation", "confirmation", "reset", "email"))
    sessions.end_all(session, account_id, because="account deactivated", now=now)
    audit.record(session, "account.deactivated", actor=by, subject=("account", account_id))


def reactivate(session: Session, *, by: Actor, account_id: UUID, now: datetime) -> None:  # noqa: ARG001
    """Let a deactivated account sign in again, as it was; raises NotFoundError, ConflictError. Twice is once."""
    account = by_id(session, account_id)
    if account.deactivated_at is None:
        return
    if account.patient_id is not None:
        check_patient(session, account.patient_id, account_id=account_id)
    account.deactivated_at = None
    audit.record(session, "account.reactivated", actor=by, subject=("account", account_id))


def change_role(
    session: Session,
    *,
    by: Actor,
    account_id: UUID,
    role: Role,
    now: datetime,
    patient_id: UUID | None = None,
) -> None:
    """Give an account another role; its sessions end. To patient only with the record that it opens.

    Raises NotFoundError, DomainError, ConflictError for the last administrator and for who is not approved yet.
    """
    if role not in PEOPLE:
        raise DomainError("Choose a role.")
    if role is not Role.ADMIN:
        must_leave_an_admin(session, account_id)
    account = by_id(session, account_id)
    if account.role == role.value:
        return
    if account.approved_at is None:
        raise ConflictError("This person waits for approval. Approve or reject the registration first.")
    before = account.role
    account.patient_id = (
        check_patient(session, patient_id, account_id=account_id) if role is Role.PATIENT else None
    )
    account.role = role.value
    session.flush()
    if role is Role.PATIENT:
        put_in_wards(session, account, ())
    if role is not Role.CAREGIVER:
        session.execute(delete(CareTeamMember).where(CareTeamMember.account_id == account_id))
    sessions.end_all(session, account_id, because="role changed", now=now)
    detail = {"from": before, "to": role.value}
    audit.record(session, "account.role_changed", actor=by, subject=("account", account_id), detail=detail)


def set_wards(
    session: Session,
    *,
    by: Actor,
    account_id: UUID,
    ward_ids: Iterable[UUID],
    now: datetime,  # noqa: ARG001
) -> None:
    """Make these the account's wards; what its open screens show follows. Raises NotFoundError, DomainError."""
    account = by_id(session, account_id)
    new, gone = put_in_wards(session, account, ward_ids)
    if not new and not gone:
        return
    events.record(session, GrantsChanged(account_id=account_id))
    detail = {"added": sorted(map(str, new)), "removed": sorted(map(str, gone))}
    audit.record(session, "account.wards_changed", actor=by, subject=("account", account_id), detail=detail)
