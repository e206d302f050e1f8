"""The answers of POST /api/readings/ when nothing is stored, in the order of the contract's table."""

import gzip
import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api import keys, rate
from silverwatch import db
from silverwatch.domain.devices import service as devices
from tests.api.posting import NDJSON, SETTINGS, ago, answer, problem, reading, rows, send
from tests.cast import Cast
from tests.conftest import run_as_owner

FULL = {
    "heart_rate": 82, "respiratory_rate": 16, "oxygen_saturation": 97, "systolic_bp": 121, "diastolic_bp": 78,
    "temperature": 36.8,
}  # fmt: skip


# 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nope", b"[]", b"1", b"null", b'"x"', b"{}", b'{"readings": null}', b'{"readings": {}}',
        b'{"readings": [{"heart_rate": NaN}]}', b'{"readings": [{"heart_rate": -Infinity}]}',
        b'{"readings": [], "readings": []}', b'{"readings": [{"heart_rate": 1, "heart_rate": 2}]}',
        b'{"readings": ' + b"[" * 16 + b"]" * 16 + b"}", b"[" * 100_000, b'{"readings": ["\xff"]}',
        b'{"readings": [{"device": "\\ud800"}]}', b'{"firmware": "\\u0000", "readings": []}',
        b'{"readings": [], "spam": 1}', b'{"readings": [], "battery": "full"}', b'{"readings": [], "sent_at": "now"}',
        b'{"readings": [], "device": 7}', b'{"battery": 5}',
    ],
)  # fmt: skip
def test_400_stores_nothing(site: Any, cast: Cast, body: bytes) -> None:
    problem(send(site, cast.achieng.key, body), 400)
    assert rows(site, "SELECT count(*) FROM device_state WHERE last_seen_at IS NOT NULL") == [0]


def test_400_ndjson_names_the_line_and_stores_nothing(site: Any, cast: Cast) -> None:
    body = json.dumps(reading(1, heart_rate=80)).encode() + b"\n{oops}\n"
    assert problem(send(site, cast.achieng.key, body, content_type=NDJSON), 400)["detail"].startswith(
        "line 2:"
    )
    assert rows(site, "SELECT count(*) FROM reading") == [0]


# 401, 403


def test_401_without_a_good_key(site: Any, cast: Cast) -> None:
    body = reading(1, heart_rate=80)
    with db.transaction() as session:
        devices.revoke_keys(session, cast.baraka.device_id)
        session.execute(text("UPDATE device SET retired_at = now() WHERE serial = 'SW-3'"))
    for key in (None, "", "swd_unknown", "x" * 5000, "swd_ü", cast.baraka.key, cast.chebet.key):
        response = send(site, key, body)
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert send(site, None, body, Authorization=f"Basic {cast.achieng.key}").status_code == 401
    assert send(site, "swd_unknown", b"{broken").status_code == 401, "a stranger's body is not even read"


def test_403_a_devices_own_key_with_another_device(site: Any, cast: Cast) -> None:
    item = reading(1, heart_rate=80)
    for body in ({"device": "SW-2", "readings": [item]}, {"readings": [{**item, "device": "SW-2"}]}):
        problem(send(site, cast.achieng.key, body), 403)
    assert (
        answer(site, cast.achieng.key, {"device": "SW-1", "readings": [{**item, "device": "SW-1"}]})[0] == 1
    )


def test_a_key_that_is_refused_is_in_the_audit_once_however_often_it_comes(site: Any, cast: Cast) -> None:
    """Each sender and reason once in a quarter of an hour: a revoked device posts on every second."""
    body, forged = reading(1, heart_rate=80), {"device": "SW-2", "readings": [reading(1, heart_rate=80)]}
    with db.transaction() as session:
        devices.revoke_keys(session, cast.baraka.device_id)
    because = "SELECT detail->>'because' FROM audit_entry WHERE action = 'access.refused' ORDER BY seq"
    send(site, None, body)
    assert rows(site, because) == [], "who shows no key is asked for one"
    for key in (cast.baraka.key, "swd_unknown", "x" * 5000, "not a device's"):
        for _ in range(3):
            problem(send(site, key, body), 401)
    for _ in range(3):
        problem(send(site, cast.achieng.key, forged), 403)
        site.client.get("/api/devices/self/", headers={"Authorization": f"Bearer {cast.baraka.key}"})
    unknown = "device key: unknown or revoked"
    wanted = [unknown, unknown, "device key: malformed", "device key: This key speaks for SW-1 alone."]
    assert rows(site, because) == wanted


