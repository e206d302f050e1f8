"""Who has access: questions of administrators. Every answer costs the same few statements, however many people."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session

from silverwatch.domain.access import STAFF, Role
from silverwatch.domain.accounts.models import Account, EmergencyAccess, LoginSession, Membership, Totp
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.settings.models import SiteSetting

PAGE: Final = 50
MAX_SEARCH: Final = 100
MAX_PAGE: Final = 100_000
_MARKS: Final = "[\u0300-\u036f]"
"""What is left of an accent when a letter is taken apart."""


class State(StrEnum):
    """How far an account is: whose turn it is."""

    APPROVAL = "approval"
    CONFIRMATION = "confirmation"
    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to list. `text` is looked for in names and addresses, word by word, without accents."""

    text: str = ""
    role: Role | None = None
    ward_id: UUID | None = None
    state: State | None = None
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Is anybody left out?"""
        return bool(self.text or self.role or self.ward_id or self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One account. `seen_at` is when its holder last did something, as far as sessions are kept."""

    id: UUID
    name: str
    email: str
    role: Role
    state: State
    created_at: datetime
    approved_at: datetime | None
    deactivated_at: datetime | None
    password_changed_at: datetime | None
    patient_id: UUID | None
    has_second_factor: bool
    has_password: bool
    is_confirmed: bool
    ward_ids: tuple[UUID, ...] = ()
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of people; `total` is how many fit, `waiting` how many of all await approval."""

    people: tuple[Person, ...]
    total: int
    page: int
    pages: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """An emergency access, without whom it was to and why: that is for the page of reviews."""

    begun_at: datetime
    until: datetime
    is_open: bool
    is_reviewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """When a group of settings was changed, and by whom; None: not by a person."""

    at: datetime
    by: str | None


_state: Final[ColumnElement[str]] = case(
    (Account.deactivated_at.is_not(None), State.DEACTIVATED.value),
    (Account.password_hash.is_(None), State.INVITED.value),
    (Account.email_confirmed_at.is_(None), State.CONFIRMATION.value),
    (Account.approved_at.is_(None), State.APPROVAL.value),
    else_=State.ACTIVE.value,
)
_has_totp: Final = exists().where(Totp.account_id == Account.id, Totp.confirmed_at.is_not(None))


def people(session: Session, wanted: Wanted) -> Found:
    """A page of the accounts that fit, those that wait for the administrator first, then by name."""
    fits = _fits(wanted)
    total = session.scalar(select(func.count()).select_from(Account).where(fits)) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(1, wanted.page), pages)
    query = (
        _columns()
        .where(fits)
        .order_by((_state != State.APPROVAL.value), func.lower(Account.name), Account.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    rows = [_person(row) for row in session.execute(query)]
    return Found(people=_filled(session, rows), total=total, page=page, pages=pages, waiting=waiting(session))


def waiting(session: Session) -> int:
    """How many accounts await approval."""
    query = select(func.count()).select_from(Account).where(_state == State.APPROVAL.value)
    return session.scalar(query) or 0


def person(session: Session, account_id: UUID) -> Person:
    """One account; raises NotFoundError."""
    row = session.execute(_columns().where(Account.id == account_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such account.")
    return _filled(session, [_person(row)])[0]


def names(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The name of each of these accounts that exists: for the audit, which knows them by id."""
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(set(account_ids))))
    return {row.id: row.name for row in rows}


def is_in_use(session: Session, email: str) -> bool:
    """Does this address belong to somebody who may sign in, or could until their access was ended?"""
    query = select(Account.id).where(
        Account.email == email.strip().lower(),
        Account.approved_at.is_not(None),
        Account.password_hash.is_not(None),
    )
    return session.scalar(query) is not None


def plain(text: str) -> str:
    """How a text is compared: lower case, without accents."""
    return re.sub(_MARKS, "", unicodedata.normalize("NFD", text)).lower()


def _plain(column: ColumnElement[Any] | Any) -> ColumnElement[str]:
    """The same, by the database."""
    apart = func.normalize(column, literal_column("NFD"))
    return func.lower(func.regexp_replace(apart, _MARKS, "", "g"))


