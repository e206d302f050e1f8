"""Letters: written in the transaction of what they tell, claimed one by one, sent, or given up after a day."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import events
from silverwatch.domain.mail.facts import LetterWritten
from silverwatch.domain.mail.models import Letter

ADDRESS_LENGTH: Final = 254
SUBJECT_LENGTH: Final = 200
BODY_LENGTH: Final = 20_000
ERROR_LENGTH: Final = 300

LEASE: Final = timedelta(minutes=5)
"""A claimed letter is nobody else's for so long: longer than the slowest server may take over it."""
BACK_OFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
GIVEN_UP_AFTER: Final = timedelta(hours=24)
STALE_AFTER: Final = timedelta(days=7)
"""A letter that nobody even tried to send for a week (no mail server was set up) is of no use any more."""
KEPT_FOR: Final = timedelta(days=30)

_CONTROL: Final = {"Cc", "Cs", "Zl", "Zp"}


def write(session: Session, *, to: str, subject: str, body: str, now: datetime) -> None:
    """Queue a plain-text letter in the caller's transaction; it is sent after the commit, or not at all."""
    letter = Letter(
        id=clock.new_id(),
        address=one_line(to)[:ADDRESS_LENGTH],
        subject=one_line(subject)[:SUBJECT_LENGTH],
        body=_lines(body)[:BODY_LENGTH],
        created_at=now,
        next_attempt_at=now,
    )
    session.add(letter)
    events.record(session, LetterWritten(letter_id=letter.id))


def due(session: Session, *, now: datetime, limit: int) -> Sequence[Letter]:
    """Letters that may be tried now, the longest waiting first; locked, and those that others hold left out."""
    return session.scalars(
        select(Letter)
        .where(Letter.next_attempt_at <= now)
        .order_by(Letter.next_attempt_at, Letter.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def claim(session: Session, *, now: datetime, before: datetime | None = None) -> Letter | None:
    """Count one attempt at the next letter (due since `before`, if given); the caller commits, then sends.

    Whoever dies before `sent` or `failed` leaves a letter that is tried again when the lease has ended.
    """
    for letter in due(session, now=before or now, limit=1):
        letter.attempts += 1
        letter.next_attempt_at = now + LEASE
        return letter
    return None


def sent(session: Session, letter_id: UUID, *, now: datetime) -> None:
    """The mail server took the letter. Its body goes: it may hold a link that opens an account."""
    session.execute(
        update(Letter)
        .where(Letter.id == letter_id)
        .values(sent_at=now, next_attempt_at=None, failed_at=None, error=None, body="")
    )


def failed(
    session: Session, letter_id: UUID, *, error: str, now: datetime, for_good: bool = False
) -> datetime | None:
    """The attempt failed: when the next one is, or None when the letter is given up.

    `for_good`: the server will never take it. `error` is a sentence for the administrator.
    """
    letter = session.get(Letter, letter_id, with_for_update=True)
    if letter is None or letter.sent_at is not None:
        return None
    letter.error = one_line(error)[:ERROR_LENGTH]
    if for_good or now - letter.created_at >= GIVEN_UP_AFTER:
        letter.next_attempt_at, letter.failed_at, letter.body = None, now, ""
    else:
        letter.next_attempt_at = now + BACK_OFF[min(max(letter.attempts, 1), len(BACK_OFF)) - 1]
    return letter.next_attempt_at


def tidy(session: Session, *, now: datetime) -> None:
    """Give up what lay here for a week, forget what was sent or given up a month ago."""
    session.execute(
        update(Letter)
        .where(Letter.next_attempt_at < now, Letter.created_at < now - STALE_AFTER)
        .values(next_attempt_at=None, failed_at=now, body="", error="Nobody sent it within a week.")
    )
    session.execute(
        delete(Letter).where(
            Letter.next_attempt_at.is_(None), func.coalesce(Letter.sent_at, Letter.failed_at) < now - KEPT_FOR
        )
    )


def one_line(text: str) -> str:
    """`text` on one line: what could begin another header, or another line of the letter, becomes a space."""
    return " ".join("".join(" " if _is_control(sign) else sign for sign in text).split())


def _lines(text: str) -> str:
    return "".join(
        sign
        for sign in text.replace("\r\n", "\n").replace("\r", "\n")
        if sign in "\n\t" or not _is_control(sign)
    )


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in _CONTROL
