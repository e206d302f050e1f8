"""The way of a fact, as data: which jobs run and which live regions change when something has happened.

A test resolves every name here and fails on a fact without an entry. `Ringer` follows the table after a
commit; what it could not tell stays unrung in the outbox, and the sweep rings again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from silverwatch import clock, db
from silverwatch.adapters.job_queue import ALARMS, NOTICES, REPORTS, JobQueue
from silverwatch.adapters.redis_bus import Bus
from silverwatch.domain import events
from silverwatch.domain.accounts.facts import GrantsChanged
from silverwatch.domain.alerts.facts import (
    AlertAcknowledged,
    AlertChanged,
    AlertClosed,
    AlertRaised,
    LimitsChanged,
    PatientsJudged,
    PauseChanged,
)
from silverwatch.domain.devices.facts import BindingsChanged, PairingChanged
from silverwatch.domain.events import Fact, Recorded
from silverwatch.domain.mail.facts import LetterWritten
from silverwatch.domain.notices.facts import AlertEscalated, NoticeChanged, NoticesSeen, TestAsked
from silverwatch.domain.readings.facts import ReadingsStored
from silverwatch.domain.records.facts import (
    MedicationsChanged,
    NoteChanged,
    PatientsMoved,
    PlanChanged,
    TasksChanged,
)
from silverwatch.domain.wards.facts import AllocationChanged, DutyChanged, PlacesChanged

log = logging.getLogger(__name__)

JUDGE: Final = "silverwatch.jobs.evaluate.judge"
SEND_LETTERS: Final = "silverwatch.jobs.send_letters.send"
NOTIFY: Final = "silverwatch.jobs.notify.notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Jobs (dotted names, run by the workers of `queue`) and live regions (names of `live.regions`).

    Nothing but judging belongs into the queue of the alarms: its workers must be free when one comes.
    """

    jobs: tuple[str, ...] = ()
    queue: str = REPORTS
    regions: tuple[str, ...] = ()


ALARM_REGIONS: Final = ("tile", "alarm-bar", "counts")
"""What of a ward an alarm changes."""
PATIENT_REGIONS: Final = ("alarm-strip", "latest", "news2", "timeline")
"""What of the page of a patient an alarm changes."""
INBOX_REGIONS: Final = ("alarm-list", "my-alarms", "alarm-detail", "notices")
"""What of the alarm inbox."""
STAFF_REGIONS: Final = ("alarm-badge", "staff-bar")
"""What of the frame of every page of whoever takes alarms."""
DEVICE_REGIONS: Final = ("fleet-counts", "fleet", "faults")
"""What of the pages of technicians."""
_OF_ALARMS: Final = Route(
    regions=(
        *ALARM_REGIONS,
        *PATIENT_REGIONS,
        *INBOX_REGIONS,
        *STAFF_REGIONS,
        *DEVICE_REGIONS,
        "shift",
        "wards",
    )
)
_TOLD: Final = Route(jobs=(NOTIFY,), queue=NOTICES, regions=(*_OF_ALARMS.regions, "notice-badge"))

FLOW: Final[dict[type[Fact], Route]] = {
    ReadingsStored: Route(jobs=(JUDGE,), queue=ALARMS),
    PatientsJudged: Route(regions=("tile", "latest", "news2")),
    # Also a change may make an alarm escalate anew: it is told at once, not at the guard's next look.
    AlertRaised: _TOLD,
    AlertChanged: _TOLD,
    AlertEscalated: _TOLD,
    NoticeChanged: Route(regions=("alarm-detail",)),
    NoticesSeen: Route(regions=("notice-badge", "notices")),
    TestAsked: Route(jobs=(NOTIFY,), queue=NOTICES),
    LimitsChanged: Route(jobs=(JUDGE,), queue=ALARMS, regions=("tile", "trend", "latest")),
    AlertAcknowledged: _OF_ALARMS,
    AlertClosed: _OF_ALARMS,
    NoteChanged: Route(regions=("timeline",)),
    PauseChanged: _OF_ALARMS,
    GrantsChanged: Route(),
    DutyChanged: Route(regions=("shift", "wards")),
    AllocationChanged: Route(regions=("shift", "rounds", "my-alarms")),
    TasksChanged: Route(regions=("shift", "rounds", "ward-rounds")),
    PlanChanged: Route(regions=("shift", "rounds", "ward-rounds", "timeline")),
    MedicationsChanged: Route(regions=("shift", "rounds", "ward-rounds")),
    PairingChanged: Route(regions=("pairing",)),
    BindingsChanged: Route(regions=("tile", "trend", "latest", "timeline", "shift")),
    PatientsMoved: Route(
        regions=(
            *ALARM_REGIONS,
            "board",
            "trend",
            *PATIENT_REGIONS,
            *INBOX_REGIONS,
            *STAFF_REGIONS,
            "shift",
            "rounds",
            "ward-rounds",
            "wards",
        )
    ),
    PlacesChanged: Route(regions=("board", "counts", "wards")),
    LetterWritten: Route(jobs=(SEND_LETTERS,)),
}

TOPICS: Final[dict[str, type[Fact]]] = {fact.__name__: fact for fact in FLOW}
"""On the bus a fact is its class name and the ids of whom it is about, nothing else."""


def line(fact: Fact) -> str:
    """A fact as a line for the bus."""
    ids: tuple[UUID, ...] = getattr(fact, "ids", ())
    return f"{type(fact).__name__}:{','.join(str(item) for item in ids)}"


def parse(text: str) -> tuple[type[Fact], tuple[UUID, ...]] | None:
    """The fact's class and ids of a line of the bus; None for a line of a newer version."""
    topic, _, ids = text.partition(":")
    cls = TOPICS.get(topic)
    if cls is None:
        return None
    return cls, tuple(UUID(item) for item in ids.split(",") if item)


class Ringer:
    """Tells facts: the hook of `db.transaction()`, and of the sweep."""

    def __init__(self, *, bus: Bus, queue: JobQueue) -> None:
        self.bus = bus
        self.queue = queue

    def __call__(self, recorded: Sequence[Recorded]) -> None:
        """Publish the topics and enqueue the jobs of these facts, then note which durable ones were told."""
        lines = list(dict.fromkeys(line(fact) for _, fact in recorded))
        told = self.bus.publish(lines)
        for _, fact in recorded:
            route = FLOW[type(fact)]
            for job in route.jobs:
                self.queue.ring(job, queue=route.queue)
        event_ids = [event_id for event_id, _ in recorded if event_id is not None]
        if told and event_ids:
            with db.transaction() as session:
                events.mark_rung(session, event_ids, at=clock.now())

    def readings_stored(self) -> None:
        """Readings were committed on the hot path: ring for judging."""
        self.queue.ring(JUDGE, queue=ALARMS)
