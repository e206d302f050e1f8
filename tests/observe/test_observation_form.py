"""The form for a set of observations: three levels, units, time, one set however often it is sent."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silverwatch import clock
from silverwatch.domain.readings import units
from silverwatch.domain.readings.units import CHOICES, Units, shown, to_stored
from silverwatch.web import filters
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import judge, post

CALM = {"respiratory_rate": "16", "oxygen_saturation": "97", "air": "air", "systolic_bp": "121", "diastolic_bp": "78",
        "heart_rate": "72", "consciousness": "A", "temperature": "36,8", "glucose": "5.4", "pain": "3",
        "weight": "71.5"}  # fmt: skip


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


def url(cast: Cast) -> str:
    """Where a set of Achieng goes to."""
    return f"/patients/{cast.achieng.patient_id}/observations"


def stored(site: Site, columns: str) -> Any:
    """The one set by hand that is stored."""
    return site.row(f"SELECT {columns} FROM reading WHERE source_kind = 'manual'")


def test_a_whole_set_is_one_screen_and_says_who(site: Site, cast: Cast, amina: CheckedClient) -> None:
    page = amina.get(f"{url(cast)}/new").get_data(as_text=True)
    for words in (
        "Achieng".upper(),
        "04-Mar-1950",
        "Hospital No.",
        "alarm outside 50 to 120",
        'inputmode="decimal"',
    ):
        assert words in page
    assert amina.submit(url(cast), CALM).status_code == 303
    row = stored(site, "heart_rate, supplemental_oxygen, temperature, glucose, pain, weight, consciousness")
    assert row == (72, 0, 36.8, 5.4, 3, 71.5, "A")
    entry = site.row(
        "SELECT a.name, e.confirmed FROM observation_entry e JOIN account a ON a.id = e.account_id"
    )
    assert entry == ("Amina", [])
    judge()
    assert (
        site.row("SELECT news->>'score' FROM judge_state WHERE patient_id = %s", cast.achieng.patient_id)[0]
        == "0"
    )


def test_what_is_unusual_is_asked_once_and_kept_as_looked_at(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    sent = {
        **CALM,
        "heart_rate": "151",
        "form_id": str(clock.new_id()),
        "measured_at": clock.now().isoformat(),
    }
    asked = amina.submit(url(cast), sent)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422
    assert site.rows("SELECT 1 FROM reading") == []
    for words in ("Heart rate 151 /min</a>", "is above the alarm limit 120 /min", 'value="heart_rate=151"',
                  'value="36,8"',                  "Save, these values are right"):  # fmt: skip
        assert words in page
    again = amina.submit(url(cast), {**sent, "confirmed": "heart_rate=151", "heart_rate": "15.1"})
    assert again.status_code == 422
    for _ in range(3):
        assert amina.submit(url(cast), {**sent, "confirmed": "heart_rate=151"}).status_code == 303
    assert stored(site, "heart_rate")[0] == 151
    assert site.row("SELECT confirmed FROM observation_entry")[0] == ["heart_rate"]


def test_far_from_the_last_value_is_asked_too(site: Site, cast: Cast, amina: CheckedClient) -> None:
    post(site, cast.achieng.key, [(60, {"heart_rate": 60})])
    asked = amina.submit(url(cast), {"heart_rate": "110"})
    assert asked.status_code == 422
    assert "is far from the last one, 60 /min" in asked.get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("temperature", "382", "Temp: enter a number from 26.0 to 45.0 °C"),
        ("oxygen_saturation", "101", "enter a number from more than 0 to 100 %"),
        ("heart_rate", "0", "enter a number from more than 0 to 350 /min"),
        ("pain", "11", "enter a number from 0 to 10. "),
        ("heart_rate", "fast", "Enter a number for HR, such as 72."),
        ("diastolic_bp", "130", "systolic is not above diastolic"),
    ],
)
def test_what_no_patient_can_have_is_refused_and_nothing_is_lost(
    site: Site, cast: Cast, amina: CheckedClient, field: str, typed: str, words: str
) -> None:
    confirmed = f"{field}={typed}"
    answer = amina.submit(url(cast), {**CALM, field: typed, "confirmed": confirmed})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in page
    assert f'value="{typed}"' in page
    assert 'value="71.5"' in page
    assert "checked>Air" in page
    assert site.rows("SELECT 1 FROM reading") == []


def test_air_and_oxygen_are_a_choice(site: Site, cast: Cast, amina: CheckedClient) -> None:
    for air, flow, words in (
        ("air", "2", "Choose air, or oxygen"),
        ("oxygen", "", "how much oxygen"),
        ("oxygen", "0", "how much"),
    ):
        answer = amina.submit(url(cast), {"air": air, "supplemental_oxygen": flow})
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    assert amina.submit(url(cast), {"air": "oxygen", "supplemental_oxygen": "4"}).status_code == 303
    assert stored(site, "supplemental_oxygen")[0] == 4


def test_a_set_is_entered_late_but_never_ahead(site: Site, cast: Cast, amina: CheckedClient) -> None:
    now = clock.now()
    for off, words in (
        (timedelta(minutes=5), "has not come yet"),
        (-timedelta(hours=25), "more than 24 hours ago"),
    ):
        answer = amina.submit(url(cast), {"heart_rate": "72", "local": filters.local_minute(now + off)})
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    wrong = amina.submit(url(cast), {"heart_rate": "72", "local": "yesterday"})
    assert "Enter the day and time" in wrong.get_data(as_text=True)
    early = now - timedelta(hours=3)
    assert (
        amina.submit(url(cast), {"heart_rate": "72", "local": filters.local_minute(early)}).status_code == 303
    )
    assert stored(site, "measured_at")[0] == early.replace(second=0, microsecond=0)


def test_one_form_is_one_set_whatever_is_changed_in_it(site: Site, cast: Cast, amina: CheckedClient) -> None:
    sent = {**CALM, "form_id": str(clock.new_id()), "measured_at": clock.now().isoformat()}
    assert amina.submit(url(cast), sent).status_code == 303
    other = filters.local_minute(clock.now() - timedelta(hours=2))
    answer = amina.submit(url(cast), {**sent, "local": other})
    assert answer.status_code == 422
    assert "saved already" in answer.get_data(as_text=True)
    assert len(site.rows("SELECT 1 FROM reading")) == 1


def test_units_are_one_s_own_and_what_is_stored_is_not(site: Site, cast: Cast, amina: CheckedClient) -> None:
    chosen = {"temperature": "F", "weight": "lb", "pressure": "kPa", "glucose": "mg/dL"}
    assert amina.submit("/profile/units", {**chosen, "weight": "stone"}).status_code == 422
    assert amina.submit("/profile/units", {**chosen, "next": "/ward/a"}).location == "/ward/a"
    page = amina.get(f"{url(cast)}/new").get_data(as_text=True)
    assert 'name="units" value="F|lb|kPa|mg/dL"' in page
    assert "alarm outside 96.8 to 101.3" in page
    sent = {
        "units": "F|lb|kPa|mg/dL",
        "temperature": "100.4",
        "weight": "150",
        "systolic_bp": "16.0",
        "glucose": "97",
    }
    assert amina.submit(url(cast), sent).status_code == 303
    assert stored(site, "temperature, weight, systolic_bp, glucose") == (38.0, 68.04, 120.0, 5.38)
    impossible = amina.submit(url(cast), {"units": "F|lb|kPa|mg/dL", "temperature": "38.0"})
    assert "enter a number from 78.8 to 113.0 °F" in impossible.get_data(as_text=True)


def test_the_preview_scores_what_is_typed_and_keeps_nothing(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    part = amina.submit(f"{url(cast)}/preview", {**CALM, "respiratory_rate": "26", "temperature": ""})
    text = part.get_data(as_text=True)
    assert 'id="score-preview"' in text
    assert "NEWS2 at least 3" in text
    whole = amina.submit(f"{url(cast)}/preview", {**CALM, "respiratory_rate": "26", "temperature": "400"})
    assert "NEWS2 at least 3" in whole.get_data(as_text=True)
    assert "NEWS2 3" in amina.submit(f"{url(cast)}/preview", {**CALM, "respiratory_rate": "26"}).get_data(
        as_text=True
    )
    assert site.rows("SELECT 1 FROM reading") == []


QUANTITIES = [(vital, unit, place) for vital, quantity in units.QUANTITY.items()
              for place, unit in enumerate(CHOICES[quantity])]  # fmt: skip
HIGHEST = {
    "temperature": 450,
    "weight": 6500,
    "glucose": 1000,
    "systolic_bp": 3750,
    "diastolic_bp": 3750,
    "mean_bp": 3300,
}


@given(vital=st.sampled_from(sorted(units.QUANTITY)), data=st.data())
def test_what_was_entered_reads_the_same_again(vital: str, data: st.DataObject) -> None:
    quantity = units.QUANTITY[vital]
    unit = data.draw(st.sampled_from(CHOICES[quantity]))
    chosen = Units(**{quantity: unit})  # type: ignore[arg-type]
    decimals = {"mmHg": 0, "mg/dL": 0}.get(unit, 1)
    typed = data.draw(st.integers(1, HIGHEST[vital])) / 10
    text = f"{typed:.{decimals}f}"
    assert shown(vital, to_stored(vital, float(text), chosen), chosen) == text


def test_a_scale_is_decided_after_a_second_look(
    site: Site, cast: Cast, amina: CheckedClient, people: People
) -> None:
    path = f"/patients/{cast.achieng.patient_id}/news2-scale"
    assert amina.get(path).status_code == 200
    wrong = amina.submit(path, {"choice": "2", "because": "short"})
    assert "Say why, in 10 to 300" in wrong.get_data(as_text=True)
    sent = {"choice": "2", "because": "Hypercapnic, target 88-92"}
    asked = amina.submit(path, sent)
    assert asked.status_code == 422
    assert "Use scale 2" in asked.get_data(as_text=True)
    assert site.row("SELECT spo2_scale FROM patient WHERE id = %s", cast.achieng.patient_id)[0] == 1
    assert amina.submit(path, {**sent, "sure": "yes"}).status_code == 303
    assert site.row("SELECT spo2_scale FROM patient WHERE id = %s", cast.achieng.patient_id)[0] == 2
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'scale.decided'")[0] == 1
    assert amina.submit(path, {**sent, "sure": "yes"}).status_code == 409
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.submit(path, {**sent, "choice": "1", "sure": "yes"}).status_code == 404
    page = amina.get(f"/patients/{cast.achieng.patient_id}").get_data(as_text=True)
    assert "SpO₂ scale 2, decided by Amina" in page
    assert "SpO₂ scale 2" in amina.get("/ward/a").get_data(as_text=True)


def test_an_interval_is_decided_and_ended(site: Site, cast: Cast, amina: CheckedClient) -> None:
    path = f"/patients/{cast.achieng.patient_id}/observation-interval"
    amina.submit(url(cast), CALM)
    judge()
    sent = {"choice": "30", "hours": "4", "because": "After the transfusion"}
    assert "Observe this often" in amina.submit(path, sent).get_data(as_text=True)
    assert amina.submit(path, {**sent, "hours": "99"}).status_code == 422
    assert amina.submit(path, {**sent, "sure": "yes"}).status_code == 303
    page = amina.get(f"/patients/{cast.achieng.patient_id}").get_data(as_text=True)
    assert "After the transfusion" in page
    assert amina.submit(f"{path}/end").status_code == 303
    assert "After the transfusion" not in amina.get(f"/patients/{cast.achieng.patient_id}/news2").get_data(
        as_text=True
    )


@pytest.mark.parametrize(
    ("vital", "typed"), [("pain", "2.5"), ("pain", "2,5"), ("glucose", "0"), ("glucose", "0,0")]
)
def test_no_half_of_a_pain_and_no_blood_without_glucose(
    site: Site, cast: Cast, amina: CheckedClient, vital: str, typed: str
) -> None:
    answer = amina.submit(url(cast), {vital: typed, "confirmed": f"{vital}={typed}"})
    assert answer.status_code == 422
    assert site.rows("SELECT 1 FROM reading") == []
    assert "There is a problem" in answer.get_data(as_text=True)
