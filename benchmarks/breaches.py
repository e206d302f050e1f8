"""Ten thousand generated breaches over HTTP: shuffled, doubled, partly late; against the slow, plain recomputation.

Each patient breathes calmly but for breaches that were written down beforehand. What comes out of the site is compared
with `benchmarks.recompute`, which sees the readings in order: nothing missed, nothing double, each start and end right.
"""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text

from benchmarks.found import Found
from benchmarks.measure import Line
from benchmarks.place import Bedside, Place, new_patient
from benchmarks.recompute import Row, alarms
from benchmarks.waiting import until_judged
from silverwatch import clock, db

PATIENTS: Final = 400
EACH: Final = 25
"""Breaches a patient: ten thousand in all."""
INTERVAL_S: Final = 10.0
SENDERS: Final = 6
BATCH: Final = 40
TRIES: Final = 30
TWICE: Final = 0.2
"""So many of the readings come twice."""
LATE: Final = 0.1
"""So many come only when everything else is there."""
CALM: Final = {"heart_rate": 80.0, "respiratory_rate": 16.0, "oxygen_saturation": 97.0}
BEYOND: Final = {
    "heart_rate": (44.0, 36.0, 127.0, 151.0),
    "respiratory_rate": (7.0, 5.0, 32.0, 36.0),
    "oxygen_saturation": (88.0, 84.0, 78.0),
}
ON: Final = "oxygen_saturation_low"
"""The alarm that every patient ends with, and that has to be open."""
DAY: Final = timedelta(days=1)


class Story(NamedTuple):
    """What a patient's device will say, in order, and how many breaches are in it."""

    rows: list[Row]
    breaches: int


