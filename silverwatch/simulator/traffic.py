"""All simulated devices of a cast in one process, posting as time goes by."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

from silverwatch import clock
from silverwatch.simulator.client import DeviceClient
from silverwatch.simulator.errors import SimulatorError
from silverwatch.simulator.history import ManualSet, observations, stream
from silverwatch.simulator.ward import BedCast, PatientCast

Say = Callable[[str], None]
PostObservation = Callable[[str, ManualSet], None]
"""Takes a patient's `ref` and one set; raises when the set could not be stored, then it is offered again."""

PAUSE_S: Final = 0.2
PROGRESS_S: Final = 5.0
OFFER_AGAIN_S: Final = 5.0
TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficDevice:
    """A bed of the cast with the key its device was given."""

    bed: BedCast
    key: str


@dataclass(slots=True, kw_only=True)
class Totals:
    """Sums over all devices; see DeviceClient for the words."""

    posts: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    dropped: int = 0
    waiting: int = 0

    def __str__(self) -> str:
        return (
            f"{self.stored} stored, {self.duplicates} duplicates, {self.rejected} rejected, "
            f"{self.waiting} waiting, {self.dropped} dropped"
        )


def totals(clients: Sequence[DeviceClient]) -> Totals:
    """The sums of these clients."""
    return Totals(
        posts=sum(c.posts for c in clients),
        stored=sum(c.stored for c in clients),
        duplicates=sum(c.duplicates for c in clients),
        rejected=sum(c.rejected.total() for c in clients),
        dropped=sum(c.dropped for c in clients),
        waiting=sum(c.waiting for c in clients),
    )


def run(
    base_url: str,
    devices: Sequence[TrafficDevice],
    *,
    seed: int | str,
    stop: Event,
    speed: float = 1.0,
    start: datetime | None = None,
    threads: int = 4,
    post_observation: PostObservation | None = None,
    say: Say | None = None,
) -> Totals:
    """Drive the devices until `stop` is set; then send what is still waiting once, and give the sums.

    `start` is time 0 of the courses (default: now); what lies between it and now is sent at once. At `speed`
    N the courses run N times as fast, and what happens at offset s is measured at start + s / N, never in
    the future. Raises SimulatorError for a bad address or speed, or when the server calls a post wrong.
    """
    if speed <= 0:
        raise SimulatorError(f"speed must be above 0, not {speed:g}")
    start, say = start or clock.now(), say or (lambda _line: None)
    runners = [_Runner(base_url, d, seed=seed, start=start, speed=speed, say=say) for d in devices]
    nurse = _Nurse(devices, seed=seed, start=start, speed=speed, post=post_observation, say=say)
    failures: list[SimulatorError] = []
    workers = [
        Thread(target=_work, args=(part, stop, failures), name=f"devices-{number}", daemon=True)
        for number in range(max(threads, 1))
        if (part := runners[number :: max(threads, 1)])
    ]
    for worker in workers:
        worker.start()
    clients, told_at = [runner.client for runner in runners], clock.now()
    while not stop.wait(PAUSE_S):
        nurse.step()
        if (clock.now() - told_at).total_seconds() >= PROGRESS_S:
            told_at = clock.now()
            say(f"{len(runners)} devices: {totals(clients)}")
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return totals(clients)


def _work(runners: Sequence["_Runner"], stop: Event, failures: list[SimulatorError]) -> None:
    try:
        while not stop.wait(PAUSE_S):
            for runner in runners:
                runner.step()
        for runner in runners:
            runner.step()
    except SimulatorError as error:
        failures.append(error)
        stop.set()
    finally:
        for runner in runners:
            runner.client.close()


class _Runner:
    """One device and its clock."""

    def __init__(
        self,
        base_url: str,
        device: TrafficDevice,
        *,
        seed: int | str,
        start: datetime,
        speed: float,
        say: Say,
    ) -> None:
        self._stream = stream(device.bed, seed=seed, start=start)
        self._start, self._speed, self._done_s = start, speed, 0.0
        serial = self._stream.device.serial
        self.client = DeviceClient(base_url, device.key, serial=serial, timeout_s=TIMEOUT_S, say=say)

    def step(self) -> None:
        """Measure what is due and post it; a server that is away costs one attempt."""
        until_s = (clock.now() - self._start).total_seconds() * self._speed
        if until_s > self._done_s:
            for reading in self._stream.readings(self._done_s, until_s):
                at_s = reading.offset_s / self._speed - self._stream.skew_s
                at = self._start + timedelta(seconds=at_s)
                self.client.add(at, reading.values)
                for kind in reading.events:
                    self.client.add_event(at, kind)
                self.client.set_state(
                    battery=reading.battery,
                    signal_dbm=reading.signal_dbm,
                    firmware=self._stream.device.firmware,
                )
            self._done_s = until_s
        while self.client.waiting and not self.client.send():
            pass


@dataclass(slots=True, kw_only=True)
class _Round:
    """The sets of one patient that are still to be stored."""

    bed: BedCast
    patient: PatientCast
    sets: deque[ManualSet] = field(default_factory=deque)


class _Nurse:
    """Hands manual sets on when their time comes."""

    def __init__(
        self,
        devices: Sequence[TrafficDevice],
        *,
        seed: int | str,
        start: datetime,
        speed: float,
        post: PostObservation | None,
        say: Say,
    ) -> None:
        beds = [device.bed for device in devices] if post else []
        self._rounds = [_Round(bed=bed, patient=bed.patient) for bed in beds if bed.patient]
        self._seed, self._start, self._speed, self._post, self._say = seed, start, speed, post, say
        self._done = self._not_before = start

    def step(self) -> None:
        """Store what is due; a set that cannot be stored waits and is offered again."""
        now = clock.now()
        if not self._post or now < self._not_before:
            return
        until = self._start + (now - self._start) * self._speed
        for each in self._rounds:
            each.sets.extend(observations(each.bed, self._done, until, seed=self._seed, start=self._start))
        self._done = until
        try:
            for each in self._rounds:
                while each.sets:
                    self._post(each.patient.ref, self._on_the_wall(each.sets[0]))
                    each.sets.popleft()
        except Exception as error:  # the callable is the caller's: whatever it raises, the set is not lost
            self._not_before = now + timedelta(seconds=OFFER_AGAIN_S)
            self._say(f"observation not stored ({type(error).__name__}: {error}), offered again")

    def _on_the_wall(self, found: ManualSet) -> ManualSet:
        return ManualSet(at=self._start + (found.at - self._start) / self._speed, values=found.values)
