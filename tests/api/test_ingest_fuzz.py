"""Never a 500: nasty bodies from a list, and worse ones from hypothesis."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import ingest
from silverwatch import clock
from silverwatch.domain.readings import vitals
from tests.api.posting import NDJSON, ago, rows, send
from tests.cast import Cast

AT = '"measured_at": "2026-11-22T10:00:00Z"'
NASTY = [
    b"\x00", b"\xfe\xff{}", b"\xef\xbb\xbf{}", b"[" * 900_000, b'{"a":' * 100_000, b'"' * 100_001, b"\\" * 1000,
    b'{"readings":[' + b"{}," * 4999 + b"{}]}", b'{"readings":[' + b"null," * 100 + b"[]]}",
    b'{"readings":[{' + AT.encode() + b', "heart_rate": 1e309}]}',
    b'{"readings":[{' + AT.encode() + b', "heart_rate": -1e400, "weight": ' + b"1" * 100_000 + b"}]}",
    b'{"readings":[{' + AT.encode() + b', "heart_rate": 1E-999}]}',
    b'{"battery": 1e999, "readings": []}', b'{"battery": -1' + b"0" * 400 + b', "readings": []}',
    b'{"signal_dbm": 2147483648, "battery": 99.9, "readings": []}',
    b'{"sent_at": "0001-01-01T00:00:00Z", "readings": [{' + AT.encode() + b', "heart_rate": 80}]}',
    b'{"sent_at": "9999-12-31T23:59:59.999999999Z", "readings": [{' + AT.encode() + b', "heart_rate": 80}]}',
    b'{"sent_at": "0001-01-01T00:00:00+23:59", "readings": []}',
    b'{"readings":[{"measured_at": "2026-11-22T10:00:60Z", "heart_rate": 80}]}',
    b'{"readings":[{"measured_at": "2026-11-22T24:00:00Z", "heart_rate": 80}]}',
    b'{"readings":[{"measured_at": "2026-11-22t10:00:00.123456789z", "heart_rate": 80}]}',
    ('{"readings":[{' + AT + ', "\U0001f4a9": 1, "": 2}]}').encode(),
    b'{"readings":[{' + AT.encode() + b', "' + b"x" * 500_000 + b'": 1}]}',
    b'{"events":[{"at":"2026-11-22T10:00:00Z","kind":["fall"]},{"at":1,"kind":"fall"},{},7,null]}',
    b'{"device": "' + b"x" * 300 + b'", "readings": []}', b'{"device": "", "readings": []}',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(NASTY)))
@pytest.mark.parametrize("kind", ["application/json", NDJSON])
def test_a_nasty_body_gets_an_answer(site: Any, cast: Cast, number: int, kind: str) -> None:
    for key in (cast.achieng.key, cast.gateway_site):
        response = send(site, key, NASTY[number], content_type=kind)
        assert response.status_code in {200, 400, 403, 413, 422}, response.get_data(as_text=True)


numbers = st.one_of(
    st.integers(-3, 400),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(),
    st.sampled_from([0, -0.0, 1e300, 10**40, 2**63, -(10**30)]),
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "\0", "A", "SW-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
moments = st.one_of(
    st.integers(0, 40).map(lambda s: f"2026-01-01T00:00:{s:02}Z"),
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.integers(-700, 900).map(lambda s: ago(s).isoformat()),
    st.integers(1, 6).map(lambda s: ago(0).replace(second=0, microsecond=s).isoformat()),
    st.text("0123456789-T:Z+.", max_size=26),
    anything,
)
names = st.sampled_from([*vitals.NAMES, "device"])
sets = st.dictionaries(names, st.one_of(numbers, anything), max_size=5).flatmap(
    lambda values: moments.map(lambda at: {"measured_at": at, **values})
)
bodies = st.one_of(
    st.fixed_dictionaries(
        {"readings": st.lists(sets | anything, max_size=6)},
        optional={
            "device": anything | st.just("SW-1"), "sent_at": moments, "battery": numbers | anything,
            "signal_dbm": numbers, "firmware": anything,
            "events": st.lists(
                st.fixed_dictionaries({"at": moments, "kind": st.sampled_from(["fall", "help"]) | anything})
                | anything, max_size=3,
            ),
        },
    ),
    sets,
    anything,
)  # fmt: skip


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip
@given(bodies, st.booleans(), st.booleans())
def test_every_body_is_answered_and_every_item_accounted_for(
    site: Any, cast: Cast, body: Any, gateway: bool, lines: bool
) -> None:
    ingest.buckets.forget()
    sent = json.dumps(body).encode()
    response = send(
        site,
        cast.gateway_site if gateway else cast.achieng.key,
        sent,
        content_type=NDJSON if lines else "application/json",
    )
    assert response.status_code in {200, 400, 403, 422}, response.get_data(as_text=True)
    if response.status_code in {200, 422} and not lines and isinstance(body, dict) and "readings" in body:
        found = response.get_json()
        items = len(body["readings"]) + len(body.get("events", ()))
        refused = {tuple(item["pointer"].split("/")[1:3]) for item in found["rejected"]}
        accepted = found["stored"] + found["duplicates"]
        assert items - len(refused) <= accepted <= items


def test_whatever_was_thrown_at_it_nothing_odd_is_stored(site: Any, cast: Cast) -> None:
    """The ranges once more, by the database's own comparison: NaN is above everything there."""
    item = {"measured_at": clock.now().isoformat(), **dict.fromkeys(vitals.NUMERIC, 1e308)}
    assert send(site, cast.achieng.key, item).status_code == 422
    assert rows(site, "SELECT count(*) FROM reading") == [0]
