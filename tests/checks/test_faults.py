"""Faults of devices: a technician sees, takes and resolves the same alarms as the ward, without a name."""

from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts.watch import watch_devices
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.inbox.alarms import raised
from tests.jobs.posting import post


@pytest.fixture
def tekla(site: Site, people: People) -> CheckedClient:
    """A technician of ward A."""
    site.client.sign_in(people.tekla, PASSWORD)
    return site.client


@pytest.fixture
def silent(site: Site, cast: Cast) -> Any:
    """Achieng's device and Chebet's have stopped; gives the id of the first one's fault."""
    for worn in (cast.achieng, cast.chebet):
        post(site, worn.key, [(40, {"heart_rate": 70})])
    look()
    return site.row("SELECT id FROM alert WHERE device_id = %s", cast.achieng.device_id)[0]


def look(**later: float) -> None:
    """The guard looks at the devices."""
    with db.transaction() as session:
        watch_devices(session, now=clock.now() + timedelta(**later))


def words(browser: CheckedClient) -> str:
    """The list of faults."""
    answer = browser.get("/faults")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_fault_is_seen_taken_and_resolved(
    site: Site, cast: Cast, tekla: CheckedClient, silent: Any
) -> None:
    shown = words(tekla)
    assert "Device offline" in shown
    assert "SW-1" in shown
    assert "Bed A1" in shown
    assert "Achieng" not in shown
    assert cast.chebet.serial not in shown
    assert tekla.submit(f"/faults/{silent}/acknowledgement").status_code == 303
    assert "by nobody" not in words(tekla)
    form = f"/faults/{silent}/resolution"
    assert "It is still true." in tekla.get(form).get_data(as_text=True)
    for bad in ({}, {"reason": "sleepy"}, {"reason": "other"}, {"reason": "other", "note": "x" * 201}):
        assert tekla.submit(form, bad).status_code == 422
    assert tekla.submit(form, {"reason": "battery"}).status_code == 303
    shown = words(tekla)
    assert "No device has a fault." in shown
    assert "Battery changed" in shown
    assert site.row("SELECT closed_as, resolution FROM alert WHERE id = %s", silent) == (
        "resolved",
        "battery",
    )
    said = site.rows("SELECT action, patient_ids FROM audit_entry WHERE action LIKE 'alert.%%' ORDER BY seq")
    assert said == [
        ("alert.acknowledged", [cast.achieng.patient_id]),
        ("alert.resolved", [cast.achieng.patient_id]),
    ]
    # What is still true comes back.
    look(minutes=5)
    assert "No device has a fault." in words(tekla)
    look(minutes=31)
    assert "Device offline" in words(tekla)


def test_the_ward_sees_who_has_taken_it(
    site: Site, cast: Cast, people: People, tekla: CheckedClient, silent: Any
) -> None:
    amina = site.browser()
    amina.sign_in(people.amina, PASSWORD)
    tekla.submit(f"/faults/{silent}/acknowledgement")
    shown = amina.get(f"/alerts/{silent}/detail").get_data(as_text=True)
    assert "Tekla" in shown
    # The second one changes nothing.
    assert amina.submit(f"/alerts/{silent}/acknowledgement").status_code in (200, 303)
    assert site.row("SELECT count(*) FROM acknowledgement WHERE ended_at IS NULL") == (1,)


def test_only_faults_of_ones_own_devices(site: Site, cast: Cast, tekla: CheckedClient, silent: Any) -> None:
    theirs = site.row("SELECT id FROM alert WHERE device_id = %s", cast.chebet.device_id)[0]
    post(
        site,
        cast.baraka.key,
        [(31, {"heart_rate": 160}), (15, {"heart_rate": 160}), (0, {"heart_rate": 160})],
    )
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO alert (id, subject, subject_id, patient_id, kind, priority, peak_priority, technical, live,"
            " run_from, event_at, last_at, raised_at) SELECT %s, 'patient', %s, %s, 'heart_rate_high', 'high', 'high',"
            " false, true, now(), now(), now(), now()",
            (clinical := clock.new_id(), cast.baraka.patient_id, cast.baraka.patient_id),
        )
    for alert_id in (theirs, clinical, clock.new_id()):
        assert tekla.get(f"/faults/{alert_id}/resolution").status_code == 404
        assert tekla.submit(f"/faults/{alert_id}/acknowledgement").status_code == 404
        assert tekla.submit(f"/faults/{alert_id}/resolution", {"reason": "false"}).status_code == 404
    assert site.row("SELECT count(*) FROM acknowledgement") == (0,)


