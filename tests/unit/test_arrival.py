"""The law of arrival (decision 0016): order, repetition and delay change nothing but live into retrospective."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from silverwatch.domain.alerts.conditions import ANY_PART, Points, Slope, Value
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.latch import RANK
from silverwatch.domain.alerts.limits import Limit, Limits
from silverwatch.domain.alerts.reconcile import Follow, Raise, Stored, Withdraw, columns, reconcile
from silverwatch.domain.alerts.rule_book import SITE_RULES
from silverwatch.domain.alerts.rule_set import RuleSet
from silverwatch.domain.alerts.rules import SITE_DEFAULTS, Checkpoint, Reading, evaluate, is_live
from silverwatch.domain.readings.vitals import BIT

START = datetime(2026, 3, 1, tzinfo=UTC)
OWN = Limits(
    {"heart_rate": Limit(low=60, high=100, low_critical=None, high_critical=110, hysteresis=2, delay_s=5)}
)
RULES = RuleSet(
    {
        **SITE_RULES,
        "01990000-0000-7000-8000-000000000001": Rule(
            name="three", condition=Points(part=ANY_PART, at_least=3), hold_s=10, priority="low"
        ),
        "01990000-0000-7000-8000-000000000002": Rule(
            name="fast", condition=Value(vital="heart_rate", operator=">", bound=115, hysteresis=6), hold_s=30
        ),
        "01990000-0000-7000-8000-000000000003": Rule(
            name="slope", condition=Slope(vital="heart_rate", direction="rises", by=20, minutes=1)
        ),
    }
)
VALUES = {
    "heart_rate": [38, 45, 80, 80, 118, 125, 150],
    "oxygen_saturation": [78, 85, 90.5, 97, 97],
    "respiratory_rate": [7, 16, 26, 31],
    "systolic_bp": [75, 88, 94, 120],
    "temperature": [37, 39],
    "supplemental_oxygen": [0, 2],
}
OFF = BIT["oxygen_saturation"]


@st.composite
def stories(draw):
    """Readings over some minutes, a few vitals at a time, each with how long it is on its way; some come twice."""
    second, coming = 0, []
    names = draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    delays = st.sampled_from(draw(st.sampled_from([[0], [0, 3], [0, 0, 8, 40], [0, 20, 90, 700], [0, 5000]])))
    for _ in range(draw(st.integers(1, 25))):
        second += draw(st.sampled_from([0, 1, 4, 5, 5, 8, 16, 16, 35, 200]))
        by_hand = draw(st.integers(0, 7)) == 0
        reading = Reading(
            event_at=START + timedelta(seconds=second),
            values={name: draw(st.sampled_from(VALUES[name])) for name in sorted(names)},
            sensor_off=draw(st.sampled_from([0, 0, 0, 0, OFF])) if "oxygen_saturation" in names else 0,
            spot=by_hand,
            interval_s=3600.0 if by_hand else draw(st.sampled_from([5.0, 5.0, 60.0])),
            consciousness=draw(st.sampled_from([None, "A", "C"])) if by_hand else None,
        )
        coming += [
            (reading.event_at + timedelta(seconds=draw(delays)), len(coming), reading)
            for _ in range(draw(st.sampled_from([1, 1, 1, 2])))
        ]
    return sorted(coming)


class Ward:
    """One patient, judged as the database's are, without a database: late readings go back to an older checkpoint."""

    def __init__(self, limits, draw):
        self.limits, self.draw = limits, draw
        self.readings, self.points, self.rows, self.key = [], [Checkpoint.empty()], [], 0

    def judge(self, new, now):
        """Fold from before the first of the new readings, perhaps in two goes, and keep checkpoints on the way."""
        new = [
            reading for number, reading in enumerate(new) if reading not in (*self.readings, *new[:number])
        ]
        if not new:
            return
        self.readings += new
        first = min(reading.event_at for reading in new)
        self.points = [p for p in self.points if p.at is None or p.at < first]
        base = self.points[-1]
        left = sorted(
            (r for r in self.readings if base.at is None or r.event_at > base.at), key=Reading.order
        )
        cut = self.draw(st.integers(0, len(left))) if self.draw(st.integers(0, 3)) == 0 else 0
        while 0 < cut < len(left) and left[cut].event_at == left[cut - 1].event_at:
            cut += 1
        for part, rest in ((left[:cut], left[cut:]), (left[cut:], [])):
            if part:
                self._go(part, until=rest[0].event_at if rest else None, now=now)

    def _go(self, part, *, until, now):
        base = self.points[-1]
        after, verdicts = evaluate(base, part, limits=self.limits, now=now, rules=RULES)
        since = base.at or START - timedelta(seconds=60)
        for change in reconcile(verdicts, self.rows, since=since, until=until):
            self._apply(change, now)
        if self.draw(st.integers(0, 2)):
            self.points.append(after)
        else:
            # The newest one is always known; older ones are thinned.
            self.points[1:] = [after]

    def _apply(self, change, now):
        if isinstance(change, Raise):
            stands = self._open(change.episode.kind) if change.live else None
            if stands is None:
                self._add(change.episode, live=change.live)
            else:
                self._come_back(stands, change.episode)
            return
        (row,) = (row for row in self.rows if row.key == change.key)
        if isinstance(change, Withdraw):
            self._set(row, withdrawn=True, closed=True, ended_at=row.ended_at or now)
        elif isinstance(change, Follow):
            self._follow(row, change)

    def _follow(self, row, change):
        episode = change.episode
        stands = self._open(row.kind)
        if change.live and stands is not None and stands.key != row.key:
            self._come_back(stands, episode)
            self._set(row, withdrawn=True, closed=True)
            return
        peak = max(row.peak_priority, episode.peak_priority, key=RANK.__getitem__) if row.live else None
        now_open = change.live or (not row.closed and (episode.ended_at is None or self._waits(row, episode)))
        self._set(
            row,
            **self._said(episode, peak=peak),
            closed=not now_open,
            live=row.live or change.live,
            withdrawn=False,
        )

    def _waits(self, row, episode):
        """A high alarm stays until it was seen."""
        return "high" in (row.peak_priority, episode.peak_priority) and self.draw(st.booleans())

    def _open(self, kind):
        found = [row for row in self.rows if row.kind == kind and not row.closed]
        assert len(found) <= 1
        return found[0] if found else None

    def _come_back(self, row, episode):
        assert row.ended_at is not None
        self.key += 1
        says = {name: value for name, value in row.says.items() if name not in ("vital", "side", "rule_id")}
        self.rows.append(replace(row, key=self.key, closed=True, earlier=True, says=says))
        self._set(row, **self._said(episode, peak=None), live=True)

    def _add(self, episode, *, live):
        self.key += 1
        self.rows.append(
            Stored(key=self.key, kind=episode.kind, live=live, closed=not live, **self._said(episode))
        )

    def _set(self, row, **values):
        self.rows[self.rows.index(row)] = replace(row, **values)

    @staticmethod
    def _said(episode, *, peak=None):
        says = columns(episode)
        own = ("run_from", "event_at", "priority", "last_at")
        return {
            **{name: says[name] for name in own}, "ended_at": episode.ended_at, "says": says,
            "peak_priority": peak or episode.peak_priority,
        }  # fmt: skip


