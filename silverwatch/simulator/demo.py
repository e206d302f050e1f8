"""The traffic of the demo, from its info file: devices over HTTP, a nurse with the form, and a past to begin with."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Final

from silverwatch import clock
from silverwatch.simulator import commands
from silverwatch.simulator.client import DeviceClient
from silverwatch.simulator.errors import SimulatorError
from silverwatch.simulator.history import ManualSet, history, observations
from silverwatch.simulator.medications import AFTER, PLANS
from silverwatch.simulator.nurse import Nurse
from silverwatch.simulator.ward import BedCast, cast

SEED: Final = 4
PAST: Final = timedelta(hours=13)
GIVES_S: Final = 120.0
"""So often the nurses look for doses that are due."""
LEFT_FOR: Final = timedelta(minutes=45)
"""So long doses that wait when the demo begins are left for whoever looks at it."""
Say = Callable[[str], None]
TASKS: Final = (
    ("hughes-margaret", "Blood sample", 0, None),
    ("njeri-ruth", "Turn", 30, 2),
    ("wanjiku-mary", "Mouth care", 30, 4),
    ("ochieng-peter", "Change the dressing", 120, None),
    ("baker-thomas", "Check the cannula", 240, 8),
    ("otieno-samuel", "Empty the catheter bag", 60, 6),
)
"""What the nurses have planned: for whom, what, in how many minutes, and every how many hours again."""
ASSESSED: Final[tuple[tuple[str, str, dict[str, str], str], ...]] = (
    ("njeri-ruth", "falls", {"fell": "yes", "unsteady": "yes"}, "Bell in reach, shoes asked of the family."),
    ("hughes-margaret", "four_at", {"amt4": "one"}, "Knows the ward, not the year."),
    ("wanjiku-mary", "skin", {"heels": "red"}, "Heels lie free now."),
)
"""What was assessed: of whom, with which answers besides the first choice of each question, and a note."""
GOALS: Final[tuple[tuple[str, dict[str, str], str, str], ...]] = (
    (
        "njeri-ruth",
        {"what": "Walks to the bathroom with one person", "by": "words", "measure": "Distance", "wanted": "10 m"},
        "Stood up beside the bed for a minute, with two people.",
        "Walk to the chair",
    ),
    (
        "hughes-margaret",
        {"what": "Breathes well on less oxygen", "by": "vital", "vital": "supplemental_oxygen", "sign": "<=",
         "target": "2"},
        "Sits upright, coughs well.",
        "Breathing exercises",
    ),
    (
        "wanjiku-mary",
        {"what": "Sleeps without pain", "by": "vital", "vital": "pain", "sign": "<=", "target": "3"},
        "Slept four hours after the evening tablet.",
        "Ask about the pain at night",
    ),
)  # fmt: skip
"""Goals of care plans: for whom, the fields of the form, how far it is, and a task for it."""


def run(info: Mapping[str, Any], *, stop: Event, say: Say, speed: float = 1.0, with_past: bool) -> None:
    """Drive the demo's devices and its nurses until `stop`; first tell the past, if nothing is stored yet."""
    start = clock.now()
    nurses = _nurses(info)
    places = {device["serial"]: device for device in info["devices"]}
    people = {
        bed.patient.ref: places[bed.device.serial]
        for ward in cast()
        for bed in ward.beds
        if bed.patient and bed.device and bed.device.serial in places
    }

    def record(ref: str, manual: ManualSet) -> None:
        place = people[ref]
        nurses[place["ward"]].record(place["patient_id"], manual)

    if with_past:
        try:
            _begin_shift(nurses, people)
        except SimulatorError as error:
            say(f"No shift was begun: {error}")
        for ward in cast():
            for bed in ward.beds:
                _tell_past(info["base_url"], bed, places, record, until=start)
    # A session of its own: two threads do not share a browser.
    giving = Thread(target=_give_doses, args=(_nurses(info), people, start, stop, say), daemon=True)
    giving.start()
    commands.simulate_command(
        base_url=info["base_url"],
        keys={serial: place["key"] for serial, place in places.items()},
        seed=SEED,
        speed=speed,
        stop=stop,
        say=say,
        start=start,
        post_observation=record,
    )


def _give_doses(
    nurses: Mapping[str, Nurse], people: Mapping[str, Any], start: datetime, stop: Event, say: Say
) -> None:
    """Record doses some minutes after they were due. What waits at the beginning is first left for who looks."""
    patients = sorted({ref for ref, _, _ in PLANS} & people.keys())
    while not stop.wait(GIVES_S):
        now = clock.now()
        since = start if now - start < LEFT_FOR else start - timedelta(days=1)
        for ref in patients:
            place = people[ref]
            try:
                nurses[place["ward"]].give(place["patient_id"], since=since, until=now - AFTER)
            except SimulatorError as error:
                say(f"No doses were given: {error}")


def _nurses(info: Mapping[str, Any]) -> dict[str, Nurse]:
    """The first caregiver of each ward: those after them are a charge nurse and a doctor."""
    return {
        account["ward"]: Nurse(info["base_url"], email=account["email"], password=account["password"])
        for account in reversed(info["accounts"])
        if account["role"] == "caregiver"
    }


def _begin_shift(nurses: Mapping[str, Nurse], people: Mapping[str, Any]) -> None:
    """Everybody is on duty, has beds and something to do."""
    for ward, nurse in nurses.items():
        nurse.begin_shift(ward)
    for ref, what, in_min, every_h in TASKS:
        if ref in people:
            nurses[people[ref]["ward"]].plan(people[ref]["patient_id"], what, in_min=in_min, every_h=every_h)
    for ref, goal, progress, task in GOALS:
        if ref in people:
            place = people[ref]
            nurses[place["ward"]].set_goal(place["patient_id"], goal, progress=progress, task=task)
    for ref, instrument, answers, note in ASSESSED:
        if ref in people:
            place = people[ref]
            nurses[place["ward"]].assess(place["patient_id"], instrument, answers, note=note)


def _tell_past(
    base_url: str,
    bed: BedCast,
    places: Mapping[str, Any],
    record: Callable[[str, ManualSet], None],
    *,
    until: datetime,
) -> None:
    if bed.device is None or bed.patient is None or bed.device.serial not in places:
        return
    client = DeviceClient(base_url, places[bed.device.serial]["key"], serial=bed.device.serial)
    for reading in history(bed, until=until, seed=SEED):
        client.add(reading.at, reading.values)
    client.drain(Event())
    client.close()
    for manual in observations(bed, until - PAST, until, seed=SEED, start=until):
        record(bed.patient.ref, manual)