def test_a_refusal_stands_while_the_audit_cannot_be_written(
    site: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away", None, Exception())

    monkeypatch.setattr(keys.throttle, "take", away)
    problem(send(site, "swd_unknown", reading(1, heart_rate=80)), 401)


# 404, 405, 413, 415, 422, 429, 503


def test_404_405_and_308(site: Any) -> None:
    problem(site.client.get("/api/nothing/"), 404)
    response = site.client.get("/api/readings/")
    problem(response, 405)
    assert "POST" in response.headers["Allow"]
    assert site.client.post("/api/readings").status_code == 308
    assert site.client.get("/elsewhere").content_type != "application/problem+json"


def test_413_too_long_or_too_many(site: Any, cast: Cast) -> None:
    problem(send(site, cast.achieng.key, b" " * (1024 * 1024 + 1)), 413)
    problem(send(site, cast.achieng.key, {"readings": [1] * 5001}), 413)
    problem(send(site, cast.achieng.key, b"1\n" * 5001, content_type=NDJSON), 413)


def test_415_another_type_or_encoding(site: Any, cast: Cast) -> None:
    body = json.dumps(reading(1, heart_rate=80)).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""):
        problem(send(site, cast.achieng.key, body, content_type=kind), 415)
    problem(send(site, cast.achieng.key, gzip.compress(body), **{"Content-Encoding": "gzip"}), 415)
    problem(send(site, cast.achieng.key, body, **{"Content-Encoding": "identity"}), 415)
    assert answer(site, cast.achieng.key, body, content_type="application/json; charset=UTF-8")[0] == 1


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({"heart_rate": 80, "spam": 1}, "unknown_field", "/spam"),
        ({"heart_rate": 80, "a/b~": 1}, "unknown_field", "/a~1b~0"),
        ({"heart_rate": 80, "seq": 1}, "unknown_field", "/seq"),
        ({"heart_rate": "80"}, "wrong_type", "/heart_rate"),
        ({"heart_rate": True}, "wrong_type", "/heart_rate"),
        ({"heart_rate": [80]}, "wrong_type", "/heart_rate"),
        ({"consciousness": "X"}, "wrong_type", "/consciousness"),
        ({"consciousness": 1}, "wrong_type", "/consciousness"),
        ({"steps": 1.5}, "wrong_type", "/steps"),
        ({"steps": -1}, "implausible", "/steps"),
        ({"device": 5, "heart_rate": 80}, "wrong_type", "/device"),
        ({}, "wrong_type", ""),
        ({"heart_rate": None}, "wrong_type", ""),
        ({"heart_rate": 351}, "implausible", "/heart_rate"),
        ({"heart_rate": -1}, "implausible", "/heart_rate"),
        ({"oxygen_saturation": 100.1}, "implausible", "/oxygen_saturation"),
        ({"temperature": 25.9}, "implausible", "/temperature"),
        ({"temperature": 0}, "implausible", "/temperature"),
        ({"glucose": 10**30}, "implausible", "/glucose"),
        ({"glucose": 10**400}, "implausible", "/glucose"),
        ({"mean_bp": 13}, "implausible", "/mean_bp"),
    ],
)
def test_422_every_item_refused(site: Any, cast: Cast, item: dict[str, Any], code: str, field: str) -> None:
    body = {"readings": [reading(1, **item)]}
    assert answer(site, cast.achieng.key, body, status=422) == (0, 0, [(code, f"/readings/0{field}")])
    assert rows(site, "SELECT code, pointer FROM quarantine") == [(code, field)]
    assert rows(site, "SELECT count(*) FROM reading") == [0]


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (-601, "future"), (86_400 * 365, "too_old"), ("1970-01-01T00:00:00Z", "too_old"),
        ("0001-01-01T00:00:00+14:00", "wrong_type"), ("9999-12-31T23:59:59-14:00", "wrong_type"),
        ("2026-11-22T10:00:00", "wrong_type"), ("2026-11-22", "wrong_type"), ("20000-01-01T00:00:00Z", "wrong_type"),
        ("2026-13-01T00:00:00Z", "wrong_type"), (1_700_000_000, "wrong_type"), (None, "wrong_type"),
        ("2026-W47-7T10:00:00Z", "wrong_type"), ("٢٠٢٦-11-22T10:00:00Z", "wrong_type"), ([], "wrong_type"),
        ("2026-11-22T10:00:00+99:99", "wrong_type"),
    ],
)  # fmt: skip
def test_422_a_time_that_cannot_be(site: Any, cast: Cast, at: Any, code: str) -> None:
    item = {
        "measured_at": ago(at).isoformat() if type(at) is int and abs(at) < 10**9 else at,
        "heart_rate": 80,
    }
    found = answer(site, cast.achieng.key, {"readings": [item]}, status=422)
    assert found == (0, 0, [(code, "/readings/0/measured_at")])


