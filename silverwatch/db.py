"""The database: one engine per process, and the only place that commits.

`transaction()` hands out a session, commits, and only then tells: the facts recorded in it go to the hook
that `create_app` or a worker registered. Whatever the hook does, the commit stands.
"""

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy import DateTime, Double, Engine, MetaData, Text, Uuid, create_engine, event, exc, text
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

UNAVAILABLE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, psycopg.OperationalError)
"""What a database that is away, full or too slow raises: answer 503 and let the caller come again."""

RETRIED = {"40001", "40P01"}
"""Serialization failure and deadlock: the whole transaction may simply be run again."""


MERGED = "patient_merged"
"""The constraint that keeps everything away from a record that was merged into another one."""


def refused_by(error: BaseException) -> str | None:
    """The name of the constraint that refused it."""
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    return origin.diag.constraint_name if isinstance(origin, psycopg.Error) else None


class Base(DeclarativeBase):
    """Every table. Constraint names are fixed so that migrations can name them."""

    type_annotation_map = {datetime: DateTime(timezone=True), str: Text(), float: Double(), UUID: Uuid()}

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


_engine: Engine | None = None
_alone: Engine | None = None
_sessions: sessionmaker[Session] | None = None
_after_commit: Callable[[Sequence[Any]], None] | None = None


def make_engine(url: str, *, pool_size: int = 5, autocommit: bool = False) -> Engine:
    """An engine whose waits all end: 2 s for a connection or a lock, 10 s for a statement."""
    engine = create_engine(
        url,
        # There is nothing to roll back on a connection of which each statement is a transaction.
        **({"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None} if autocommit else {}),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=False,
        # An error is logged with its statement, never with what somebody typed.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 2,
            "application_name": "silverwatch",
            "options": "-c statement_timeout=10000 -c lock_timeout=2000"
            # One plan for all: planning a prepared statement anew costs more here than it ever wins.
            " -c idle_in_transaction_session_timeout=15000 -c timezone=UTC -c plan_cache_mode=force_generic_plan",
            "keepalives_idle": 5,
            "tcp_user_timeout": 5000,
        },
    )
    event.listen(engine, "handle_error", _drop_pool_when_server_went)
    return engine


def _drop_pool_when_server_went(context: Any) -> None:
    """One dead connection means that its neighbours are dead too: do not find that out one request each."""
    if isinstance(context.original_exception, psycopg.OperationalError) and context.connection is not None:
        dbapi = getattr(context.connection, "connection", None)
        if dbapi is not None and getattr(dbapi, "closed", False):
            context.invalidate_pool_on_disconnect = True
            context.is_disconnect = True


def configure(url: str, *, pool_size: int = 5) -> Engine:
    """Open this process's engine, closing the one before; it and the one of `alone` connect when they are used."""
    global _engine, _alone, _sessions
    dispose()
    _engine = make_engine(url, pool_size=pool_size)
    _alone = make_engine(url, pool_size=pool_size, autocommit=True)
    _sessions = sessionmaker(_engine, expire_on_commit=False)
    return _engine


def dispose() -> None:
    """Close every connection of this process."""
    global _engine, _alone, _sessions
    for each in _engines():
        # What a thread still uses is closed when it comes back: nobody would look after it any more.
        event.listen(each.pool, "checkin", _close)
        each.dispose()
    _engine = _alone = _sessions = None


def _engines() -> list[Engine]:
    return [each for each in (_engine, _alone) if each is not None]


def _close(_connection: Any, record: Any) -> None:
    record.invalidate()


def _forget() -> None:
    """After a fork the connections are the parent's: two that talk on one understand nothing any more."""
    for each in _engines():
        each.dispose(close=False)


os.register_at_fork(after_in_child=_forget)


def engine() -> Engine:
    """The engine of this process; `configure` comes first."""
    if _engine is None:
        raise RuntimeError("db.configure() was not called in this process")
    return _engine


def on_commit(hook: Callable[[Sequence[Any]], None] | None) -> None:
    """Register who is told the facts of a transaction after its commit."""
    global _after_commit
    _after_commit = hook


def tell(facts: Sequence[Any]) -> None:
    """Hand facts to the hook. It may fail: the sweep tells durable facts again, screens read again."""
    if not facts or _after_commit is None:
        return
    try:
        _after_commit(facts)
    except Exception:
        log.exception("telling %d facts failed after their commit", len(facts))


def before_commit(session: Session, work: Callable[[Session], None]) -> None:
    """Do this at the very end of the transaction: what holds a lock that everybody needs holds it briefly."""
    session.info.setdefault("before_commit", []).append(work)


@contextmanager
def transaction(*, read_only: bool = False) -> Iterator[Session]:
    """A session that commits at the end of the block and then tells its facts; rolls back on an error."""
    if _sessions is None:
        raise RuntimeError("db.configure() was not called in this process")
    with _sessions() as session:
        with session.begin():
            if read_only:
                session.execute(text("SET TRANSACTION READ ONLY"))
            yield session
            for work in session.info.pop("before_commit", ()):
                work(session)
        facts = session.info.pop("facts", ())
    tell(facts)


@contextmanager
def cursor(facts: list[Any] | None = None) -> Iterator[psycopg.Cursor[Any]]:
    """A psycopg cursor in one transaction of the same pool, for the hot path; commits at the block's end.

    In pipeline mode: an error of a statement whose result nobody fetches is raised by the commit. `facts` is
    filled by the block and told after the commit.
    """
    pooled = engine().raw_connection()
    try:
        connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        try:
            # A pipeline sends BEGIN with the first statement and COMMIT with the last: three ways there and
            # back instead of five, and each costs more than all that we compute.
            with connection.pipeline(), connection.cursor() as cur:
                yield cur
                # As a statement, so that the end of the pipeline waits for it; `commit()` would wait by itself.
                cur.execute("COMMIT", prepare=False)
        except BaseException:
            if connection.closed:
                engine().dispose()
                pooled.invalidate()
            else:
                connection.rollback()
            raise
    finally:
        pooled.close()
    tell(facts or ())


@contextmanager
def alone() -> Iterator[psycopg.Cursor[Any]]:
    """A psycopg cursor, each of whose statements is a transaction of its own.

    For the hot path: a statement that carries all that it depends on needs no BEGIN and no COMMIT around it. Its
    connections stay so: to turn one of the other pool there and back cost a tenth of a whole post.
    """
    if _alone is None:
        raise RuntimeError("db.configure() was not called in this process")
    pooled = _alone.raw_connection()
    try:
        connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        try:
            with connection.cursor() as cur:
                yield cur
        except BaseException:
            if connection.closed:
                _alone.dispose()
                pooled.invalidate()
            raise
    finally:
        pooled.close()


def retried(work: Callable[P, R]) -> Callable[P, R]:
    """Run a whole transaction again, three times at most, when PostgreSQL asks for it (40001, 40P01)."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(3):
            try:
                return work(*args, **kwargs)
            except (exc.DBAPIError, psycopg.Error) as error:
                origin = error.orig if isinstance(error, exc.DBAPIError) else error
                if getattr(origin, "sqlstate", None) not in RETRIED:
                    raise
                time.sleep(random.uniform(0.005, 0.03) * (attempt + 1))
        return work(*args, **kwargs)

    return run
