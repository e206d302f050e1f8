"""A reading ends with who wore the device at its time, in whatever order readings and changes come in."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.readings.pieces import Piece, Span, pieces
from tests.binding.ward import kept, latest, put_on, readings, take_off
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post

S = timedelta(seconds=1)
A, B = UUID(int=1), UUID(int=2)
DEVICE = UUID(int=9)
ZERO = datetime(2026, 1, 1, tzinfo=clock.now().tzinfo)


def at(second: int | None) -> datetime | None:
    """A moment of the pure tests."""
    return None if second is None else ZERO + second * S


spans = st.lists(
    st.tuples(st.sampled_from([A, B]), st.integers(0, 20), st.integers(1, 5) | st.none()), max_size=4
)


def laid(found: list[tuple[UUID, int, int | None]]) -> list[Span]:
    """Spans one after the other, as the database allows them."""
    result: list[Span] = []
    clear = 0
    for patient, gap, length in found:
        start = clear + gap % 4
        end = None if length is None else start + length
        result.append(Span(patient, at(start), at(end)))
        if end is None:
            break
        clear = end
    return result


def wearer(found: list[Span], moment: datetime) -> UUID | None:
    """Who wears it then, by definition."""
    for span in found:
        if (span.start is None or span.start <= moment) and (span.end is None or moment < span.end):
            return span.patient_id
    return None


@given(spans, spans)
def test_pieces_are_where_the_wearer_differs(one: list[tuple[UUID, int, int | None]],
                                             other: list[tuple[UUID, int, int | None]]) -> None:  # fmt: skip
    before, after = laid(one), laid(other)
    found = pieces(DEVICE, before, after)
    for second in range(-2, 60):
        moment = ZERO + second * S / 2
        expected = wearer(before, moment), wearer(after, moment)
        inside = [
            p for p in found if (p.start is None or p.start <= moment) and (p.end is None or moment < p.end)
        ]
        assert len(inside) <= 1
        assert (expected[0] != expected[1]) == bool(inside)
        if inside:
            assert (inside[0].before, inside[0].after) == expected


def test_pieces_of_open_ends() -> None:
    assert pieces(DEVICE, [Span(A, None, None)], [Span(A, None, at(5))]) == [
        Piece(DEVICE, at(5), None, A, None)
    ]
    assert pieces(DEVICE, [], [Span(A, at(1), None)]) == [Piece(DEVICE, at(1), None, None, A)]


@dataclass(frozen=True)
class Story:
    """Achieng wears it, then Baraka, then nobody, then Achieng again; ten readings before, during and after."""

    base: datetime

    @property
    def edges(self) -> list[datetime]:
        return [self.base + n * 100 * S for n in range(4)]

    def owner(self, moment: datetime) -> str:
        one, two, three, four = self.edges
        if moment < one or three <= moment < four:
            return "nobody"
        return "baraka" if two <= moment < three else "achieng"


@pytest.mark.parametrize("seed", range(12))
def test_in_any_order_each_reading_ends_with_who_wore_it(
    site: Site, cast: Cast, nurse: Actor, seed: int
) -> None:
    story = Story(clock.now() - timedelta(minutes=10))
    one, two, three, four = story.edges
    achieng, baraka = cast.achieng.patient_id, cast.baraka.patient_id
    device, key = cast.spare_id, cast.spare_key
    moments = [story.base + (n * 40 - 55) * S for n in range(11)] + [one, two, two - S / 1000, three, four]
    acts = [
        lambda: put_on(nurse, device, achieng, start=one),
        lambda: take_off(nurse, device, at=two),
        lambda: put_on(nurse, device, baraka, start=two),
        lambda: take_off(nurse, device, at=three),
        lambda: put_on(nurse, device, achieng, start=four),
    ]
    steps: list[object] = list(range(len(moments)))
    random.Random(seed).shuffle(steps)
    # The acts in their order, at any places among the readings.
    places = sorted(random.Random(seed + 100).randint(0, len(steps)) for _ in acts)
    for act, place in zip(reversed(acts), reversed(places), strict=True):
        steps.insert(place, act)
    for step in steps:
        if isinstance(step, int):
            body = {"readings": [{"measured_at": moments[step].isoformat(), "heart_rate": 60 + step}]}
            answer = site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 200
        else:
            step()  # type: ignore[operator]
    order = sorted(range(len(moments)), key=moments.__getitem__)
    expected = {
        who: [float(60 + n) for n in order if story.owner(moments[n]) == who]
        for who in ("achieng", "baraka", "nobody")
    }
    assert readings(site, achieng) == expected["achieng"]
    assert readings(site, baraka) == expected["baraka"]
    assert len(kept(site)) == len(expected["nobody"])
    newest = max(m for m in moments if story.owner(m) == "achieng")
    assert latest(site, achieng)["heart_rate"] == 60 + moments.index(newest)
    judge()
    # Sent again, each is a duplicate or waits already: nothing is there twice.
    for number, moment in enumerate(moments):
        post(site, key, [(0, {"heart_rate": 60 + number})], until=moment)
    assert readings(site, achieng) == expected["achieng"]
    assert len(readings(site, baraka)) + len(kept(site)) == len(expected["baraka"]) + len(expected["nobody"])


SENSIBLE = [order for order in permutations(range(4)) if order.index(2) < order.index(3)]
"""Somebody must have taken it off before somebody else puts it on."""


@pytest.mark.parametrize("order", SENSIBLE)
def test_all_orders_of_two_readings_and_a_change(
    site: Site, cast: Cast, nurse: Actor, order: tuple[int, ...]
) -> None:
    """Before and after, and the two halves of a transfer of the device."""
    now = clock.now()
    edge = now - 30 * S
    device, key = cast.spare_id, cast.spare_key
    put_on(nurse, device, cast.achieng.patient_id, start=now - 100 * S)
    steps = [
        lambda: post(site, key, [(0, {"heart_rate": 61})], until=edge - S),
        lambda: post(site, key, [(0, {"heart_rate": 62})], until=edge + S),
        lambda: take_off(nurse, device, at=edge),
        lambda: put_on(nurse, device, cast.baraka.patient_id, start=edge),
    ]
    for number in order:
        steps[number]()
    assert readings(site, cast.achieng.patient_id) == [61]
    assert readings(site, cast.baraka.patient_id) == [62]
    assert kept(site) == []


def test_an_alarm_of_another_one_is_withdrawn_and_told_in_retrospect(
    site: Site, cast: Cast, nurse: Actor
) -> None:
    who, other, now = cast.achieng, cast.baraka, clock.now()
    device, key = cast.spare_id, cast.spare_key
    put_on(nurse, device, who.patient_id, start=now - 300 * S)
    post(site, key, held("heart_rate", 150, seconds=60, ending=100))
    post(site, key, held("heart_rate", 70, seconds=20, ending=60))
    judge()
    assert [row[0] for row in alerts(site, who.patient_id)] == ["heart_rate_high"]
    take_off(nurse, device, at=now - 300 * S)
    assert readings(site, who.patient_id) == []
    assert "heart_rate" not in latest(site, who.patient_id)
    put_on(nurse, device, other.patient_id, start=now - 300 * S)
    judge()
    assert site.row("SELECT closed_as FROM alert WHERE patient_id = %s", who.patient_id) == ("withdrawn",)
    assert alerts(site, other.patient_id) == [("heart_rate_high", "high", False, False)]
    assert len(readings(site, other.patient_id)) == 18
    assert kept(site) == []


def test_a_fall_goes_to_who_fell(site: Site, cast: Cast, nurse: Actor) -> None:
    who, other, now = cast.achieng, cast.baraka, clock.now()
    put_on(nurse, cast.spare_id, who.patient_id, start=now - 300 * S)
    body = {"events": [{"at": (now - 20 * S).isoformat(), "kind": "fall"}]}
    site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.spare_key}"})
    judge()
    assert alerts(site, who.patient_id) == [("fall", "high", True, True)]
    take_off(nurse, cast.spare_id, at=now - 60 * S)
    put_on(nurse, cast.spare_id, other.patient_id, start=now - 60 * S)
    judge()
    assert alerts(site, who.patient_id) == [("fall", "high", False, True)]
    assert alerts(site, other.patient_id) == [("fall", "high", True, True)]
    # Nobody had written in the incident: it is closed, and there is one for who fell.
    found = site.rows(
        "SELECT patient_id, closed_at IS NULL, closed_by IS NULL FROM incident ORDER BY opened_at"
    )
    assert found == [(who.patient_id, False, False), (other.patient_id, True, True)]


def test_an_incident_that_somebody_has_begun_is_theirs_to_close(site: Site, cast: Cast, nurse: Actor) -> None:
    now = clock.now()
    put_on(nurse, cast.spare_id, cast.achieng.patient_id, start=now - 300 * S)
    body = {"events": [{"at": (now - 20 * S).isoformat(), "kind": "fall"}]}
    site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.spare_key}"})
    judge()
    with site.cursor() as cur:
        cur.execute("""UPDATE incident SET "values" = '{"what": "Found beside the bed"}'""")
    take_off(nurse, cast.spare_id, at=now - 60 * S)
    judge()
    assert site.rows('SELECT closed_at, "values" FROM incident') == [(None, {"what": "Found beside the bed"})]


def test_a_sensor_that_was_off_is_off_wherever_the_reading_goes(site: Site, cast: Cast, nurse: Actor) -> None:
    now = clock.now()
    put_on(nurse, cast.spare_id, cast.achieng.patient_id, start=now - 100 * S)
    post(site, cast.spare_key, [(20, {"heart_rate": 70, "oxygen_saturation": 0, "temperature": 99})])
    before = site.row("SELECT sensor_off FROM reading")
    take_off(nurse, cast.spare_id, at=now - 90 * S)
    assert site.rows("SELECT 1 FROM reading") == []
    put_on(nurse, cast.spare_id, cast.baraka.patient_id, start=now - 90 * S)
    assert site.row("SELECT sensor_off FROM reading") == before
    assert site.row("SELECT patient_id FROM reading") == (cast.baraka.patient_id,)


def test_a_corrected_reading_stays_corrected(site: Site, cast: Cast, nurse: Actor) -> None:
    from silverwatch.domain.alerts import correcting

    now = clock.now()
    put_on(nurse, cast.spare_id, cast.achieng.patient_id, start=now - 100 * S)
    post(site, cast.spare_key, [(20, {"heart_rate": 170})])
    measured_at = site.row("SELECT measured_at FROM reading")[0]
    with db.transaction() as session:
        correcting.correct(
            session, nurse, (cast.achieng.patient_id, measured_at, cast.spare_id), kind="changed",
            because="Counted by hand", values={"heart_rate": 72.0}, seen=0, now=now,
        )  # fmt: skip
    take_off(nurse, cast.spare_id, at=now - 90 * S)
    put_on(nurse, cast.spare_id, cast.baraka.patient_id, start=now - 90 * S)
    assert readings(site, cast.baraka.patient_id) == [72]
