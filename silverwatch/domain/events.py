"""Facts: what happened, in past tense.

A *durable* fact is a row of the outbox, written with the change that it reports; the sweep tells it again if
the process died between the commit and the telling. The others are told once: who misses them reads the
database a moment later.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from silverwatch import clock
from silverwatch.db import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened."""

    durable: ClassVar[bool] = False


Recorded = tuple[UUID | None, Fact]
"""A fact with the id of its outbox row, if it has one."""


class Event(Base):
    """The outbox: a durable fact, `rung_at` once somebody was told."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unrung", "at", postgresql_where=text("rung_at IS NULL")),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]
    rung_at: Mapped[datetime | None]


_DURABLE: dict[str, type[Fact]] = {}


def durable(cls: type[Fact]) -> type[Fact]:
    """Class decorator for a fact that gets an outbox row. Its fields must be UUID, str, int, bool or None."""
    cls.durable = True
    _DURABLE[cls.__name__] = cls
    return cls


def record(session: Session, fact: Fact) -> None:
    """Note a fact in the caller's transaction: told after its commit, never before."""
    event_id = None
    if fact.durable:
        event_id = clock.new_id()
        session.add(Event(id=event_id, kind=type(fact).__name__, body=_plain(fact), at=clock.now()))
    session.info.setdefault("facts", []).append((event_id, fact))


def unrung(session: Session, *, before: datetime, limit: int = 200) -> list[Recorded]:
    """Durable facts that nobody was told since `before`, oldest first, locked for the caller."""
    rows = session.scalars(
        select(Event)
        .where(Event.rung_at.is_(None), Event.at < before)
        .order_by(Event.at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [(row.id, _fact(row)) for row in rows]


def mark_rung(session: Session, ids: Sequence[UUID], *, at: datetime) -> None:
    """These facts have been told."""
    if ids:
        session.execute(update(Event).where(Event.id.in_(ids)).values(rung_at=at))


def _plain(fact: Fact) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, UUID) else v for k, v in asdict(fact).items()}


def _fact(row: Event) -> Fact:
    cls = _DURABLE[row.kind]
    ids = {field.name for field in fields(cls) if "UUID" in str(field.type)}
    return cls(**{name: UUID(value) if value and name in ids else value for name, value in row.body.items()})
