"""Wall screens: a browser that shows one ward and takes nothing, paired with a code. The caller commits."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor
from silverwatch.domain.accounts import sessions
from silverwatch.domain.accounts.entries import name_of
from silverwatch.domain.accounts.models import Display, LoginSession
from silverwatch.domain.accounts.sessions import Browser
from silverwatch.domain.errors import NotFoundError

ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without 0 and O, 1, I and L: the code is read from one screen and typed at another."""
CODE_LENGTH: Final = 8
CODE_FOR: Final = timedelta(minutes=10)
MAX_NAME: Final = 60
SILENT_AFTER: Final = timedelta(minutes=3)
"""A screen that shows its ward says so once a minute."""

State = Literal["on", "silent", "code", "unpaired"]
"""on: it shows the ward now; silent: paired, but not seen lately; code: its code can be typed; unpaired: neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A wall screen as an administrator sees it. `seen_at` is when it last showed the ward."""

    id: UUID
    name: str
    ward_id: UUID
    state: State
    created_at: datetime
    code_expires_at: datetime | None
    paired_at: datetime | None
    seen_at: datetime | None
    address: str | None
    browser: str | None


def create(session: Session, *, by: Actor, ward_id: UUID, name: str, now: datetime) -> tuple[Display, str]:
    """Add a wall screen to a ward of the actor: it and the code that pairs it, shown once.

    Raises NotFoundError for another's ward as for none, DomainError for a name that cannot be.
    """
    if ward_id not in by.ward_ids:
        raise NotFoundError("There is no such ward.")
    display = Display(
        id=clock.new_id(),
        ward_id=ward_id,
        name=name_of(name, most=MAX_NAME),
        created_by=by.account_id,
        created_at=now,
    )
    session.add(display)
    code = _give_code(display, now=now)
    session.flush()
    audit.record(
        session,
        "display.added",
        subject=("display", display.id),
        ward_id=ward_id,
        detail={"name": display.name},
    )
    return display, code


def new_code(session: Session, *, by: Actor, display_id: UUID, now: datetime) -> tuple[Display, str]:
    """Another code for a screen, to pair it anew; what is paired goes on until the code is used."""
    display = _find(session, by, display_id)
    code = _give_code(display, now=now)
    audit.record(session, "display.code_made", subject=("display", display.id), ward_id=display.ward_id)
    return display, code


def pair(session: Session, *, code: str, browser: Browser, now: datetime) -> tuple[str, Display] | None:
    """Make this browser the wall screen that the code belongs to: its session's secret token, and the screen.

    None for a code that never was, was used or is older than ten minutes; the caller commits that too, it stands
    in the audit. A screen that is paired anew leaves its old browser.
    """
    written = "".join(sign for sign in code[:40].upper() if sign in ALPHABET)
    display = session.scalar(
        select(Display)
        .where(
            Display.code_hash == sessions.token_hash(written),
            Display.code_expires_at > now,
            Display.revoked_at.is_(None),
        )
        .with_for_update()
    )
    if display is None:
        audit.record(session, "display.paired", outcome="refused", detail={"because": "unknown code"})
        return None
    sessions.end(session, _open_sessions(session, display.id), because="paired anew", now=now)
    display.code_hash, display.code_expires_at, display.paired_at = None, None, now
    token, _ = sessions.begin_display(session, display_id=display.id, now=now, browser=browser)
    found = sessions.find(session, token=token, now=now)
    if found is None:
        raise RuntimeError("a session that was just opened is not there")
    audit.record(
        session,
        "display.paired",
        actor=found.actor,
        session_id=found.session_id,
        subject=("display", display.id),
        ward_id=display.ward_id,
    )
    return token, display


def revoke(session: Session, *, by: Actor, display_id: UUID, now: datetime) -> Display:
    """Take a screen away: it goes dark within 2 s, and its code is worth nothing."""
    display = _find(session, by, display_id)
    display.code_hash, display.code_expires_at, display.revoked_at = None, None, now
    sessions.end(session, _open_sessions(session, display.id), because="revoked", now=now)
    audit.record(session, "display.revoked", subject=("display", display.id), ward_id=display.ward_id)
    return display


def screens(session: Session, actor: Actor, *, now: datetime) -> list[Screen]:
    """The wall screens of the actor's wards that were not revoked, by ward and name."""
    rows = session.execute(
        select(Display, LoginSession)
        .outerjoin(
            LoginSession,
            (LoginSession.display_id == Display.id)
            & LoginSession.ended_at.is_(None)
            & (LoginSession.expires_at > now),
        )
        .where(Display.ward_id.in_(actor.ward_ids), Display.revoked_at.is_(None))
        .order_by(Display.ward_id, Display.name, Display.id)
    )
    return [_screen(display, shown, now=now) for display, shown in rows]


def _screen(display: Display, shown: LoginSession | None, *, now: datetime) -> Screen:
    has_code = display.code_expires_at is not None and display.code_expires_at > now
    state: State = "code" if has_code else "unpaired"
    if shown is not None:
        state = "on" if now - shown.active_at < SILENT_AFTER else "silent"
    return Screen(
        id=display.id,
        name=display.name,
        ward_id=display.ward_id,
        state=state,
        created_at=display.created_at,
        code_expires_at=display.code_expires_at if has_code else None,
        paired_at=shown.created_at if shown else None,
        seen_at=shown.active_at if shown else None,
        address=shown.address if shown else None,
        browser=shown.browser if shown else None,
    )


def _find(session: Session, actor: Actor, display_id: UUID) -> Display:
    query = select(Display).where(
        Display.id == display_id, Display.ward_id.in_(actor.ward_ids), Display.revoked_at.is_(None)
    )
    display = session.scalar(query.with_for_update())
    if display is None:
        raise NotFoundError("There is no such wall screen.")
    return display


def _open_sessions(session: Session, display_id: UUID) -> list[UUID]:
    query = select(LoginSession.id).where(
        LoginSession.display_id == display_id, LoginSession.ended_at.is_(None)
    )
    return list(session.scalars(query))


def _give_code(display: Display, *, now: datetime) -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    display.code_hash, display.code_expires_at = sessions.token_hash(code), now + CODE_FOR
    return code
