"""A person's own account: what it says about them, and changing that. The caller commits."""

import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch.domain import audit
from silverwatch.domain.access import STAFF, Role
from silverwatch.domain.accounts import second_factor
from silverwatch.domain.accounts.entries import name_of
from silverwatch.domain.accounts.models import Account, AccountPhoto, LoginSession
from silverwatch.domain.errors import DomainError, NotFoundError

LANGUAGES: Final = {"en": "English", "sw": "Kiswahili"}
"""Code and own name of each language that the interface speaks."""
MAX_LINE: Final = 80
"""Department, specialisation, licence number, the relation of a contact."""
MAX_PHONE: Final = 20
MIN_DIGITS: Final = 5

STAFF_ONLY: Final = ("department", "specialisation", "licence_number")

PHONE_ADVICE: Final = "Enter a phone number of 5 to 20 digits, spaces and dashes, such as +254 700 000 000."
_PHONE: Final = re.compile(r"\+?[0-9][0-9 -]*[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a person may change about themselves. Texts are single lines; an empty one is none."""

    name: str = ""
    phone: str = ""
    language: str = "en"
    department: str = ""
    specialisation: str = ""
    licence_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """An account as its holder sees it."""

    id: UUID
    email: str
    role: Role
    details: Details
    photo_at: datetime | None
    password_changed_at: datetime | None
    has_second_factor: bool
    has_pin: bool
    sessions: int
    """How many sign-ins are open, this one among them."""

    @property
    def is_staff(self) -> bool:
        """Do they work here?"""
        return self.role in STAFF


def line(text: str) -> str:
    """The text on one line, with single spaces."""
    return " ".join(text.split())


def name_problem(name: str) -> str | None:
    """What to do about a name."""
    try:
        name_of(name)
    except DomainError as error:
        return str(error)
    return None


def text_problem(text: str) -> str | None:
    """What to do about a line of text that may be empty."""
    if not text.isprintable():
        return "Use letters, digits and signs only."
    return f"Use at most {MAX_LINE} characters." if len(text) > MAX_LINE else None


def phone_problem(phone: str) -> str | None:
    """What to do about a phone number."""
    digits = sum(char.isdigit() for char in phone)
    fits = len(phone) <= MAX_PHONE and digits >= MIN_DIGITS and _PHONE.fullmatch(phone)
    return None if fits else PHONE_ADVICE


def problems(wanted: Details) -> dict[str, str]:
    """Field to what to do about it; empty when these details can be kept."""
    found = {
        "name": name_problem(wanted.name),
        "phone": phone_problem(wanted.phone) if wanted.phone else None,
        "language": None if wanted.language in LANGUAGES else "Choose one of the languages.",
        **{field: text_problem(getattr(wanted, field)) for field in STAFF_ONLY},
    }
    return {field: problem for field, problem in found.items() if problem}


def own(session: Session, account_id: UUID, *, now: datetime) -> Own:
    """The account; raises NotFoundError."""
    account = _account(session, account_id)
    open_ones = select(func.count()).where(
        LoginSession.account_id == account_id, LoginSession.ended_at.is_(None), LoginSession.expires_at > now
    )
    photo = select(AccountPhoto.changed_at).where(AccountPhoto.account_id == account_id)
    return Own(
        id=account.id,
        email=account.email,
        role=Role(account.role),
        details=Details(**{field.name: getattr(account, field.name) or "" for field in fields(Details)}),
        photo_at=session.scalar(photo),
        password_changed_at=account.password_changed_at,
        has_second_factor=second_factor.status(session, account_id) is not None,
        has_pin=account.pin_hash is not None,
        sessions=session.scalar(open_ones) or 0,
    )


def change(session: Session, account_id: UUID, *, wanted: Details) -> None:
    """Keep these details; a patient's have no department, specialisation or licence number.

    Raises DomainError for details that `problems` complains about. Nothing changed leaves no trace.
    """
    if found := problems(wanted):
        raise DomainError(next(iter(found.values())))
    account = _account(session, account_id)
    values = {field: value or None for field, value in asdict(wanted).items()}
    if Role(account.role) not in STAFF:
        values = {field: value for field, value in values.items() if field not in STAFF_ONLY}
    changed = sorted(field for field, value in values.items() if getattr(account, field) != value)
    if not changed:
        return
    for field in changed:
        setattr(account, field, values[field])
    audit.record(session, "account.changed", subject=("account", account_id), detail={"fields": changed})


def _account(session: Session, account_id: UUID) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise NotFoundError("There is no such account.")
    return account
