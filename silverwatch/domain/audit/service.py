"""Writing the audit. Rows are noted during a transaction and chained at its very end, under one lock."""

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.audit import chain, cleaning
from silverwatch.domain.audit.models import AuditEntry

LOCK: Final = 7004
VIEW: Final = "record.viewed"
ONE_VIEW: Final = timedelta(minutes=15)
"""The same list of patients, seen again in the same session within this time, is the same look at them."""

Outcome = Literal["done", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """On whose behalf this thread works: `web` sets it for each request; empty for the system itself."""

    actor: Actor | None = None
    program: str | None = None
    """The name of the API key that calls; the key's id stands for a session."""
    session_id: UUID | None = None
    address: str | None = None
    request_id: str | None = None


_who: ContextVar[Who] = ContextVar("who", default=Who())  # noqa: B039 - frozen
_keys: list[bytes] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    """An entry that waits for the end of its transaction."""

    who: Who
    at: datetime
    action: str
    outcome: Outcome
    patient_ids: list[UUID]
    ward_id: UUID | None
    subject: str | None
    detail: dict[str, Any] = field(default_factory=dict)


def configure(keys: Sequence[bytes]) -> None:
    """The keys of the chain: the first one seals, all of them verify."""
    _keys[:] = keys


def keys() -> Sequence[bytes]:
    """The keys of the chain."""
    return tuple(_keys)


def set_who(who: Who) -> None:
    """From now on this thread works for them."""
    _who.set(who)


def who() -> Who:
    """For whom this thread works."""
    return _who.get()


def record(
    session: Session,
    action: str,
    *,
    outcome: Outcome = "done",
    actor: Actor | None = None,
    session_id: UUID | None = None,
    patient_ids: Iterable[UUID] = (),
    ward_id: UUID | None = None,
    subject: tuple[str, UUID] | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Note what is done in the caller's transaction; it is chained and stored with its commit, or not at all.

    `actor` and `session_id` only where they are not those of the request (a sign-in). `detail` is JSON: counts,
    names of fields, reasons; never a password, a token or a vital. Not inside a savepoint that may be rolled back.
    """
    by = who()
    if actor is not None:
        by = replace(by, actor=actor)
    if session_id is not None:
        by = replace(by, session_id=session_id)
    noted: list[_Noted] = session.info.setdefault("audit", [])
    if not noted:
        db.before_commit(session, _store)
    noted.append(
        _Noted(
            who=by,
            at=clock.now(),
            action=action,
            outcome=outcome,
            patient_ids=sorted(set(patient_ids)),
            ward_id=ward_id,
            subject=f"{subject[0]}:{subject[1]}" if subject else None,
            detail=cleaning.plain(detail or {}),
        )
    )


def record_view(
    session: Session,
    view: str,
    *,
    patient_ids: Iterable[UUID],
    ward_id: UUID | None = None,
    part: bool = False,
) -> None:
    """Note that somebody looks at these patients: once for each session, view and list of patients in 15 minutes.

    `part`: a list that was narrowed is a part of the same look at all of them.
    """
    ids = sorted(set(patient_ids))
    if who().session_id is None or session.scalar(seen(view, ids=ids, ward_id=ward_id, part=part)) is None:
        record(session, VIEW, patient_ids=ids, ward_id=ward_id, detail={"view": view})


def is_viewed(session: Session, view: str, *, ward_id: UUID | None) -> bool:
    """Has this session opened the view of the ward before? Then its polls and sockets add nothing."""
    return who().session_id is not None and session.scalar(_views(view, ward_id).limit(1)) is not None


def is_viewed_patient(session: Session, view: str, *, patient_id: UUID) -> bool:
    """Has this session opened the view of the patient before, wherever they lay then?"""
    query = select(AuditEntry.seq).where(
        AuditEntry.session_id == who().session_id,
        AuditEntry.action == VIEW,
        AuditEntry.detail["view"].astext == view,
        AuditEntry.patient_ids.contains([patient_id]),
    )
    return who().session_id is not None and session.scalar(query.limit(1)) is not None


def seen(view: str, *, ids: list[UUID], ward_id: UUID | None, part: bool = False) -> Select[int]:
    """The question whether this session looked at the same just now; with `part`, at the same and more."""
    lately = AuditEntry.at > clock.now() - ONE_VIEW
    same = AuditEntry.patient_ids.contains(ids) if part else AuditEntry.patient_ids == ids
    return _views(view, ward_id).where(lately, same).limit(1)


def _views(view: str, ward_id: UUID | None) -> Select[int]:
    return select(AuditEntry.seq).where(
        AuditEntry.session_id == who().session_id,
        AuditEntry.action == VIEW,
        AuditEntry.detail["view"].astext == view,
        AuditEntry.ward_id.is_not_distinct_from(ward_id),
    )


def _store(session: Session) -> None:
    """Chain what was noted. Whoever else wants to add waits here, for two statements and a commit."""
    noted: list[_Noted] = session.info.pop("audit", [])
    if not _keys:
        raise RuntimeError("audit.configure() was not called in this process")
    session.flush()
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    head = newest(session)
    seq, mac = (head.seq, head.mac) if head else (0, chain.GENESIS)
    rows = []
    for item in noted:
        seq += 1
        row = _row(item, seq)
        mac = row["mac"] = chain.seal(_keys[0], row, after=mac)
        rows.append(row)
    session.execute(AuditEntry.__table__.insert(), rows)  # type: ignore[attr-defined]


def _row(item: _Noted, seq: int) -> dict[str, Any]:
    actor = item.who.actor
    name = actor.name if actor else item.who.program
    return {
        "seq": seq,
        "at": item.at,
        "action": item.action,
        "outcome": item.outcome,
        "account_id": actor.account_id if actor else None,
        "account_name": cleaning.text(name) if name else None,
        "role": actor.role.value if actor else "program" if name else None,
        "session_id": item.who.session_id,
        "patient_ids": item.patient_ids,
        "ward_id": item.ward_id,
        "subject": item.subject,
        "detail": item.detail,
        "address": cleaning.text(item.who.address) if item.who.address else None,
        "request_id": item.who.request_id,
    }


def newest(session: Session) -> chain.Head | None:
    """The head of the chain."""
    row = session.execute(
        select(AuditEntry.seq, AuditEntry.mac).order_by(AuditEntry.seq.desc()).limit(1)
    ).one_or_none()
    return chain.Head(seq=row.seq, mac=row.mac) if row else None
