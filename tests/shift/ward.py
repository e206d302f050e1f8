"""What the tests of a shift share: a full ward, tasks, and the statements that a page takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.records import tasks
from tests.cast import create_bed, create_patient
from tests.conftest import Site


def add_task(
    actor: Actor,
    patient_id: UUID,
    what: str = "Turn",
    *,
    due: timedelta = timedelta(minutes=30),
    repeat_h: int | None = None,
) -> UUID:
    """A task for a patient, due after so long (or so long ago)."""
    task_id, now = clock.new_id(), clock.now()
    with db.transaction() as session:
        tasks.add(
            session,
            actor,
            task_id=task_id,
            patient_id=patient_id,
            what=what,
            due_at=now + due,
            repeat_h=repeat_h,
            now=now,
        )
    return task_id


def fill(ward_id: UUID, count: int, *, first: int = 10) -> list[UUID]:
    """So many more beds of the ward with patients."""
    with db.transaction() as session:
        beds = [create_bed(session, ward_id, label=f"{n}", position=n) for n in range(first, first + count)]
        for bed in beds:
            create_patient(session, f"Crowd{bed.label}", bed_id=bed.id)
        return [bed.id for bed in beds]


def score(site: Site, patient_id: UUID, *, total: int, risk: str, set_at: datetime) -> None:
    """What judging would have stored of a complete set."""
    with site.cursor() as cur:
        cur.execute(
            "UPDATE judge_state SET news = jsonb_build_object('score', %s::int, 'risk', %s::text, 'at', %s::bigint,"
            " 'set_at', %s::bigint, 'previous', NULL) WHERE patient_id = %s",
            (total, risk, clock.epoch_ms(set_at), clock.epoch_ms(set_at), patient_id),
        )


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    found: list[str] = []

    def note(_: object, __: object, statement: str, *___: Any) -> None:
        found.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
