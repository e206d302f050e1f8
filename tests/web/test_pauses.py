"""Pausing, resolving for a reason, saying what was done, and incidents: by form, without JavaScript."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import judge, post
from tests.jobs.test_states import LOW, event, raised


@pytest.fixture
def nurse(site: Site, people: People) -> CheckedClient:
    """Amina's browser."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


def alert_id(site: Site) -> str:
    """The one alert."""
    return str(site.row("SELECT id FROM alert")[0])


def board(nurse: CheckedClient) -> str:
    """The words of the board."""
    return " ".join(re.sub(r"<[^>]+>", " ", nurse.get("/ward/a").get_data(as_text=True)).split())


def test_a_standby_is_on_the_tile_and_its_end_lets_alarms_sound(
    site: Site, cast: Cast, nurse: CheckedClient
) -> None:
    raised(site, cast)
    url = f"/patients/{cast.achieng.patient_id}/pauses"
    assert nurse.get(url).status_code == 200
    answer = nurse.submit(url, {"reason": "xray", "minutes": "60", "next": "/ward/a"})
    assert (answer.status_code, answer.location) == (303, "/ward/a")
    shown = board(nurse)
    assert "Paused · at X-ray, back by" in shown
    assert "muted: standby" in shown
    assert "End now" in nurse.get(url).get_data(as_text=True)
    pause_id = site.row("SELECT id FROM pause")[0]
    assert nurse.submit(f"/pauses/{pause_id}/end", {"next": "/ward/a"}).status_code == 303
    assert "Paused" not in board(nurse)
    actions = [
        row[0]
        for row in site.rows("SELECT action FROM audit_entry WHERE action LIKE 'pause.%%' ORDER BY seq")
    ]
    assert actions == ["pause.begun", "pause.ended"]


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"minutes": "60"}, "reason", "Choose a reason"),
        ({"reason": "xray", "minutes": "999999"}, "minutes", "within the next 12 hours"),
        ({"reason": "xray"}, "minutes", "within the next 12 hours"),
        ({"reason": "other", "minutes": "60"}, "note", "few words"),
    ],
)
def test_a_pause_without_reason_or_end_is_asked_again(
    site: Site, cast: Cast, nurse: CheckedClient, fields: dict[str, str], field: str, said: str
) -> None:
    answer = nurse.submit(f"/patients/{cast.achieng.patient_id}/pauses", fields)
    assert answer.status_code == 422
    markup = answer.get_data(as_text=True)
    assert f'href="#{field}"' in markup
    assert said in markup
    assert site.rows("SELECT id FROM pause") == []


def test_one_alarm_is_paused_and_the_cell_says_so(site: Site, cast: Cast, nurse: CheckedClient) -> None:
    raised(site, cast)
    url = f"/alerts/{alert_id(site)}/pause"
    assert "Systolic BP" in nurse.get(url).get_data(as_text=True)
    assert nurse.submit(url, {"reason": "treated", "minutes": "30"}).status_code == 303
    assert site.row("SELECT kind, scope FROM pause") == (LOW, "alarm")
    assert "alarm paused" in board(nurse)
    assert nurse.submit(url, {"reason": "treated", "minutes": "30"}).status_code == 422


def test_the_sound_of_a_ward_is_paused_for_what_it_knows(
    site: Site, cast: Cast, nurse: CheckedClient
) -> None:
    raised(site, cast)
    url = f"/wards/{cast.achieng.ward_id}/sound-pause"
    assert nurse.get(url).status_code == 200
    assert nurse.submit(url, {"reason": "family", "minutes": "2", "next": "/ward/a"}).status_code == 303
    post(site, cast.baraka.key, [(0.1, {"temperature": 40.5})])
    judge()
    markup = nurse.get("/ward/a").get_data(as_text=True)
    lines = re.findall(r'<li class="alarm[^>]*data-alarm-id[^>]*>', markup)
    assert sorted("data-quiet" in line for line in lines) == [False, True]
    assert "Sound of known alarms paused until" in markup


def test_what_is_still_true_is_resolved_for_a_reason_only(
    site: Site, cast: Cast, nurse: CheckedClient
) -> None:
    raised(site, cast)
    url = f"/alerts/{alert_id(site)}/resolution"
    page = nurse.get(url).get_data(as_text=True)
    assert "comes back in 30 minutes" in page
    answer = nurse.submit(url, {})
    assert answer.status_code == 422
    assert "still true" in answer.get_data(as_text=True)
    assert nurse.submit(url, {"reason": "bored"}).status_code == 422
    assert nurse.submit(url, {"reason": "other", "note": "Seen with Dr Otieno"}).status_code == 303
    row = site.row("SELECT closed_as, resolution, resolved_by IS NOT NULL FROM alert")
    assert tuple(row) == ("resolved", "Seen with Dr Otieno", True)


def test_what_was_done_is_a_tap(site: Site, cast: Cast, nurse: CheckedClient) -> None:
    raised(site, cast)
    assert nurse.submit(f"/alerts/{alert_id(site)}/action", {"what": "bedside"}).status_code == 303
    assert nurse.submit(f"/alerts/{alert_id(site)}/action", {"what": "danced"}).status_code == 400
    assert [row[0] for row in site.rows("SELECT what FROM alert_action")] == ["bedside"]


def test_a_fall_is_followed_to_its_end(site: Site, cast: Cast, nurse: CheckedClient) -> None:
    event(site, cast, "fall")
    listed = nurse.get("/incidents").get_data(as_text=True)
    assert "a device" in listed
    url = f"/incidents/{site.row('SELECT id FROM incident')[0]}"
    assert nurse.get(url).status_code == 200
    assert nurse.submit(url, {"what": "Slipped", "close": "1"}).status_code == 422
    assert nurse.submit(url, {"what": "Slipped", "injury": "none"}).status_code == 303
    done = {
        "what": "Slipped in the bathroom",
        "injury": "minor",
        "action": "Seen by the doctor",
        "close": "1",
    }
    assert nurse.submit(url, done).status_code == 303
    assert "No incidents to follow up" in nurse.get("/incidents").get_data(as_text=True)
    assert "Slipped in the bathroom" in nurse.get("/incidents?state=closed").get_data(as_text=True)
    assert "What stood here before" in nurse.get(url).get_data(as_text=True)
    assert site.row("SELECT count(*) FROM incident_change")[0] == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda: {"at": ""}, "at"),
        (lambda: {"at": "9999-99-99T00:00"}, "at"),
        (lambda: {"at": (clock.now() + timedelta(days=2)).isoformat()[:16]}, "at"),
        (lambda: {"what": ""}, "what"),
    ],
)
def test_an_incident_is_reported_by_hand_and_nothing_written_is_lost(
    site: Site, cast: Cast, nurse: CheckedClient, change: Callable[[], dict[str, str]], field: str
) -> None:
    url = f"/patients/{cast.achieng.patient_id}/incidents"
    assert nurse.get(f"{url}/new").status_code == 200
    good = {"kind": "other", "at": "2026-11-20T10:30", "what": "Wrong tablet", "action": "Doctor told"}
    answer = nurse.submit(url, {**good, **change()})
    assert answer.status_code == 422
    markup = answer.get_data(as_text=True)
    assert f'href="#{field}"' in markup
    assert "Doctor told" in markup
    answer = nurse.submit(url, good)
    assert answer.status_code == 303
    assert site.row("SELECT kind, values->>'what' FROM incident") == ("other", "Wrong tablet")