def facts(rows):
    """What is told, without what a person may have been told before: who was live, and the priority at the worst."""
    return sorted(
        (
            (
                row.kind,
                row.event_at,
                row.run_from,
                row.ended_at,
                row.priority,
                row.says["value"],
                row.says["worst"],
            )
            for row in rows
            if not row.withdrawn
        ),
        key=str,
    )


def expected(episodes):
    return sorted(
        ((e.kind, e.raised_at, e.run_from, e.ended_at, e.priority, e.value, e.worst) for e in episodes),
        key=str,
    )


def said(second, *, spot=False, off=0, **values):
    """A reading of a device each 5 s, or of a set by hand."""
    return Reading(
        event_at=START + timedelta(seconds=second), values={"respiratory_rate": 16, **values},
        sensor_off=off, spot=spot, interval_s=3600.0 if spot else 5.0, consciousness=None,
    )  # fmt: skip


def judged(*batches, draws):
    """A ward after these batches (second at which they came, readings), and what one fold over all of them says."""
    left = list(draws)
    ward = Ward(SITE_DEFAULTS, lambda _: left.pop(0))
    for second, readings in batches:
        ward.judge(readings, START + timedelta(seconds=second))
    now = START + timedelta(seconds=batches[-1][0])
    _, verdicts = evaluate(
        Checkpoint.empty(),
        sorted(ward.readings, key=Reading.order),
        limits=SITE_DEFAULTS,
        now=now,
        rules=RULES,
    )
    return ward, expected([verdict.episode for verdict in verdicts])


def test_an_episode_that_another_alert_took_over_leaves_no_second_one():
    first = [said(0, spot=True, heart_rate=118), said(1, heart_rate=38)]
    first += [said(17, heart_rate=38), said(17, spot=True, heart_rate=118)]
    late = [said(1, spot=True, heart_rate=118)]
    # The late one is folded in two goes, cut after the first reading.
    ward, told = judged((17, first), (21, late), draws=[1, 0, 0, 1, 0, 0, 0])
    assert facts(ward.rows) == told


def test_a_high_alarm_that_waits_to_be_seen_keeps_its_own_beginning():
    """It is over since the reading with which the next one begins."""
    first = [said(0, heart_rate=72, oxygen_saturation=78)]
    end = [said(0, spot=True, off=OFF, oxygen_saturation=78), said(1, heart_rate=72, oxygen_saturation=90.5)]
    end.append(said(17, heart_rate=72, oxygen_saturation=85))
    again = [said(18, spot=True, oxygen_saturation=78)]
    ward, told = judged((0, first), (17, end), (18, again), draws=[1, 0, 1, True, 0, 1, 0, True, True])
    assert facts(ward.rows) == told
    assert len([row for row in ward.rows if row.kind == "oxygen_saturation_low" and not row.withdrawn]) == 2


@settings(max_examples=1000, deadline=None)
@given(stories(), st.sampled_from([SITE_DEFAULTS, OWN]), st.data())
def test_the_order_and_the_delay_of_coming_change_only_live_into_retrospective(story, limits, data):
    ward, now = Ward(limits, data.draw), START
    waiting = []
    for now, _, reading in story:
        waiting.append(reading)
        if data.draw(st.booleans()):
            ward.judge(waiting, now)
            waiting = []
    if waiting:
        ward.judge(waiting, now)
    readings = [reading for _, _, reading in story]
    unique = [reading for number, reading in enumerate(readings) if reading not in readings[:number]]
    _, verdicts = evaluate(
        Checkpoint.empty(), sorted(unique, key=Reading.order), limits=limits, now=now, rules=RULES
    )
    episodes = [verdict.episode for verdict in verdicts]
    assert facts(ward.rows) == expected(episodes)
    told = {(row.kind, row.event_at): row for row in ward.rows if not row.withdrawn}
    for episode in episodes:
        row = told[episode.kind, episode.raised_at]
        if is_live(episode, now):
            assert row.live
            assert not row.closed
        if row.live:
            assert RANK[row.peak_priority] >= RANK[episode.peak_priority]
        else:
            assert row.peak_priority == episode.peak_priority
    for row in ward.rows:
        assert row.closed or row.ended_at is not None or row.event_at in {e.raised_at for e in episodes}
