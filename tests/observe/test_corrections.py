"""A correction keeps what was recorded, and everything else sees what is right."""

import random
from datetime import timedelta
from typing import Any

import pytest

from silverwatch import clock
from silverwatch.blueprints.caregiver.observation_list import micros
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import alerts, judge, post

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


def by_hand(site: Site, cast: Cast, **typed: str) -> None:
    """A set of Achieng, looked at twice."""
    confirmed = " ".join(f"{name}={value}" for name, value in typed.items())
    path = f"/patients/{cast.achieng.patient_id}/observations"
    assert site.client.submit(path, {**typed, "confirmed": confirmed}).status_code == 303


def address(site: Site, cast: Cast, condition: str = "source_kind = 'manual'") -> str:
    """Where the newest of these sets is corrected."""
    row = site.rows(
        f"SELECT source_id, measured_at FROM reading WHERE {condition} ORDER BY measured_at DESC LIMIT 1"
    )[0]
    return f"/patients/{cast.achieng.patient_id}/observations/{row[0]}/{micros(row[1])}/correction"


def latest(site: Site, cast: Cast) -> dict[str, Any]:
    """The present values."""
    found = site.row("SELECT latest FROM vital_state WHERE patient_id = %s", cast.achieng.patient_id)[0]
    return {name: entry[0] for name, entry in found.items()}


CHANGE = {"kind": "changed", "because": "Read from the wrong thermometer", "seen": "0"}
STRIKE = {"kind": "wrong_patient", "because": "It was bed 2", "seen": "0"}


def test_a_slip_is_corrected_and_its_alarm_is_withdrawn(site: Site, cast: Cast, amina: CheckedClient) -> None:
    by_hand(site, cast, temperature="41.5", heart_rate="80")
    judge()
    assert alerts(site, cast.achieng.patient_id) == [("temperature_high", "high", True, True)]
    path = address(site, cast)
    page = amina.get(path).get_data(as_text=True)
    assert 'value="41.5"' in page
    assert amina.submit(path, {**CHANGE, "temperature": "37.5", "heart_rate": "80"}).status_code == 303
    judge()
    row = site.row("SELECT closed_as, ended_at IS NULL FROM alert")
    assert row[0] == "withdrawn"
    assert latest(site, cast) == {"temperature": 37.5, "heart_rate": 80}
    kept = site.row("SELECT kind, because, before->>'temperature', after->>'temperature' FROM correction")
    assert kept == ("changed", "Read from the wrong thermometer", "41.5", "37.5")
    page = amina.get(path).get_data(as_text=True)
    assert "Original" in page
    assert "41.5 °C" in page
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'observations.corrected'")[0] == 1
    listed = amina.get(f"/patients/{cast.achieng.patient_id}/observations").get_data(as_text=True)
    assert "Corrected" in listed
    assert ">37.5<" in listed


