"""The page of one patient: for the own ward and the care team, like none for everybody else."""

import csv
import html
import io
import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.alerts import incidents, pauses, service
from silverwatch.domain.alerts.models import Alert
from silverwatch.web import filters
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import held, judge, post
from tests.live.test_regions import without_ages

NOWHERE = "01900000-0000-7000-8000-000000000000"


def number_of(site: Site, patient_id: UUID) -> str:
    """The hospital number of a patient."""
    found: str = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
    return found


@pytest.fixture
def bruno(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward B."""
    browser = site.browser()
    browser.sign_in(people.bruno, PASSWORD)
    return browser


def test_the_page_of_a_patient(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    patient_id = cast.achieng.patient_id
    site.client.submit(f"/patients/{patient_id}/observations", {"heart_rate": "71", "temperature": "36.6"})
    page = site.client.get(f"/patients/{patient_id}").get_data(as_text=True)
    for words in ("ACHIENG, Test", "04-Mar-1950", number_of(site, patient_id), "Ward A · admitted", "<b>A1</b>",
                  "Female", ">71", ">36.6", f'href="/patients/{patient_id}/observations/new"',
                  'href="/ward/a"', "Came to Ward A, bed A1", "No open alarms."):  # fmt: skip
        assert words in page, words
    for _ in range(3):
        site.client.get(f"/patients/{patient_id}")
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'patient'") == (1,)


def test_a_foreign_patient_looks_like_none(site: Site, cast: Cast, bruno: CheckedClient) -> None:
    foreign, missing = (bruno.get(f"/patients/{found}") for found in (cast.achieng.patient_id, NOWHERE))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.data == missing.data
    for path in ("/patients/x", "/patients/%00", f"/patients/{NOWHERE}x"):
        assert bruno.get(path).status_code == 404


def test_the_care_team_sees_its_patient_wherever(
    site: Site, cast: Cast, people: People, bruno: CheckedClient
) -> None:
    account = site.row("SELECT id FROM account WHERE email = %s", people.bruno)[0]
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO care_team_member (patient_id, account_id, added_at) VALUES (%s, %s, now())",
            (cast.achieng.patient_id, account),
        )
    path = f"/patients/{cast.achieng.patient_id}"
    assert bruno.get(path).status_code == 200
    assert bruno.submit(f"{path}/observations", {"heart_rate": "71"}).location == path
    assert bruno.get(f"/patients/{cast.baraka.patient_id}").status_code == 404
    asked = {
        "hospital_number": number_of(site, cast.achieng.patient_id),
        "reason": "Cardiac arrest",
        "password": PASSWORD,
    }
    assert bruno.submit("/emergency-access", asked).location == path
    assert site.row("SELECT count(*) FROM emergency_access") == (0,)


@pytest.fixture
def amina(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward A."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


SPANS = ("4", "12", "24", "72", "720")


@pytest.mark.parametrize(
    "query", [*(f"h={h}" for h in SPANS), "bands=limits", "view=table", "h=x&bands=y&view=z", "h=" + "9" * 40]
)
def test_trends_in_every_way_with_and_without_data(
    site: Site, cast: Cast, amina: CheckedClient, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part is what the page holds, and what nobody offers is the usual view."""
    path = f"/patients/{cast.achieng.patient_id}"
    assert amina.get(f"{path}?{query}").status_code == 200
    post(
        site, cast.achieng.key, [(60 * n, {"heart_rate": 70 + n, "oxygen_saturation": 95}) for n in range(30)]
    )
    judge()
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    page = amina.get(f"{path}?{query}").get_data(as_text=True)
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    part = amina.get(f"{path}/trends?{query}", headers=headers).get_data(as_text=True)
    assert part.strip().startswith('<section class="card trends" id="trends"')
    assert ("<table>" in part) == ("view=table" in query)
    assert ('class="band b3"' in part) == (query not in ("bands=limits", "view=table"))
    assert without_ages(part) in without_ages(page)
    answer = amina.get(f"{path}/trends?{query}")
    assert answer.status_code == 303
    assert str(answer.location).startswith(f"{path}?h=")


def test_the_file_has_the_values_of_the_chart_and_is_audited(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    patient_id = cast.achieng.patient_id
    # In the middle of five minutes of the clock, which are one line of the file.
    middle = 450 + clock.now().timestamp() % 300
    post(site, cast.achieng.key, [(middle, {"heart_rate": 70}), (middle - 10, {"heart_rate": 80})])
    amina.submit(f"/patients/{patient_id}/observations", {"temperature": "36.6", "consciousness": "A"})
    judge()
    answer = amina.get(f"/patients/{patient_id}/trends.csv?h=24")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    [heart] = [row for row in rows if row["heart_rate_mean"]]
    assert (heart["what"], heart["heart_rate_min"], heart["heart_rate_max"]) == ("5 min", "70.0", "80.0")
    [by_hand] = [row for row in rows if row["what"] == "set"]
    history = amina.get(f"/patients/{patient_id}/history").get_data(as_text=True)
    assert re.search(r"Observations\s*<small>Amina</small>", history)
    assert (by_hand["temperature_mean"], by_hand["consciousness"], by_hand["news2"]) == ("36.6", "A", ">=0")
    assert site.row("SELECT detail->>'hours' FROM audit_entry WHERE action = 'trends.exported'") == ("24",)


def test_what_happened_is_told_with_who_took_it(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient_id = cast.achieng.patient_id
    post(site, cast.achieng.key, held("oxygen_saturation", 75, seconds=20))
    judge()
    path = f"/patients/{patient_id}"
    assert "Open, nobody has taken it" in amina.get(path).get_data(as_text=True)
    alert_id = site.row("SELECT id FROM alert")[0]
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{path}"}
    answer = amina.submit(f"/alerts/{alert_id}/acknowledgement", headers=headers).get_data(as_text=True)
    for name in ("alarm-strip", "latest", "timeline"):
        assert f'hx-target="#{name}-{patient_id}"' in answer
    page = amina.get(f"{path}/history?show=alarms").get_data(as_text=True)
    assert re.search(r"Acknowledged after 0:\d\d by Amina", page)
    assert "Came to" not in page
    notes = amina.get(f"{path}/history?show=notes").get_data(as_text=True)
    assert "Nothing here." in notes


def test_what_happened_goes_back_page_by_page(site: Site, cast: Cast, amina: CheckedClient) -> None:
    end = clock.now()
    post(
        site,
        cast.achieng.key,
        [(600 * n, {"consciousness": "A", "temperature": 37}) for n in range(60)],
        until=end,
    )
    path: str | None = f"/patients/{cast.achieng.patient_id}/history"
    seen: list[str] = []
    while path is not None:
        page = amina.get(path).get_data(as_text=True)
        seen += re.findall(r'<time datetime="([^"]+)">', page.split('class="timeline"')[1])
        older = re.search(r'href="([^"]+before=[^"]+)"', page)
        path = html.unescape(older[1]) if older else None
    # Sixty sets, the bed and the device of three days ago.
    assert len(seen) == len(set(seen)) == 62
    assert seen == sorted(seen, reverse=True)


def test_a_patient_in_no_bed_has_a_page(site: Site, cast: Cast, people: People, bruno: CheckedClient) -> None:
    account = site.row("SELECT id FROM account WHERE email = %s", people.bruno)[0]
    post(site, cast.achieng.key, held("oxygen_saturation", 75, seconds=20))
    judge()
    with site.cursor() as cur:
        cur.execute(
            "UPDATE stay SET during = tstzrange(lower(during), now()) WHERE patient_id = %s",
            (cast.achieng.patient_id,),
        )
        cur.execute(
            "INSERT INTO care_team_member (patient_id, account_id, added_at) VALUES (%s, %s, now())",
            (cast.achieng.patient_id, account),
        )
    page = bruno.get(f"/patients/{cast.achieng.patient_id}").get_data(as_text=True)
    assert "In no bed now" in page
    assert "Left Ward A, bed A1" in page
    assert "<b>75%</b> below" in page


def test_opened_in_an_emergency_it_is_read_only(site: Site, cast: Cast, bruno: CheckedClient) -> None:
    asked = {
        "hospital_number": number_of(site, cast.achieng.patient_id),
        "reason": "Cardiac arrest",
        "password": PASSWORD,
    }
    path = str(bruno.submit("/emergency-access", asked).location)
    page = bruno.get(path).get_data(as_text=True)
    assert 'class="main patient-page not-mine"' in page
    assert f'action="{path}/notes"' not in page
    assert bruno.submit(f"{path}/notes", {"text": "Seen."}).status_code == 404
    assert site.row("SELECT count(*) FROM note") == (0,)


def test_the_page_asks_a_fixed_number_of_questions(
    site: Site, cast: Cast, amina: CheckedClient, statements: list[str]
) -> None:
    """However much is stored: nothing is asked for each set, note or alarm."""
    path = f"/patients/{cast.achieng.patient_id}"
    amina.get(path)
    amina.get(path)

    def asked() -> int:
        statements.clear()
        amina.get(path)
        return len(statements)

    few = asked()
    end = clock.now()
    post(
        site,
        cast.achieng.key,
        [(600 * n, {"consciousness": "A", "heart_rate": 150}) for n in range(60)],
        until=end,
    )
    judge()
    for n in range(30):
        amina.submit(f"{path}/notes", {"text": f"Note {n}"})
    amina.get(path)
    many = asked()
    # Four more: with sets there is something to look up, for the chart, its marks, the timeline and its alarms.
    assert few <= many <= few + 4
    print(f"the page of a patient asks {many} questions")


def test_pauses_incidents_and_reasons_are_in_what_happened(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    worn, now = cast.achieng, clock.now()
    account_id = site.row("SELECT id FROM account WHERE email = 'amina@a.example'")[0]
    actor = Actor(
        account_id=account_id, role=Role.CAREGIVER, name="Amina", ward_ids=frozenset({worn.ward_id})
    )
    post(site, worn.key, held("oxygen_saturation", 75, seconds=20))
    judge()
    with db.transaction() as session:
        ends_at = now + timedelta(minutes=30)
        pauses.begin(
            session,
            actor,
            scope="patient",
            subject_id=worn.patient_id,
            reason="xray",
            ends_at=ends_at,
            now=now,
        )
        incidents.report(
            session,
            actor,
            patient_id=worn.patient_id,
            kind="fall",
            at=now,
            values={"what": "Slipped."},
            now=now,
        )
        alert = session.scalars(select(Alert)).one()
        service.resolve(session, actor, alert, now=now, reason="treated")
    path = f"/patients/{worn.patient_id}"
    page = amina.get(path).get_data(as_text=True)
    until = filters.clock_time(ends_at)
    for words in (f"Standby until {until}", "X-ray", "Alarms are shown and do not sound.", "Incident: fall",
                  "reported by Amina", "Resolved: Treated"):  # fmt: skip
        assert words in page, words
    assert f"Standby until {until}: X-ray" in amina.get(f"{path}/history").get_data(as_text=True)