def test_422_numbers_that_fit_no_type_are_kept_in_their_words(site: Any, cast: Cast) -> None:
    at = ago(1).isoformat()
    huge, long = "1e999", "9" * 5000
    items = f'{{"measured_at":"{at}","heart_rate":{huge}}},{{"measured_at":"{at}","weight":{long}}}'
    body = f'{{"readings":[{items}]}}'
    found = answer(site, cast.achieng.key, body.encode(), status=422)
    assert [code for code, _ in found[2]] == ["implausible", "implausible"]
    assert any('"heart_rate":1e999' in item for item in rows(site, "SELECT item FROM quarantine"))


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"systolic_bp": 80, "diastolic_bp": 80, "mean_bp": 80}, ["systolic_bp", "diastolic_bp", "mean_bp"]),
        ({"systolic_bp": 120, "diastolic_bp": 80, "mean_bp": 121}, ["mean_bp"]),
        ({"systolic_bp": 120, "mean_bp": 121}, ["mean_bp"]),
        ({"diastolic_bp": 80, "mean_bp": 79}, ["mean_bp"]),
        ({"systolic_bp": 120, "diastolic_bp": 80, "mean_bp": 120}, []),
    ],
)
def test_200_pressures_that_contradict_each_other(site: Any, cast: Cast, values: Any, refused: Any) -> None:
    found = answer(site, cast.achieng.key, reading(1, heart_rate=80, **values))
    assert found == (1, 0, [("implausible", f"/{name}") for name in refused])


def test_a_completion_may_not_contradict_the_pressures_that_stand(site: Any, cast: Cast) -> None:
    at = ago(3)
    assert answer(site, cast.achieng.key, reading(at, systolic_bp=100)) == (1, 0, [])
    found = answer(site, cast.achieng.key, reading(at, diastolic_bp=110, heart_rate=80))
    assert found == (1, 0, [("implausible", "/diastolic_bp")])
    assert rows(site, "SELECT systolic_bp, diastolic_bp, heart_rate FROM reading") == [(100.0, None, 80.0)]


def test_429_a_flood_with_one_key_does_not_touch_the_others(
    site: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine posts no faster than a bucket fills.
    monkeypatch.setattr(rate, "PER_S", 1.0)
    answers = [send(site, cast.achieng.key, {"readings": []}) for _ in range(int(rate.BURST) * 3)]
    last = next(found for found in reversed(answers) if found.status_code != 200)
    problem(last, 429)
    assert int(last.headers["Retry-After"]) >= 1
    assert send(site, cast.baraka.key, {"readings": []}).status_code == 200


def test_503_while_the_database_is_away_and_well_afterwards(site: Any, cast: Cast) -> None:
    body = reading(1, heart_rate=80)
    with db.engine().connect() as locker:
        locker.execute(text("SELECT 1 FROM device_state FOR UPDATE"))
        response = send(site, cast.achieng.key, body)
        problem(response, 503)
        assert response.headers["Retry-After"] == "2"
        locker.rollback()
    url = db.engine().url
    db.configure("postgresql+psycopg://silverwatch_app@127.0.0.1:9/nowhere")
    problem(send(site, cast.achieng.key, body), 503)
    db.configure(url.render_as_string(hide_password=False))
    assert answer(site, cast.achieng.key, body)[0] == 1


def test_503_read_only(site: Any, cast: Cast) -> None:
    url = db.engine().url
    run_as_owner(f"ALTER DATABASE {url.database} SET default_transaction_read_only = on")
    db.configure(url.render_as_string(hide_password=False), pool_size=1)
    problem(send(site, cast.achieng.key, reading(1, heart_rate=80)), 503)


def test_a_device_asks_about_itself(site: Any, cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {cast.achieng.key}"}
    found = site.client.get("/api/devices/self/", headers=headers).get_json()
    assert set(found) == SETTINGS
    assert (found["serial"], found["interval_s"]) == ("SW-1", 1)
    assert found["time"].endswith("Z")
    problem(site.client.get("/api/devices/self/"), 401)