def _fits(wanted: Wanted) -> ColumnElement[bool]:
    name, email = _plain(Account.name), _plain(Account.email)
    conditions: list[ColumnElement[bool]] = [
        or_(name.contains(word, autoescape=True), email.contains(word, autoescape=True))
        for word in plain(wanted.text[:MAX_SEARCH].replace("\0", "")).split()
    ]
    if wanted.role is not None:
        conditions.append(Account.role == wanted.role.value)
    if wanted.state is not None:
        conditions.append(_state == wanted.state.value)
    if wanted.ward_id is not None:
        belongs = exists().where(Membership.account_id == Account.id, Membership.ward_id == wanted.ward_id)
        conditions.append(belongs)
    return and_(True, *conditions)


def _columns() -> Select[*tuple[Any, ...]]:
    return select(
        Account.id,
        Account.name,
        Account.email,
        Account.role,
        Account.created_at,
        Account.approved_at,
        Account.deactivated_at,
        Account.password_changed_at,
        Account.patient_id,
        _state.label("state"),
        _has_totp.label("has_second_factor"),
        Account.password_hash.is_not(None).label("has_password"),
        Account.email_confirmed_at.is_not(None).label("is_confirmed"),
    )


def _person(row: Row[Any]) -> Person:
    values = dict(row._mapping)
    return Person(**{**values, "role": Role(values["role"]), "state": State(values["state"])})


def _filled(session: Session, found: Iterable[Person]) -> tuple[Person, ...]:
    """With their wards and when they were last seen: one statement each for all of them."""
    rows = list(found)
    ids = [row.id for row in rows]
    wards: dict[UUID, list[UUID]] = {}
    for account_id, ward_id in session.execute(
        select(Membership.account_id, Membership.ward_id).where(Membership.account_id.in_(ids))
    ):
        wards.setdefault(account_id, []).append(ward_id)
    seen = dict(
        session.execute(
            select(LoginSession.account_id, func.max(LoginSession.active_at))
            .where(LoginSession.account_id.in_(ids))
            .group_by(LoginSession.account_id)
        ).all()
    )
    return tuple(
        replace(row, ward_ids=tuple(wards.get(row.id, ())), seen_at=seen.get(row.id)) for row in rows
    )


def open_sessions(session: Session, account_id: UUID, *, now: datetime) -> list[LoginSession]:
    """The sign-ins of an account that have not ended, the newest first."""
    query = (
        select(LoginSession)
        .where(
            LoginSession.account_id == account_id,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now,
        )
        .order_by(LoginSession.active_at.desc(), LoginSession.id)
    )
    return list(session.scalars(query))


def emergencies(session: Session, account_id: UUID, *, now: datetime, most: int = 20) -> list[Glass]:
    """The newest emergency accesses of an account."""
    query = (
        select(EmergencyAccess)
        .where(EmergencyAccess.account_id == account_id)
        .order_by(EmergencyAccess.begun_at.desc(), EmergencyAccess.id)
        .limit(most)
    )
    return [
        Glass(
            begun_at=row.begun_at,
            until=row.ended_at or row.ends_at,
            is_open=row.ended_at is None and row.ends_at > now,
            is_reviewed=row.reviewed_at is not None,
        )
        for row in session.scalars(query)
    ]


def holders(session: Session) -> dict[UUID | None, dict[Role, int]]:
    """How many active accounts hold which role in which ward; under None: those of no ward."""
    query = (
        select(Membership.ward_id, Account.role, func.count())
        .select_from(Account)
        .outerjoin(Membership, Membership.account_id == Account.id)
        .where(_state == State.ACTIVE.value)
        .group_by(Membership.ward_id, Account.role)
    )
    found: dict[UUID | None, dict[Role, int]] = {}
    for ward_id, role, number in session.execute(query):
        found.setdefault(ward_id, {})[Role(role)] = number
    return found


def staff_without_factor(session: Session) -> int:
    """How many active members of staff have no second factor."""
    query = select(func.count()).where(
        _state == State.ACTIVE.value, Account.role.in_([role.value for role in STAFF]), ~_has_totp
    )
    return session.scalar(query) or 0


def last_change(session: Session, group: str) -> Change | None:
    """Who changed a group of settings last."""
    row = session.execute(
        select(SiteSetting.changed_at, Account.name)
        .outerjoin(Account, Account.id == SiteSetting.changed_by)
        .where(SiteSetting.name == group)
    ).one_or_none()
    return Change(at=row.changed_at, by=row.name) if row else None