def test_an_ended_alarm_that_waits_to_be_seen_is_withdrawn_too(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    post(site, cast.achieng.key, [(120, {"temperature": 41.5})])
    judge()
    post(site, cast.achieng.key, [(1, {"temperature": 37.0})])
    judge()
    assert site.row("SELECT ended_at IS NOT NULL AND closed_at IS NULL FROM alert")[0]
    path = address(site, cast, "temperature = 41.5")
    assert amina.submit(path, {**STRIKE, "kind": "artefact"}).status_code == 303
    judge()
    assert site.row("SELECT closed_as FROM alert")[0] == "withdrawn"


def test_what_is_struck_out_gives_way_to_what_was_before(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    post(site, cast.achieng.key, [(300, {"heart_rate": 70, "temperature": 36.5})])
    by_hand(site, cast, temperature="39.0", systolic_bp="120")
    judge()
    assert amina.submit(address(site, cast), STRIKE).status_code == 303
    judge()
    assert latest(site, cast) == {"heart_rate": 70, "temperature": 36.5}
    assert alerts(site, cast.achieng.patient_id) == [("temperature_high", "medium", False, True)]
    page = amina.get(f"/patients/{cast.achieng.patient_id}/observations").get_data(as_text=True)
    assert "<s>39.0</s>" in page
    assert "Struck out: wrong patient" in page
    chart = amina.get(f"/patients/{cast.achieng.patient_id}/trends?h=4&view=table", headers=HTMX)
    assert chart.status_code == 200
    assert "39.0" not in chart.get_data(as_text=True)


def test_a_device_that_says_it_again_changes_nothing(site: Site, cast: Cast, amina: CheckedClient) -> None:
    end = clock.now()
    said = [(5.0, {"heart_rate": 210, "oxygen_saturation": 0})]
    post(site, cast.achieng.key, said, until=end)
    judge()
    path = address(site, cast, "heart_rate = 210")
    assert amina.submit(path, {**CHANGE, "heart_rate": "80"}).status_code == 422
    assert amina.submit(path, {**STRIKE, "kind": "artefact"}).status_code == 303
    judge()
    assert latest(site, cast) == {}
    assert site.row("SELECT off FROM vital_state WHERE patient_id = %s", cast.achieng.patient_id)[0] == {}
    assert post(site, cast.achieng.key, said, until=end)["duplicates"] == 1
    more = post(site, cast.achieng.key, [(5.0, {"heart_rate": 210, "temperature": 37.0})], until=end)
    assert more["stored"] == 0
    assert site.row("SELECT code, detail FROM quarantine")[0] == "conflict"
    assert site.row("SELECT heart_rate, temperature FROM reading") == (None, None)


def test_two_who_correct_at_once_and_what_is_wrong_with_the_form(
    site: Site, cast: Cast, amina: CheckedClient, people: People
) -> None:
    by_hand(site, cast, temperature="38.0", heart_rate="80")
    path = address(site, cast)
    for sent, words in (
        ({**CHANGE, "temperature": "380"}, "enter a number from 26.0"),
        ({**CHANGE, "temperature": "hot"}, "Enter a number for Temp"),
        ({**CHANGE, "temperature": "38.0", "heart_rate": "80"}, "says this already"),
        ({**CHANGE}, "Enter at least one value"),
        ({**STRIKE, "because": ""}, "Say why"),
        ({**STRIKE, "kind": "nonsense"}, "Choose what is wrong"),
        ({**STRIKE, "seen": "7"}, "corrected this set meanwhile"),
    ):
        answer = amina.submit(path, sent)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    assert site.rows("SELECT 1 FROM correction") == []
    assert amina.submit(path, {**CHANGE, "temperature": "37.0", "heart_rate": "80"}).status_code == 303
    assert amina.submit(path, STRIKE).status_code == 422
    assert amina.submit(path, {**STRIKE, "seen": "1"}).status_code == 303
    assert amina.submit(path, {**CHANGE, "seen": "2", "temperature": "36.9"}).status_code == 303
    assert latest(site, cast) == {"temperature": 36.9}
    assert [row[0] for row in site.rows("SELECT kind FROM correction ORDER BY number")] == [
        "changed", "wrong_patient", "changed",
    ]  # fmt: skip
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.get(path).status_code == 404
    assert (
        amina.get(path.replace(str(cast.achieng.patient_id), str(cast.baraka.patient_id))).status_code == 404
    )


def judged(site: Site, cast: Cast) -> Any:
    """What is known of Achieng after judging."""
    query = (
        "SELECT v.latest, v.off, j.checkpoint FROM vital_state v JOIN judge_state j USING (patient_id)"
        " WHERE patient_id = %s"
    )
    return site.row(query, cast.achieng.patient_id)


@pytest.mark.parametrize("seed", range(5))
def test_after_a_correction_all_is_as_if_it_had_been_so_from_the_start(
    site: Site, cast: Cast, amina: CheckedClient, seed: int
) -> None:
    """The present values and the checkpoint are those of a fold over the corrected readings alone."""
    chance = random.Random(seed)
    end = clock.now()
    steps = [
        (float(second), {
            "heart_rate": chance.choice([70, 75, 130, 150, 0]),
            "oxygen_saturation": chance.choice([97, 96, 85, 78, 0]),
            **({"temperature": chance.choice([36.5, 39.9])} if second % 60 == 0 else {}),
        })
        for second in range(600, 0, -20)
    ]  # fmt: skip
    post(site, cast.achieng.key, steps, until=end)
    judge()
    chosen = [*chance.sample(steps[:-1], 4), steps[-1]]
    for second, _ in chosen:
        at = end - timedelta(seconds=second)
        path = address(site, cast, f"measured_at = '{at.isoformat()}'")
        assert amina.submit(path, {**STRIKE, "kind": "artefact"}).status_code == 303
        judge()
    corrected = judged(site, cast)
    with site.cursor() as cur:
        cur.execute("DELETE FROM checkpoint")
        cur.execute("UPDATE judge_state SET checkpoint = '{}', checkpoint_at = NULL, news = '{}'")
        cur.execute(
            "UPDATE vital_state SET unjudged_since = now(), unjudged_from = now() - interval '1 hour'"
        )
    judge()
    assert judged(site, cast) == corrected
    kept = [step for step in steps if step not in chosen]
    for vital in ("heart_rate", "oxygen_saturation"):
        valid = [values[vital] for _, values in kept if values[vital]]
        assert corrected[0][vital][0] == valid[-1]
        assert (vital in corrected[1]) == (kept[-1][1][vital] == 0)


def test_the_list_and_its_file(site: Site, cast: Cast, amina: CheckedClient) -> None:
    url = f"/patients/{cast.achieng.patient_id}/observations"
    assert "Nothing was recorded by hand" in amina.get(url).get_data(as_text=True)
    by_hand(site, cast, heart_rate="141", glucose="5.0")
    post(site, cast.achieng.key, [(60.0 * n, {"heart_rate": 70}) for n in range(60)])
    page = amina.get(url).get_data(as_text=True)
    assert "Amina" in page
    assert "looked at twice" in page
    assert "SW-1" not in page
    page = amina.get(f"{url}?source=device").get_data(as_text=True)
    assert "SW-1" in page
    assert "Older ones" in page
    older = page.split("before=")[1].split('"')[0].replace("&amp;", "&")
    assert "Older ones" not in amina.get(f"{url}?source=device&before={older}").get_data(as_text=True)
    assert amina.get(f"{url}?source=x&hours=x&before=x").status_code == 200
    file = amina.get(f"{url}.csv?source=all")
    lines = file.get_data(as_text=True).splitlines()
    assert len(lines) == 62
    assert lines[0].startswith("measured_at (UTC),source,by,heart_rate")
    assert any(line.endswith(",heart_rate") and ",by hand,Amina,141" in line for line in lines)
