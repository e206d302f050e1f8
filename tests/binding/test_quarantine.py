"""What waits is listed by device and time, and becomes a patient's or nobody's; nothing is lost."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions import kept as waiting
from silverwatch.domain.admissions.kept import Group
from silverwatch.web import filters
from tests.binding.ward import discharge, kept, put_on, readings, take_off
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of
from tests.jobs.posting import alerts, held, judge, post

M = timedelta(minutes=1)


@pytest.fixture
def tekla(site: Site, people: People) -> CheckedClient:
    """A technician of ward A."""
    browser = site.browser()
    browser.sign_in(people.tekla, PASSWORD)
    return browser


def groups(people: People) -> list[Group]:
    """What the technician sees."""
    with db.transaction() as session:
        return waiting.groups(session, actor_of(people.tekla), now=clock.now())[0]


def decision(site: Site, group: Group, patient_id: object = None, **other: str) -> tuple[str, dict[str, str]]:
    """The address of the form, and what is sent."""
    sent = {
        "code": group.code, "first": group.first.isoformat(), "last": group.last.isoformat(),
        "start": filters.local_minute(group.first), "end": filters.local_minute(group.last),
        "act": "refuse", "because": "Lay in a drawer",
    }  # fmt: skip
    if patient_id is not None:
        number = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
        sent |= {"act": "attribute", "number": number, "born_on": "1950-03-04", "because": "Nurse told"}
    return f"/quarantine/{group.device_id}/decision", sent | other


def test_groups_are_of_a_device_and_a_time(site: Site, cast: Cast, nurse: Actor, people: People) -> None:
    key = cast.spare_key
    now = clock.now()
    put_on(nurse, cast.spare_id, cast.achieng.patient_id, start=now - 50 * M, end=now - 40 * M)
    for before in (200, 199, 120, 55, 35):
        post(site, key, [(before * 60, {"heart_rate": 70})], until=now)
    found = groups(people)
    assert [(g.serial, g.code, g.number) for g in found] == [
        ("SW-SPARE", "unbound", 1), ("SW-SPARE", "unbound", 1), ("SW-SPARE", "unbound", 1), ("SW-SPARE", "unbound", 2),
    ]  # fmt: skip
    assert (found[0].before, found[0].after) == ("Ward A · A1", None)
    assert (found[1].before, found[1].after) == (None, "Ward A · A1")


def test_the_page_and_the_way_to_decide(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    assert "No reading waits." in tekla.get("/quarantine").get_data(as_text=True)
    post(site, cast.spare_key, [(60, {"heart_rate": 70}), (50, {"heart_rate": 71})])
    page = tekla.get("/quarantine").get_data(as_text=True)
    assert "1 group waits" in page
    assert f"/quarantine/{cast.spare_id}" in tekla.get(f"/devices/{cast.spare_id}").get_data(as_text=True)
    assert "/quarantine" in tekla.get("/ingest").get_data(as_text=True)
    link = re.search(r'href="(/quarantine/[^"]+/decision[^"]+)"', page)
    assert link is not None
    assert "Whose readings are they?" in tekla.get(unescape(link[1])).get_data(as_text=True)
    assert "1 group waits" in tekla.get(f"/quarantine/{cast.spare_id}").get_data(as_text=True)


def test_nothing_that_waits_is_too_much_or_too_old_to_be_listed(
    site: Site, cast: Cast, tekla: CheckedClient
) -> None:
    steps = [(60.0 * 31 * number, {"heart_rate": 70}) for number in range(1, 54)]
    post(site, cast.spare_key, steps)
    with site.cursor() as cur:
        cur.execute(
            "UPDATE quarantine SET measured_at = measured_at - interval '20 days' WHERE measured_at ="
            " (SELECT min(measured_at) FROM quarantine)"
        )
    first, second, older = (
        tekla.get(f"/quarantine{query}").get_data(as_text=True) for query in ("", "?page=2", "?older=1")
    )
    assert [text.count("/decision?") for text in (first, second, older)] == [50, 2, 1]
    assert 'href="/quarantine?page=2"' in first
    assert 'href="/quarantine?page=1"' in second
    link = re.search(r'href="(/quarantine/[^"]+/decision[^"]+)"', older)
    assert link is not None
    answer = tekla.get(unescape(link[1]))
    assert answer.status_code == 200
    for page in ("0", "x", "99999999999"):
        assert tekla.get(f"/quarantine?page={page}").status_code == 200


def test_they_become_a_patients_as_late_data(
    site: Site, cast: Cast, tekla: CheckedClient, people: People
) -> None:
    post(site, cast.spare_key, held("heart_rate", 150, seconds=60, ending=900))
    post(site, cast.spare_key, held("heart_rate", 70, seconds=20, ending=860))
    (group,) = groups(people)
    path, sent = decision(site, group, cast.achieng.patient_id)
    done = tekla.submit(path, sent)
    assert done.location == "/quarantine?done=attribute"
    assert "judged as late data" in tekla.get(done.location).get_data(as_text=True)
    judge()
    assert kept(site) == []
    assert len(readings(site, cast.achieng.patient_id)) == group.number
    assert alerts(site, cast.achieng.patient_id) == [("heart_rate_high", "high", False, False)]
    post(site, cast.spare_key, held("heart_rate", 150, seconds=60, ending=900), until=clock.now())
    again = tekla.submit(path, sent)
    assert again.status_code == 422
    row = site.row("SELECT decided_by IS NOT NULL, decision FROM quarantine LIMIT 1")
    assert row == (True, "attributed")


def test_a_part_can_be_a_patients_who_has_left_since(
    site: Site, cast: Cast, nurse: Actor, tekla: CheckedClient, people: People
) -> None:
    post(site, cast.spare_key, [(60 * n, {"heart_rate": 60 + n}) for n in range(5, 15)])
    discharge(nurse, cast.achieng.patient_id, seen=cast.achieng.bed_id)
    (group,) = groups(people)
    half = filters.local_minute(group.first + 5 * M)
    path, sent = decision(site, group, cast.achieng.patient_id, start=half)
    assert tekla.submit(path, sent).status_code == 303
    assert len(readings(site, cast.achieng.patient_id)) + len(kept(site)) == 10
    assert 4 <= len(kept(site)) <= 6


def test_refused_ones_stay_readable_and_wait_no_longer(
    site: Site, cast: Cast, tekla: CheckedClient, people: People
) -> None:
    steps: Any = [(60, {"heart_rate": 70})]
    until = clock.now()
    post(site, cast.spare_key, steps, until=until)
    (group,) = groups(people)
    path, sent = decision(site, group)
    assert tekla.submit(path, sent).location == "/quarantine?done=refuse"
    assert tekla.submit(path, sent).status_code == 422
    post(site, cast.spare_key, steps, until=until)
    assert groups(people) == []
    assert site.row("SELECT decision, because, resends FROM quarantine") == ("refused", "Lay in a drawer", 1)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'quarantine.refused'") == (1,)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"act": ""}, "Choose whose they are."),
        ({"because": ""}, "Say why"),
        ({"start": "x"}, "Enter a beginning"),
        ({"number": "H-1"}, "No patient who was in your wards"),
        ({"number": "\0"}, "Scan the wristband"),
        ({"born_on": "1950-03-05"}, "Ask who wore the device then."),
        ({"born_on": ""}, "or the family name"),
        ({"first": "x", "start": "", "end": ""}, "There is a problem"),
    ],
)
def test_what_cannot_be_decided(
    site: Site, cast: Cast, tekla: CheckedClient, people: People, other: dict[str, str], words: str
) -> None:
    post(site, cast.spare_key, [(60, {"heart_rate": 70})])
    (group,) = groups(people)
    path, sent = decision(site, group, cast.achieng.patient_id, **other)
    answer = tekla.submit(path, sent)
    assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True)
    assert len(kept(site)) == 1


def test_patients_and_devices_of_others(site: Site, cast: Cast, tekla: CheckedClient, people: People) -> None:
    post(site, cast.spare_key, [(60, {"heart_rate": 70})])
    (group,) = groups(people)
    path, sent = decision(site, group, cast.chebet.patient_id)
    assert "No patient who was in your wards" in tekla.submit(path, sent).get_data(as_text=True)
    foreign = f"/quarantine/{cast.chebet.device_id}"
    assert tekla.get(foreign).status_code == 404
    assert tekla.get(f"{foreign}/decision").status_code == 404
    assert tekla.submit(f"{foreign}/decision", sent).status_code == 404
    amina = site.browser()
    amina.sign_in(people.amina, PASSWORD)
    assert amina.get("/quarantine").status_code == 403


def test_ambiguous_ones_are_said_of_the_readings(
    site: Site, cast: Cast, nurse: Actor, tekla: CheckedClient, people: People
) -> None:
    now = clock.now()
    edge = now - 2 * M
    put_on(nurse, cast.spare_id, cast.achieng.patient_id, start=now - 20 * M)
    take_off(nurse, cast.spare_id, at=edge)
    put_on(nurse, cast.spare_id, cast.baraka.patient_id, start=edge)
    body = {
        "sent_at": (clock.now() + timedelta(seconds=30)).isoformat(),
        "readings": [{"measured_at": (edge + timedelta(seconds=3)).isoformat(), "heart_rate": 88}],
    }
    answer = site.client.post(
        "/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.spare_key}"}
    )
    assert answer.get_json()["rejected"][0]["code"] == "ambiguous"
    (group,) = groups(people)
    path, sent = decision(site, group, cast.achieng.patient_id)
    assert tekla.submit(path, sent).status_code == 303
    assert readings(site, cast.achieng.patient_id) == [88]
    assert groups(people) == []
    assert tekla.submit(path, sent).status_code == 422
