"""Plain posts: new readings of one device about the patient whom it is on, nothing refused. Nearly every post is one.

All that came together are written together, by two statements without a transaction around them and without waiting
for anybody: `store.look` locks nothing, and `write.write_together` stores only what is still as it was (decision 0011).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from silverwatch.domain.devices.queries import lock_sources
from silverwatch.domain.readings import store
from silverwatch.domain.readings.intake import Batch, Intake, Outcome
from silverwatch.domain.readings.service import span
from silverwatch.domain.readings.state import fold
from silverwatch.domain.readings.write import Plain, write_together


class KeyedPost(NamedTuple):
    """The hash of a key, and its body, read when the key is known: nothing of a stranger's body is read."""

    key_hash: bytes
    read: Callable[[], Batch]


def store_plain(
    cur: Cursor[Any], posts: Sequence[KeyedPost], *, received_at: datetime
) -> list[Outcome | None]:
    """Store the plain ones; None for each other: nothing of it was stored, and `store_readings` takes it.

    So it is for a post whose device or patient is at work elsewhere just now, or has changed since the look, and
    for a second one of the same patient. Raises UnpreparedError, and RacedError (by `racing`), with nothing stored.
    """
    found = store.look(cur, [post.key_hash for post in posts], now=received_at)
    outcomes: list[Outcome | None] = [None] * len(posts)
    planned: dict[UUID, tuple[int, Intake, Plain]] = {}
    for place, post in enumerate(posts):
        looked = found.get(post.key_hash)
        if looked is None or looked.present is None or looked.present.bound.patient_id in planned:
            continue
        plan = _plan(cur, looked, post, received_at=received_at)
        if plan is not None:
            planned[looked.present.bound.patient_id] = (place, *plan)
    if planned:
        written = write_together(cur, [plain for _, _, plain in planned.values()], received_at=received_at)
        for patient_id in written:
            place, intake, _ = planned[patient_id]
            outcomes[place] = intake.outcome
    return outcomes


def _plan(
    cur: Cursor[Any], looked: store.Looked, post: KeyedPost, *, received_at: datetime
) -> tuple[Intake, Plain] | None:
    speaker, present = looked.speaker, looked.present
    if present is None or speaker.is_gateway:
        return None
    try:
        batch = post.read()
    except Exception:
        # It is read again where its own sender hears what is wrong with it.
        return None
    intake = Intake(batch, speaker=speaker, received_at=received_at)
    serials = intake.read(span(cur, received_at))
    if serials - {speaker.serial}:
        return None
    intake.resolve(lock_sources(cur, speaker, serials=serials))
    times, bound = intake.span(), {speaker.id: [present.bound]}
    if times is None or not present.covers(*times) or intake.events or intake.may_be_known(bound):
        return None
    intake.settle(list(intake.attribute(bound)), {})
    rows, heard = intake.changed, list(intake.heard.values())
    if intake.quarantined or not rows or len(heard) != 1:
        return None
    fold(present.state, rows)
    if present.state.reattached:
        return None
    return intake, Plain(heard[0], looked.seen, present.state, looked.seq, rows)
