"""The answers of POST /api/readings/ when something is stored or kept."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api import ingest
from silverwatch import clock, db
from silverwatch.domain.devices import service as devices
from tests.api.posting import NDJSON, ago, answer, reading, rows, send, vital_state
from tests.cast import Cast

FULL = {
    "heart_rate": 82, "respiratory_rate": 16, "oxygen_saturation": 97, "systolic_bp": 121, "diastolic_bp": 78,
    "temperature": 36.8,
}  # fmt: skip


def test_200_the_example_of_the_contract_is_committed(site: Any, cast: Cast) -> None:
    body = {
        "device": cast.achieng.serial, "sent_at": clock.now().isoformat(), "battery": 87, "signal_dbm": -61,
        "firmware": "1.8.2", "readings": [reading(1, **FULL)], "events": [{"at": ago(1).isoformat(), "kind": "fall"}],
    }  # fmt: skip
    assert answer(site, cast.achieng.key, body) == (2, 0, [])
    assert answer(site, cast.achieng.key, body) == (0, 2, [])
    state = rows(site, "SELECT to_jsonb(d) FROM device_state d WHERE device_id = %s", cast.achieng.device_id)[
        0
    ]
    assert (state["battery"], state["signal_dbm"], state["firmware"]) == (87, -61, "1.8.2")
    assert abs(state["skew_s"]) < 5
    assert state["last_seen_at"] > state["last_reading_at"]
    found = vital_state(site, cast.achieng.patient_id)
    assert found["seq"] == 1
    assert found["latest"]["heart_rate"][0] == 82
    assert found["latest"]["heart_rate"][2] == 1, "continuous: the device's interval"
    assert found["latest"]["systolic_bp"][2] is None, "spot"
    assert found["unjudged_since"] is not None
    assert rows(site, "SELECT patient_id FROM device_event") == [cast.achieng.patient_id]


def test_200_a_bare_reading_with_mixed_numbers(site: Any, cast: Cast) -> None:
    body = reading(1, heart_rate=97, temperature=36.6, battery=50, consciousness="A", pain=0, steps=12)
    assert answer(site, cast.achieng.key, body) == (1, 0, [])
    assert rows(site, "SELECT heart_rate, temperature, consciousness, pain, steps FROM reading") == [
        (97.0, 36.6, "A", 0.0, 12.0)
    ]
    assert vital_state(site, cast.achieng.patient_id)["latest"]["consciousness"][0] == "A"


def test_200_an_empty_post_is_a_sign_of_life(site: Any, cast: Cast) -> None:
    assert answer(site, cast.achieng.key, {"readings": [], "battery": 20}) == (0, 0, [])
    seen = "SELECT last_seen_at IS NOT NULL, last_reading_at, battery FROM device_state WHERE device_id = %s"
    assert rows(site, seen, cast.achieng.device_id) == [(True, None, 20)]


def test_200_ndjson_is_a_reading_a_line(site: Any, cast: Cast) -> None:
    lines = [reading(n, heart_rate=80, device=serial) for n, serial in enumerate(("SW-1", "SW-2", "SW-3"), 1)]
    body = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n\n"
    assert answer(site, cast.gateway_site, body, content_type=NDJSON) == (3, 0, [])
    assert rows(site, "SELECT count(DISTINCT patient_id) FROM reading") == [3]


def test_200_a_set_is_completed_and_judged_again_a_conflict_stands_aside(site: Any, cast: Cast) -> None:
    at, key = ago(5), cast.achieng.key
    assert answer(site, key, reading(at, heart_rate=82)) == (1, 0, [])
    with db.transaction() as session:
        session.execute(text("UPDATE vital_state SET unjudged_since = NULL, unjudged_from = NULL"))
    assert answer(site, key, reading(at, heart_rate=82)) == (0, 1, [])
    assert vital_state(site, cast.achieng.patient_id)["unjudged_since"] is None
    assert answer(site, key, reading(at, heart_rate=82, temperature=37.0)) == (1, 0, [])
    found = vital_state(site, cast.achieng.patient_id)
    assert found["unjudged_since"] is not None
    assert found["seq"] == 2
    assert rows(site, "SELECT seq FROM reading") == [2]
    conflict = reading(at, heart_rate=99, oxygen_saturation=50)
    assert answer(site, key, conflict) == (0, 0, [("conflict", "/heart_rate")])
    assert answer(site, key, conflict) == (0, 0, [("conflict", "/heart_rate")])
    assert rows(site, "SELECT heart_rate, temperature, oxygen_saturation FROM reading") == [
        (82.0, 37.0, None)
    ]
    kept = rows(site, "SELECT code, patient_id, resends, item::jsonb ->> 'heart_rate' FROM quarantine")
    assert kept == [("conflict", cast.achieng.patient_id, 1, "99")]


def test_200_items_of_one_key_in_one_batch_are_as_if_posted_in_turn(site: Any, cast: Cast) -> None:
    at = ago(5)
    items = [
        reading(at, heart_rate=82), reading(at, heart_rate=82), reading(at, temperature=37),
        reading(at, heart_rate=83), reading(at, heart_rate=0),
    ]  # fmt: skip
    found = answer(site, cast.achieng.key, {"readings": items})
    refused = [("conflict", "/readings/3/heart_rate"), ("conflict", "/readings/4/heart_rate")]
    assert found == (2, 1, refused)
    assert rows(site, "SELECT heart_rate, temperature FROM reading") == [(82.0, 37.0)]


def test_200_implausible_is_refused_alone_and_its_sensor_counts_as_off(site: Any, cast: Cast) -> None:
    item = reading(1, heart_rate=82, oxygen_saturation=88, temperature=99)
    found = answer(site, cast.achieng.key, {"readings": [item]})
    assert found == (1, 0, [("implausible", "/readings/0/temperature")])
    assert rows(site, "SELECT heart_rate, oxygen_saturation, temperature, sensor_off FROM reading") == [
        (82.0, 88.0, None, 64)
    ]
    assert list(vital_state(site, cast.achieng.patient_id)["off"]) == ["temperature"]
    assert rows(site, "SELECT code, pointer FROM quarantine") == [("implausible", "/temperature")]
    again = answer(site, cast.achieng.key, {"readings": [item]})
    assert again == (0, 1, [("implausible", "/readings/0/temperature")])


def test_200_zero_of_a_sensor_is_off_and_no_vital(site: Any, cast: Cast) -> None:
    found = answer(
        site, cast.achieng.key, reading(1, heart_rate=0, oxygen_saturation=0.0, respiratory_rate=-0.0)
    )
    assert found == (1, 0, [])
    assert rows(site, "SELECT heart_rate, oxygen_saturation, sensor_off FROM reading") == [(None, None, 7)]
    last = "SELECT last_reading_at IS NOT NULL FROM device_state WHERE device_id = %s"
    assert rows(site, last, cast.achieng.device_id) == [True]
    assert set(vital_state(site, cast.achieng.patient_id)["off"]) == {
        "heart_rate", "oxygen_saturation", "respiratory_rate",
    }  # fmt: skip


def test_200_unbound_is_kept_once(site: Any, cast: Cast) -> None:
    item = reading(1, heart_rate=82)
    for _ in range(3):
        assert answer(site, cast.spare_key, item) == (0, 0, [("unbound", "")])
    assert rows(site, "SELECT code, resends, device_id FROM quarantine") == [("unbound", 2, cast.spare_id)]
    assert rows(site, "SELECT count(*) FROM reading") == [0]


def test_200_ambiguous_near_an_edge_with_a_wrong_clock(site: Any, cast: Cast) -> None:
    edge = ago(60)
    with db.transaction() as session:
        devices.bind(session, device_id=cast.spare_id, patient_id=cast.achieng.patient_id, start=edge)
    near, far = edge + timedelta(seconds=10), edge + timedelta(seconds=40)
    sent_at = (clock.now() - timedelta(seconds=20)).isoformat()
    body = {"sent_at": sent_at, "readings": [reading(near, heart_rate=80), reading(far, heart_rate=81)]}
    assert answer(site, cast.spare_key, body) == (1, 0, [("ambiguous", "/readings/0/measured_at")])
    body = {"sent_at": clock.now().isoformat(), "readings": [reading(near, heart_rate=80)]}
    assert answer(site, cast.spare_key, body) == (1, 0, [])


def test_200_a_reading_belongs_to_whom_the_device_was_bound_then(site: Any, cast: Cast) -> None:
    change = ago(100)
    with db.transaction() as session:
        devices.unbind(session, device_id=cast.achieng.device_id, at=change)
        devices.bind(
            session, device_id=cast.spare_id, patient_id=cast.achieng.patient_id, start=ago(500), end=change
        )
        devices.bind(session, device_id=cast.spare_id, patient_id=cast.baraka.patient_id, start=change)
    items = [reading(change - timedelta(seconds=9), heart_rate=70), reading(change, heart_rate=71)]
    assert answer(site, cast.spare_key, {"readings": items}) == (2, 0, [])
    found = dict(rows(site, "SELECT heart_rate, patient_id FROM reading"))
    assert found == {70.0: cast.achieng.patient_id, 71.0: cast.baraka.patient_id}


def test_200_a_gateway_speaks_for_its_ward_and_the_sites_for_all(site: Any, cast: Cast) -> None:
    items = [reading(n, heart_rate=80, device=s) for n, s in enumerate(("SW-1", "SW-2", "SW-3", "SW-9"), 1)]
    items.append(reading(9, heart_rate=80))
    found = answer(site, cast.gateway_a, {"readings": items})
    assert found == (2, 0, [("unknown_device", f"/readings/{n}/device") for n in (2, 3, 4)])
    found = answer(site, cast.gateway_site, {"readings": items[:4]})
    assert found == (1, 2, [("unknown_device", "/readings/3/device")])
    assert answer(site, cast.gateway_a, {"device": "SW-1", "readings": [reading(8, heart_rate=80)]})[0] == 1


def test_200_events_are_kept_once_and_wait_to_be_judged(site: Any, cast: Cast) -> None:
    at = ago(2)
    body = {"events": [{"at": at.isoformat(), "kind": "help"}, {"at": at.isoformat(), "kind": "jump"}]}
    assert answer(site, cast.achieng.key, body) == (1, 0, [("wrong_type", "/events/1/kind")])
    assert vital_state(site, cast.achieng.patient_id)["unjudged_from"] is not None
    assert answer(site, cast.achieng.key, body) == (0, 1, [("wrong_type", "/events/1/kind")])


def test_200_the_bell_rings_after_the_answer_and_only_if_something_was_stored(
    site: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(ingest, "on_stored", lambda: rung.append(1))
    item = reading(1, heart_rate=80)
    for expected in (1, 1):
        send(site, cast.achieng.key, item).close()
        assert len(rung) == expected


def test_200_a_fast_clock_counts_as_now(site: Any, cast: Cast) -> None:
    item = reading(-300, heart_rate=82)
    assert answer(site, cast.achieng.key, item) == (1, 0, [])
    assert answer(site, cast.achieng.key, item) == (0, 1, []), "its key is newer than the newest event time"
    state = "SELECT last_reading_at <= now(), skew_s FROM device_state WHERE device_id = %s"
    ((not_ahead, skew_s),) = rows(site, state, cast.achieng.device_id)
    assert not_ahead
    assert 290 < skew_s <= 300
    assert vital_state(site, cast.achieng.patient_id)["latest"]["heart_rate"][1] <= clock.epoch_ms(
        clock.now()
    )
