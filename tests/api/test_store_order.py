"""Whatever order the posts come in, and however often, the same state; and manual sets by the same core."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silverwatch import clock, db
from silverwatch.domain.readings.service import store_observation
from silverwatch.domain.wards.models import Ward
from tests.api.posting import ago, answer, reading, rows, send, vital_state
from tests.cast import Cast, wear

VALUES = {
    "heart_rate": st.sampled_from([0, 60, 61, 400]),
    "oxygen_saturation": st.sampled_from([0, 90, 95]),
    "temperature": st.sampled_from([36.5, 99]),
    "consciousness": st.sampled_from(["A", "V"]),
}


@st.composite
def shuffled_posts(draw: st.DrawFn) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """Two orders of the same posts: parts of sets, with repetitions, cut into batches differently."""
    sets = draw(st.lists(st.fixed_dictionaries({}, optional=VALUES).filter(bool), min_size=1, max_size=6))
    parts = []
    for second, values in enumerate(sets):
        cut = draw(st.integers(0, len(values)))
        names = list(values)
        for some in (names[:cut], names[cut:]):
            if some:
                parts += [{"second": second, **{name: values[name] for name in some}}] * draw(
                    st.integers(1, 2)
                )
    orders = []
    for _ in range(2):
        order = draw(st.permutations(parts))
        size = draw(st.integers(1, 4))
        orders.append([order[n : n + size] for n in range(0, len(order), size)])
    return orders[0], orders[1]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip
@given(shuffled_posts())
def test_the_order_of_arrival_does_not_matter(site: Any, cast: Cast, posts: Any) -> None:
    base = ago(3600).replace(microsecond=0)
    found = []
    for order in posts:
        with db.transaction() as session:
            name = uuid4().hex[:8]
            ward = session.get_one(Ward, cast.achieng.ward_id)
            who = wear(session, ward, family_name=name, serial=name, label=name)
        for batch in order:
            items = [
                reading(
                    base.replace(second=part["second"]), **{k: v for k, v in part.items() if k != "second"}
                )
                for part in batch
            ]
            assert send(site, who.key, {"readings": items}).status_code in {200, 422}
        state = vital_state(site, who.patient_id)
        stored = rows(
            site,
            "SELECT measured_at, heart_rate, oxygen_saturation, temperature, consciousness, sensor_off"
            " FROM reading WHERE patient_id = %s ORDER BY measured_at",
            who.patient_id,
        )
        last = rows(site, "SELECT last_reading_at FROM device_state WHERE device_id = %s", who.device_id)
        found.append((state["latest"], state["off"], state["unjudged_from"], stored, last))
    assert found[0] == found[1]


def test_sensor_off_lasts_from_the_first_zero_to_the_next_value(site: Any, cast: Cast) -> None:
    base = ago(100)

    def post(second: int, value: float) -> dict[str, int]:
        at = base.replace(microsecond=0) + (clock.now() - clock.now()) * 0
        at = clock.from_epoch_ms(clock.epoch_ms(at) + second * 1000)
        assert answer(site, cast.achieng.key, reading(at, heart_rate=value)) == (1, 0, [])
        off: dict[str, int] = vital_state(site, cast.achieng.patient_id)["off"]
        return {
            name: (at_ms - clock.epoch_ms(base.replace(microsecond=0))) // 1000 for name, at_ms in off.items()
        }

    assert post(10, 80) == {}
    assert post(20, 0) == {"heart_rate": 20}
    assert post(30, 0) == {"heart_rate": 20}
    assert post(5, 0) == {"heart_rate": 20}, "older than the latest value"
    assert post(15, 0) == {"heart_rate": 15}, "late, but after the latest value"
    assert post(25, 81) == {"heart_rate": 30}, "late: the zero at 30 stands"
    assert post(40, 82) == {}


def test_a_patient_without_state_gets_one(site: Any, cast: Cast) -> None:
    with site.cursor() as cur:
        cur.execute("DELETE FROM vital_state")
    items = [{**reading(1, heart_rate=80), "device": serial} for serial in ("SW-1", "SW-2")]
    assert answer(site, cast.gateway_site, {"readings": items}) == (2, 0, [])
    assert vital_state(site, cast.baraka.patient_id)["seq"] == 1


def observe(cast: Cast, form: Any, **values: Any) -> Any:
    with db.cursor() as cur:
        return store_observation(
            cur, patient_id=cast.achieng.patient_id, source_id=form, measured_at=form_at, values=values,
            received_at=clock.now(),
        )  # fmt: skip


form_at = ago(30)


def test_a_manual_set_is_spot_and_stored_once(site: Any, cast: Cast) -> None:
    form = clock.new_id()
    assert observe(cast, form, heart_rate=80, respiratory_rate=0).stored == 1
    assert observe(cast, form, heart_rate=80).duplicates == 1
    assert observe(cast, form, temperature=37).stored == 1
    assert observe(cast, form, heart_rate=81).rejected[0].refusal.code == "conflict"
    latest = vital_state(site, cast.achieng.patient_id)["latest"]
    assert latest["heart_rate"][2] is None
    assert latest["respiratory_rate"][0] == 0, "a person who writes 0 means 0"
    assert rows(site, "SELECT source_kind, sensor_off, temperature FROM reading") == [("manual", 0, 37.0)]


@pytest.mark.parametrize(
    "values", [{"heart_rate": 0}, {"temperature": 99}, {"spam": 1}, {}, {"heart_rate": "x"}]
)
def test_a_manual_set_is_all_or_nothing(site: Any, cast: Cast, values: dict[str, Any]) -> None:
    outcome = (
        observe(cast, clock.new_id(), oxygen_saturation=97, **values)
        if values
        else observe(cast, clock.new_id())
    )
    assert outcome.is_refusal
    assert rows(site, "SELECT count(*) FROM reading") == [0]


def test_the_number_of_statements_does_not_grow_with_the_batch(site: Any, cast: Cast) -> None:
    """100 readings of three devices cost as many statements as three."""
    from silverwatch.domain.devices.service import key_hash
    from silverwatch.domain.readings.intake import Batch
    from silverwatch.domain.readings.service import store_readings
    from silverwatch.domain.readings.store import open_post

    class Counted:
        def __init__(self, cur: Any) -> None:
            self.cur, self.count, self.connection = cur, 0, cur.connection

        def execute(self, *args: Any, **options: Any) -> Any:
            self.count += 1
            return self.cur.execute(*args, **options)

    counts = []
    for size in (1, 40):
        base = ago(1000 - size)
        items = [
            {**reading(clock.from_epoch_ms(clock.epoch_ms(base) + n), heart_rate=80), "device": serial}
            for serial in ("SW-1", "SW-2", "SW-3")
            for n in range(size)
        ]
        with site.cursor() as cur:
            counted: Any = Counted(cur)
            opened = open_post(counted, key_hash(cast.gateway_site), now=clock.now())
            assert opened is not None
            speaker, present = opened
            batch = Batch(items=json.loads(json.dumps(items)))
            outcome = store_readings(counted, speaker, present=present, batch=batch, received_at=clock.now())
            assert outcome.stored == 3 * size
        counts.append(counted.count)
    assert counts == [4, 4]
