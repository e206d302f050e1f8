"""Many at once, with real threads and real commits."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from silverwatch import clock, db
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.models import DeviceState
from silverwatch.domain.readings.service import store_observation
from tests.api.posting import ago, reading, rows, send
from tests.cast import Cast

WRITERS = 20


def test_twenty_writers_with_shuffled_overlapping_batches(site: Any, cast: Cast) -> None:
    worn = (cast.achieng, cast.baraka, cast.chebet)
    start = ago(100)
    items = [
        {**reading(start + timedelta(seconds=n), heart_rate=60 + n, systolic_bp=120), "device": who.serial}
        for who in worn
        for n in range(12)
    ]

    def write(number: int) -> tuple[int, int]:
        rng = random.Random(number)
        stored = duplicates = 0
        mine = items[:]
        rng.shuffle(mine)
        for first in range(0, len(mine), 9):
            part = mine[first : first + 9]
            if number % 4 == 0:
                posts = [(who.key, [i for i in part if i["device"] == who.serial]) for who in worn]
            else:
                posts = [(cast.gateway_site, part)]
            rng.shuffle(posts)
            for key, some in posts:
                response = send(site, key, {"readings": some})
                assert response.status_code == 200, response.get_data(as_text=True)
                found = response.get_json()
                assert found["rejected"] == []
                stored += found["stored"]
                duplicates += found["duplicates"]
        return stored, duplicates

    with ThreadPoolExecutor(WRITERS) as pool:
        results = list(pool.map(write, range(WRITERS)))
    assert sum(stored for stored, _ in results) == len(items)
    assert sum(duplicates for _, duplicates in results) == len(items) * (WRITERS - 1)
    assert rows(site, "SELECT count(*) FROM reading") == [len(items)]
    for who in worn:
        seqs = rows(site, "SELECT seq FROM reading WHERE patient_id = %s ORDER BY seq", who.patient_id)
        assert seqs == list(range(1, 13))
        state = rows(site, "SELECT seq, latest FROM vital_state WHERE patient_id = %s", who.patient_id)[0]
        assert state[0] == 12
        assert state[1]["heart_rate"][0] == 71


def test_one_key_with_two_values_at_once_has_one_winner(site: Any, cast: Cast) -> None:
    at = ago(5)

    def write(value: int) -> str:
        found = send(site, cast.achieng.key, reading(at, heart_rate=value)).get_json()
        return "stored" if found["stored"] else str(found["rejected"][0]["code"])

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(write, range(60, 68)))
    assert sorted(results) == ["conflict"] * 7 + ["stored"]
    assert rows(site, "SELECT count(*) FROM reading") == [1]


def test_a_form_sent_twice_at_once_is_stored_once(site: Any, cast: Cast) -> None:
    form, at, now = clock.new_id(), ago(60), clock.now()

    def write(_: int) -> tuple[int, int]:
        with db.cursor() as cur:
            found = store_observation(
                cur, patient_id=cast.baraka.patient_id, source_id=form, measured_at=at,
                values={"temperature": 38.2, "consciousness": "V"}, received_at=now,
            )  # fmt: skip
        return found.stored, found.duplicates

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(write, range(6)))
    assert sorted(results) == [(0, 1)] * 5 + [(1, 0)]
    assert rows(site, "SELECT source_kind FROM reading") == ["manual"]


def test_a_reading_is_attributed_before_or_after_a_change_of_binding(site: Any, cast: Cast) -> None:
    with db.transaction() as session:
        devices.bind(session, device_id=cast.spare_id, patient_id=cast.achieng.patient_id, start=ago(60))

    def change() -> None:
        for who in (cast.baraka, cast.chebet, cast.achieng, cast.baraka):
            with db.transaction() as session:
                session.scalar(
                    select(DeviceState).where(DeviceState.device_id == cast.spare_id).with_for_update()
                )
                at = clock.now()
                devices.unbind(session, device_id=cast.spare_id, at=at)
                devices.bind(session, device_id=cast.spare_id, patient_id=who.patient_id, start=at)

    def write(number: int) -> None:
        for _ in range(12):
            body = json.dumps({"readings": [reading(0, heart_rate=60 + number)]}).encode()
            assert send(site, cast.spare_key, body).get_json()["stored"] == 1

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(write, number) for number in range(5)] + [pool.submit(change)]
        for job in jobs:
            job.result()
    wrong = rows(
        site,
        "SELECT count(*) FROM reading r WHERE NOT EXISTS (SELECT FROM binding b WHERE b.device_id = r.source_id"
        " AND b.patient_id = r.patient_id AND b.during @> r.measured_at)",
    )
    assert wrong == [0]
    assert rows(site, "SELECT count(*) FROM reading") == [60]
