"""Keys of programs: what each may do, in which wards, until when. The caller commits.

A key belongs to the site, not to who made it: it goes on when that person leaves, until it expires or is revoked.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts import entries
from silverwatch.domain.accounts.models import ApiKey
from silverwatch.domain.accounts.sessions import token_hash
from silverwatch.domain.errors import DomainError, NotFoundError

PREFIX: Final = "swk_"
LONGEST: Final = 200
MAX_NAME: Final = 100
MAX_LENGTH: Final = timedelta(days=366)
NOTE_USE_EVERY: Final = timedelta(minutes=1)

SCOPES: Final[Mapping[str, str]] = {
    "patients.read": "read patients of its wards",
    "patients.write": "admit, transfer and discharge patients",
    "readings.read": "read vitals and their trends",
    "readings.write": "record vitals",
    "alerts.read": "read alerts, rules and limits",
    "alerts.write": "acknowledge, escalate and resolve alerts",
    "devices.read": "read devices, without names of patients",
    "devices.write": "add, change and assign devices",
    "appointments.read": "read appointments",
    "appointments.write": "make and change appointments",
    "reports.read": "read reports",
    "reports.write": "ask for reports",
    "payments.read": "read payments",
    "users.read": "read accounts",
    "users.write": "invite, change and deactivate accounts",
    "settings.read": "read the site's settings",
    "fhir.read": "read Patient, Observation and Device as FHIR R4",
}
"""What a key may be allowed, in words. Keys and API keys themselves are made by people only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Who calls with an API key, as far as permissions go."""

    key_id: UUID
    name: str
    scopes: frozenset[str]
    ward_ids: frozenset[UUID]
    expires_at: datetime
    made_by: UUID
    """The account that made it, and answers for what it does."""

    def may(self, scope: str) -> bool:
        """Was this key made for that?"""
        return scope in self.scopes


def create(
    session: Session,
    *,
    by: Actor,
    name: str,
    scopes: Collection[str],
    ward_ids: Collection[UUID],
    expires_at: datetime,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key and what the program sends, which is shown once; raises DomainError saying what to change."""
    name = entries.name_of(name, most=MAX_NAME)
    if not scopes or not SCOPES.keys() >= set(scopes):
        raise DomainError("Choose at least one of the listed permissions.")
    if expires_at.tzinfo is None or not now < expires_at <= now + MAX_LENGTH:
        raise DomainError(f"Choose an end within the next {MAX_LENGTH.days} days.")
    _check_wards(session, ward_ids)
    key = PREFIX + secrets.token_urlsafe(32)
    made = ApiKey(
        id=clock.new_id(),
        name=name,
        key_hash=token_hash(key),
        hint=key[-4:],
        scopes=sorted(set(scopes)),
        ward_ids=sorted(set(ward_ids)),
        created_by=by.account_id,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(made)
    session.flush()
    detail = {"name": name, "scopes": made.scopes, "wards": [str(ward_id) for ward_id in made.ward_ids]}
    audit.record(session, "api_key.created", actor=by, subject=("api_key", made.id), detail=detail)
    return made, key


def revoke(session: Session, *, by: Actor, key_id: UUID, now: datetime) -> None:
    """The key is good for nothing from now on; raises NotFoundError when there is none.

    Revoking it again changes nothing and is no error: two administrators may press at once.
    """
    revoked = session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.name)
    )
    if revoked is not None:
        audit.record(
            session, "api_key.revoked", actor=by, subject=("api_key", key_id), detail={"name": revoked}
        )
    elif session.get(ApiKey, key_id) is None:
        raise NotFoundError("There is no such key.")


def list_keys(session: Session) -> list[ApiKey]:
    """Every key, also expired and revoked ones, the newest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())))


def find(session: Session, *, key: str, now: datetime) -> Program | None:
    """Whose key it is, unless it has expired or was revoked."""
    found = session.scalar(
        select(ApiKey).where(
            ApiKey.key_hash == token_hash(key), ApiKey.revoked_at.is_(None), ApiKey.expires_at > now
        )
    )
    if found is None:
        return None
    return Program(
        key_id=found.id,
        name=found.name,
        scopes=frozenset(found.scopes),
        ward_ids=frozenset(found.ward_ids),
        expires_at=found.expires_at,
        made_by=found.created_by,
    )


def note_use(session: Session, key_id: UUID, *, now: datetime) -> None:
    """The key is in use; noted at most once a minute."""
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == key_id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - NOTE_USE_EVERY),
        )
        .values(last_used_at=now)
    )


def _check_wards(session: Session, ward_ids: Collection[UUID]) -> None:
    """A key sees only wards that it names; one without any sees no patient."""
    known = session.execute(text("SELECT count(*) FROM ward WHERE id = ANY(:ids)"), {"ids": list(ward_ids)})
    if known.scalar_one() != len(set(ward_ids)):
        raise DomainError("Choose from the listed wards.")