@dataclass(slots=True)
class Verdict:
    """What differs. `silent`: alarms that are on and that nobody sees; `examples`: some of it in words."""

    expected: int = 0
    missed: int = 0
    double: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Nothing differs."""
        return not (self.missed or self.double or self.wrong.total() or self.silent)


def tell(chance: random.Random, *, breaches: int) -> Story:
    """Calm and breach in turn, each breach of one or two vitals and long enough; the last one goes on."""
    rows: list[Row] = []

    def add(values: dict[str, float]) -> None:
        rows.append((len(rows) * INTERVAL_S, {**CALM, **values}))

    left = breaches
    while left > 1:
        for _ in range(chance.randint(4, 9)):
            add({})
        names = chance.sample(sorted(BEYOND), 2 if left > 2 and chance.random() < 0.15 else 1)
        sides = {name: chance.choice([-1, 1]) for name in names}
        for _ in range(chance.choice([3, 3, 4, 6, 9])):
            add({name: chance.choice(_of(name, sides[name])) for name in names})
        left -= len(names)
    for _ in range(6):
        add({})
    for _ in range(4):
        add({"oxygen_saturation": 78.0})
    return Story(rows, breaches)


def _of(name: str, side: int) -> Sequence[float]:
    """Values on one side: a breach does not jump from too low to too high."""
    chosen = [value for value in BEYOND[name] if (value > CALM[name]) == (side > 0)]
    return chosen or BEYOND[name]


def deliveries(story: Story, chance: random.Random) -> tuple[list[list[Row]], list[list[Row]]]:
    """The posts in which the readings come, and those that come late: in order, jumbled, or in no order at all."""
    late = {row[0] for row in story.rows[:-1] if chance.random() < LATE}
    coming = [row for row in story.rows if row[0] not in late]
    coming += chance.sample(coming, int(len(coming) * TWICE))
    spread = chance.choice([0.0, 120.0, 1e6])
    coming.sort(key=lambda row: row[0] + chance.random() * spread)
    waiting = [row for row in story.rows if row[0] in late]
    chance.shuffle(waiting)
    return list(_parts(coming, chance)), list(_parts(waiting, chance))


def _parts(rows: list[Row], chance: random.Random) -> Iterator[list[Row]]:
    while rows:
        size = chance.randint(1, BATCH)
        yield rows[:size]
        rows = rows[size:]


def body(rows: Iterable[Row], *, start: datetime) -> dict[str, Any]:
    """A post of these readings."""
    return {
        "readings": [
            {"measured_at": (start + timedelta(seconds=at)).isoformat(), **values} for at, values in rows
        ]
    }


_TOLD: Final = """
SELECT patient_id, kind, run_from, event_at, ended_at, priority, closed_at IS NULL AS is_open FROM alert
WHERE patient_id = ANY(:ids) AND subject = 'patient' AND closed_as IS DISTINCT FROM 'withdrawn'
UNION ALL SELECT patient_id, kind, run_from, event_at, ended_at, priority, false FROM alert_episode
WHERE patient_id = ANY(:ids) AND withdrawn_at IS NULL
"""


def compare(stories: dict[UUID, Story], *, start: datetime) -> Verdict:
    """What is stored of these patients against what the recomputation finds in their stories."""
    told: dict[UUID, list[Any]] = {patient: [] for patient in stories}
    with db.transaction(read_only=True) as session:
        for row in session.execute(text(_TOLD), {"ids": list(stories)}):
            told[row.patient_id].append(row)
    verdict = Verdict()
    for patient, story in stories.items():
        _compare(alarms(story.rows, interval_s=INTERVAL_S), told[patient], verdict, start=start)
        verdict.silent += not any(
            row.kind == ON and row.is_open and row.ended_at is None for row in told[patient]
        )
    return verdict


def _compare(expected: Sequence[Found], told: Sequence[Any], verdict: Verdict, *, start: datetime) -> None:
    """One alarm after the other is given the stored one that begins nearest to it; what is left over is double."""

    def offset_s(at: datetime | None) -> float | None:
        return None if at is None else round((at - start).total_seconds(), 3)

    left = list(told)
    verdict.expected += len(expected)
    for alarm in expected:
        same = [
            row for row in left
            if row.kind == alarm.kind
            and (alarm.ended_at is None or (offset_s(row.event_at) or 0) <= alarm.ended_at)
            and (row.ended_at is None or (offset_s(row.ended_at) or 0) >= alarm.event_at)
        ]  # fmt: skip
        if not same:
            verdict.missed += 1
            verdict.examples.append(f"missed {alarm}")
            continue
        row = min(same, key=lambda row: abs((offset_s(row.event_at) or 0) - alarm.event_at))
        left.remove(row)
        found = {
            "start": (offset_s(row.run_from), offset_s(row.event_at)) == (alarm.run_from, alarm.event_at),
            "end": offset_s(row.ended_at) == alarm.ended_at,
            "priority": row.priority == alarm.priority,
        }
        wrong = [what for what, is_right in found.items() if not is_right]
        verdict.wrong.update(wrong)
        if wrong:
            verdict.examples.append(f"wrong {wrong}: {alarm}, stored {row}")
    verdict.double += len(left)
    verdict.examples += [f"double {row}" for row in left]


def run(site: Place) -> list[Line]:
    """Post it all, wait until it is judged, compare."""
    chance = random.Random(4)
    stories = [tell(chance, breaches=EACH) for _ in range(PATIENTS)]
    with db.transaction() as session:
        worn = [new_patient(session, f"breach-{n}", interval_s=INTERVAL_S) for n in range(PATIENTS)]
    # The longest story ends now; who has a shorter one fell silent before.
    begin, start = clock.now(), clock.now() - timedelta(seconds=max(s.rows[-1][0] for s in stories) + 1)
    stories = [_moved(story, until=(begin - start).total_seconds() - 1) for story in stories]
    ways = [deliveries(story, chance) for story in stories]
    again = 0
    for number in (0, 1):
        posts = [(w, part) for w, way in zip(worn, ways, strict=True) for part in way[number]]
        again += _send_all(site, posts, start=start, chance=chance)
    # And a last reading of each that is fresh: what is still on has to be heard.
    now_s = round((clock.now() - start).total_seconds(), 3)
    last = (now_s, {**CALM, "oxygen_saturation": 78.0})
    stories = [Story([*story.rows, last], story.breaches) for story in stories]
    again += _send_all(site, [(w, [last]) for w in worn], start=start, chance=chance)
    waited_s = until_judged(site, patients=[w.patient_id for w in worn], within_s=300)
    took_s = (clock.now() - begin).total_seconds()
    by_patient = {w.patient_id: story for w, story in zip(worn, stories, strict=True)}
    return _lines(by_patient, compare(by_patient, start=start), took_s=took_s, waited_s=waited_s, again=again)


def _moved(story: Story, *, until: float) -> Story:
    by = until - story.rows[-1][0]
    return Story([(round(at + by, 3), values) for at, values in story.rows], story.breaches)


@dataclass(slots=True)
class _Sent:
    """What the senders have met: how often they were told to come again, and what nothing could be done about."""

    again: int = 0
    failed: list[str] = field(default_factory=list)


def _send_all(
    site: Place, posts: list[tuple[Bedside, list[Row]]], *, start: datetime, chance: random.Random
) -> int:
    """Each patient's posts in their order, the patients jumbled, from several senders; how many came again."""
    waiting: dict[UUID, list[tuple[str, bytes]]] = {}
    for worn, rows in posts:
        sent = msgspec.json.encode(body(rows, start=start))
        waiting.setdefault(worn.patient_id, []).append((worn.key, sent))
    turns = [patient for patient, mine in waiting.items() for _ in mine]
    chance.shuffle(turns)
    sender = {patient: number % SENDERS for number, patient in enumerate(waiting)}
    queues: list[list[tuple[str, bytes]]] = [[] for _ in range(SENDERS)]
    for patient in turns:
        queues[sender[patient]].append(waiting[patient].pop(0))
    result = _Sent()
    threads = [threading.Thread(target=_send, args=(site.port, queue, result)) for queue in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if result.failed:
        raise RuntimeError(result.failed[0])
    return result.again


def _send(port: int, queue: Sequence[tuple[str, bytes]], result: _Sent) -> None:
    """As a device does it: what is not taken now is sent again."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for key, sent in queue:
        for _ in range(TRIES):
            connection.request("POST", "/api/readings/", sent,
                               {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})  # fmt: skip
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 503:
                break
            result.again += 1
            time.sleep(float(answer.headers["Retry-After"]))
        if answer.status != 200:
            result.failed.append(f"{answer.status} {said[:300]!r}")
            return


def _lines(
    stories: dict[UUID, Story], verdict: Verdict, *, took_s: float, waited_s: float, again: int
) -> list[Line]:
    for line in verdict.examples[:10]:
        print(f"  {line}")
    planned = sum(story.breaches for story in stories.values())
    readings = sum(len(story.rows) for story in stories.values())
    wrong = ", ".join(f"{what} {verdict.wrong[what]}" for what in ("start", "end", "priority"))
    is_exact = not verdict.wrong.total()
    return [
        Line(part="breaches", what=f"{planned} breaches of {len(stories)} patients, {readings} readings: alarms",
             value=str(verdict.expected)),
        Line(part="breaches", what="missed; double", value=f"{verdict.missed}; {verdict.double}", target="0; 0",
             met=not (verdict.missed or verdict.double)),
        Line(part="breaches", what="wrong start, end, priority", value=wrong, target="0", met=is_exact),
        Line(part="breaches", what="on and not open", value=str(verdict.silent), target="0", met=not verdict.silent),
        Line(part="breaches", what="posted and judged in s; of it after the last answer; posts told to come again",
             value=f"{took_s:.0f}; {waited_s:.1f}; {again}"),
    ]  # fmt: skip
