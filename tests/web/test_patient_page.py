"""The page of one patient: for the own ward and the care team, like none for everybody else."""

from uuid import UUID

import pytest

from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site

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
    for words in ("ACHIENG, Test", "04-Mar-1950", number_of(site, patient_id), "Ward A, bed A1", "Female",
                  ">71", ">36.6", f'href="/patients/{patient_id}/observations/new"', 'href="/ward/a"'):  # fmt: skip
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