def test_a_silent_gateway_is_a_fault_and_an_alarm_of_its_ward_alone(
    site: Site, cast: Cast, people: People, tekla: CheckedClient
) -> None:
    def hear() -> None:
        body = {"readings": [{"device": cast.achieng.serial, "measured_at": clock.now().isoformat()}]}
        body["readings"][0]["heart_rate"] = 70
        headers = {"Authorization": f"Bearer {cast.gateway_a}"}
        assert site.client.post("/api/readings/", json=body, headers=headers).status_code == 200

    def gateway_alarms() -> list[Any]:
        return site.rows("SELECT closed_as FROM alert WHERE kind = 'gateway_silent' ORDER BY raised_at")

    # One that never sent is new, not silent.
    look(hours=1)
    assert gateway_alarms() == []
    hear()
    look(seconds=29)
    assert gateway_alarms() == []
    look(seconds=31)
    look(seconds=32)
    assert gateway_alarms() == [(None,)]
    shown = words(tekla)
    assert "Gateway offline" in shown
    assert "GW-A" in shown
    for name, is_theirs in ((people.amina, True), (people.bruno, False)):
        browser = site.browser()
        browser.sign_in(name, PASSWORD)
        found = browser.get("/alerts").get_data(as_text=True)
        assert ("Gateway GW-A offline" in found) is is_theirs
        board = browser.get("/ward/a" if is_theirs else "/ward/b").get_data(as_text=True)
        assert ("Gateway GW-A offline" in board) is is_theirs
    hear()
    look()
    assert gateway_alarms() == [("ended",)]


CLINICAL = (
    {"kind": "oxygen_saturation_low", "vital": "oxygen_saturation", "side": "low", "priority": "high"},
    {"kind": "news2", "priority": "high"},
    {"kind": "fall", "priority": "high"},
    {"kind": "help", "priority": "high"},
    # A house rule may be called technical: it is about a patient all the same.
    {"kind": "rule_x", "priority": "medium", "technical": True},
)
"""Alarms about a patient that a device of the technician's own ward measured."""


@pytest.mark.parametrize("clinical", CLINICAL, ids=lambda item: str(item["kind"]))
def test_no_address_lets_a_technician_take_an_alarm_about_a_patient(
    site: Site, cast: Cast, tekla: CheckedClient, clinical: dict[str, Any]
) -> None:
    alert_id = raised(site, cast.achieng, device_id=cast.achieng.device_id, **{"vital": None, **clinical})
    before = site.row("SELECT * FROM alert WHERE id = %s", alert_id)
    tried = 0
    for rule in tekla.application.url_map.iter_rules():
        if not {"alert_id", "fault_id"} & rule.arguments or "POST" not in (rule.methods or ()):
            continue
        address = rule.rule
        for name in ("alert_id", "fault_id"):
            address = address.replace(f"<uuid:{name}>", str(alert_id))
        answer = tekla.submit(address, {"reason": "false", "what": "bedside", "minutes": "30"})
        assert answer.status_code in (403, 404), address
        tried += 1
    assert tried >= 7
    assert tekla.submit("/alerts/acknowledgements", {"alert": str(alert_id)}).status_code == 403
    assert site.row("SELECT count(*) FROM acknowledgement") == (0,)
    assert site.row("SELECT * FROM alert WHERE id = %s", alert_id) == before
    assert str(alert_id) not in words(tekla)


def test_no_program_takes_an_alarm(tekla: CheckedClient) -> None:
    """The API has no verb on alarms at all: whoever adds one has to say here who may use it."""
    rules = [rule.rule for rule in tekla.application.url_map.iter_rules() if rule.rule.startswith("/api/")]
    assert rules
    assert [rule for rule in rules if "alert" in rule or "alarm" in rule or "fault" in rule] == []
