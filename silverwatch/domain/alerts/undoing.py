"""A set of observations that was a slip is taken back by who saved it, within a minute: it stays, struck out."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import correcting
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.readings import corrections
from silverwatch.domain.readings.corrections import Key
from silverwatch.domain.readings.models import Correction, ObservationEntry

UNDO: Final = timedelta(seconds=60)
"""For so long it is offered."""
TAKEN_FOR: Final = timedelta(seconds=70)
"""And for so long it is done: a press of the last moment may be on its way."""
UNDONE: Final = "undone"
"""How `correction` says it."""


def undo(session: Session, actor: Actor, key: Key, *, now: datetime) -> None:
    """Strike out what this actor has just saved; the patient is judged again from its time on.

    Raises NotFoundError for a set of somebody else as for none, ConflictError when it is too late.
    """
    entry = session.get(ObservationEntry, key)
    if entry is None or entry.account_id != actor.account_id:
        raise NotFoundError("There is no such set of observations.")
    if now - entry.entered_at > TAKEN_FOR:
        raise ConflictError(
            "A set can be undone for a minute. Correct it, or strike it out, in the list of observations."
        )
    if corrections.reading_of(session, key).corrections:
        raise ConflictError("This set is corrected already. Read it again in the list of observations.")
    correcting.correct(
        session, actor, key, kind=UNDONE, because="Undone right after saving", values={}, seen=0, now=now
    )


def is_undone(session: Session, patient_id: UUID, source_id: UUID, *, since: datetime) -> bool:
    """Was the set of this form taken back? Its form must not pass for saved when it is sent again."""
    return (
        session.scalar(
            select(Correction.number).where(
                Correction.patient_id == patient_id,
                Correction.source_id == source_id,
                Correction.kind == UNDONE,
                Correction.measured_at > since,
            )
        )
        is not None
    )
