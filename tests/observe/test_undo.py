"""A set that was a slip is undone within a minute by who saved it; what was saved stays readable."""

from datetime import timedelta

import pytest

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import alerts, judge, post
from tests.observe.test_corrections import address, latest


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


def record(client: CheckedClient, cast: Cast, **typed: str) -> dict[str, str]:
    """A set of Achieng, looked at twice; gives what the form sent."""
    sent = {
        **typed,
        "confirmed": " ".join(f"{name}={value}" for name, value in typed.items()),
        "form_id": str(clock.new_id()),
        "measured_at": clock.now().isoformat(),
    }
    assert client.submit(f"/patients/{cast.achieng.patient_id}/observations", sent).status_code == 303
    return sent


def undo_address(site: Site, cast: Cast) -> str:
    """Where the newest set by hand is undone."""
    return address(site, cast).replace("/correction", "/withdrawal")


def test_the_set_is_struck_out_and_its_alarm_is_withdrawn(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    post(site, cast.achieng.key, [(300, {"heart_rate": 70, "temperature": 36.5})])
    record(amina, cast, temperature="41.5")
    judge()
    assert alerts(site, cast.achieng.patient_id) == [("temperature_high", "high", True, True)]
    page = amina.get("/ward/a").get_data(as_text=True)
    path = undo_address(site, cast)
    assert f'action="{path}"' in page
    answer = amina.submit(path)
    assert answer.location == f"/patients/{cast.achieng.patient_id}/observations"
    judge()
    assert latest(site, cast) == {"heart_rate": 70, "temperature": 36.5}
    assert site.row("SELECT closed_as FROM alert")[0] == "withdrawn"
    page = amina.get(answer.location).get_data(as_text=True)
    assert "<s>41.5</s>" in page
    assert "Undone right after saving" in page
    assert "is saved." not in page
    assert site.row("SELECT kind, before->>'temperature', after FROM correction") == ("undone", "41.5", {})
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'observations.undone'")[0] == 1


def test_only_once_only_for_a_minute_and_only_by_who_saved_it(
    site: Site, cast: Cast, amina: CheckedClient, people: People
) -> None:
    record(amina, cast, heart_rate="80")
    path = undo_address(site, cast)
    with site.cursor() as cur:
        cur.execute("UPDATE account SET role = 'caregiver' WHERE email = %s", (people.tekla,))
    tekla = site.browser()
    tekla.sign_in(people.tekla, PASSWORD)
    assert tekla.submit(path).status_code == 404
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.submit(path).status_code == 404
    with site.cursor() as cur:
        cur.execute("UPDATE observation_entry SET entered_at = entered_at - interval '71 seconds'")
    late = amina.submit(path)
    assert late.status_code == 409
    assert "can be undone for a minute" in late.get_data(as_text=True)
    with site.cursor() as cur:
        cur.execute("UPDATE observation_entry SET entered_at = entered_at + interval '71 seconds'")
    assert amina.submit(path).status_code == 303
    assert amina.submit(path).status_code == 409
    assert latest(site, cast) == {}


def test_it_is_offered_for_a_minute_only(
    site: Site, cast: Cast, amina: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(amina, cast, heart_rate="80")
    assert "is saved." in amina.get("/patients").get_data(as_text=True)
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "is saved." not in amina.get("/patients").get_data(as_text=True)


def test_the_form_of_an_undone_set_does_not_pass_for_saved(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    """Back in the browser and Save again: asked once, then it is a set of its own."""
    url = f"/patients/{cast.achieng.patient_id}/observations"
    sent = record(amina, cast, heart_rate="80")
    assert amina.submit(undo_address(site, cast)).status_code == 303
    asked = amina.submit(url, sent)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422
    assert "This set was undone." in page
    form_id = page.split('name="form_id" value="')[1].split('"')[0]
    assert form_id != sent["form_id"]
    assert amina.submit(url, {**sent, "form_id": form_id}).status_code == 303
    assert latest(site, cast) == {"heart_rate": 80}


def test_what_is_typed_is_judged_field_by_field(site: Site, cast: Cast, amina: CheckedClient) -> None:
    url = f"/patients/{cast.achieng.patient_id}/observations"
    typed = {"respiratory_rate": "16", "heart_rate": "151", "temperature": "382", "systolic_bp": "fast"}
    page = amina.submit(f"{url}/preview", typed).get_data(as_text=True)
    said = {part.split('"')[0]: part for part in page.split('id="look-')[1:]}
    assert "plausible" in said["respiratory_rate"]
    assert "it is above the alarm limit 120 /min" in said["heart_rate"]
    assert 'value="heart_rate=151"' in said["heart_rate"]
    assert "enter a number from 26.0 to 45.0" in said["temperature"]
    assert "Enter a number for Systolic" in said["systolic_bp"]
    assert 'class="look "' in page.split('id="look-glucose"')[0].rsplit("<", 1)[1]
    assert site.rows("SELECT 1 FROM reading") == []
    right = {"heart_rate": "151", "right": "heart_rate=151"}
    assert amina.submit(url, right).status_code == 303
    assert site.row("SELECT confirmed FROM observation_entry")[0] == ["heart_rate"]
