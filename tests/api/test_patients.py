"""Patients for people and programs: whose, page by page, and every look in the audit."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from silverwatch import db
from silverwatch.domain.access import Actor
from tests.api.calling import log_in, refusals
from tests.api.posting import problem
from tests.api.test_api_keys import ada, make
from tests.cast import Cast, People, create_bed, create_patient
from tests.conftest import Site

__all__ = ["ada"]


def get(site: Site, token: str | None, path: str = "") -> TestResponse:
    """Ask as a program does, without a cookie."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return site.browser().get(f"/api/patients/{path}", headers=headers)


def names(answer: TestResponse) -> list[str]:
    """Who is in the answer."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [found["family_name"] for found in answer.get_json()["results"]]


@pytest.fixture
def amina(site: Site, people: People) -> str:
    """The token of a caregiver of ward A."""
    token: str = log_in(site, people.amina)["access"]
    return token


def test_a_caregiver_reads_those_of_her_ward(site: Site, cast: Cast, amina: str) -> None:
    answer = get(site, amina)
    assert names(answer) == ["Achieng", "Baraka"]
    found: dict[str, Any] = answer.get_json()
    assert (found["count"], found["next"], found["previous"]) == (2, None, None)
    first = found["results"][0]
    assert first["id"] == str(cast.achieng.patient_id)
    assert (first["ward"], first["bed"], first["born_on"], first["sex"]) == ("a", "A1", "1950-03-04", "F")
    assert first["admitted_at"].endswith("Z")
    one = get(site, amina, f"{cast.achieng.patient_id}/")
    assert one.get_json() == first


def test_others_are_as_if_they_were_not(site: Site, cast: Cast, amina: str) -> None:
    problem(get(site, amina, f"{cast.chebet.patient_id}/"), 404)
    problem(get(site, amina, f"{uuid4()}/"), 404)
    assert names(get(site, amina, f"?ward={cast.chebet.ward_id}")) == []


def test_each_look_is_in_the_audit(site: Site, cast: Cast, amina: str) -> None:
    looks = "SELECT detail->>'view', patient_ids FROM audit_entry WHERE action = 'record.viewed' ORDER BY seq"
    before = len(site.rows(looks))
    get(site, amina, f"{cast.achieng.patient_id}/")
    get(site, amina, "?hospital_number=nobody")
    get(site, amina)
    rows = site.rows(looks)[before:]
    assert [view for view, _ in rows] == ["patient", "patients"]
    assert rows[0][1] == [cast.achieng.patient_id]
    assert set(rows[1][1]) == {cast.achieng.patient_id, cast.baraka.patient_id}


def test_a_patient_reads_themselves_and_nobody_else(site: Site, cast: Cast, people: People) -> None:
    token = log_in(site, people.patience)["access"]
    assert names(get(site, token)) == ["Achieng"]
    assert get(site, token, f"{cast.achieng.patient_id}/").status_code == 200
    problem(get(site, token, f"{cast.baraka.patient_id}/"), 404)


def test_a_technician_reads_none(site: Site, people: People) -> None:
    problem(get(site, log_in(site, people.tekla)["access"]), 403)
    assert refusals(site)[-1][1] == "role"
    problem(get(site, None), 401)


def test_a_key_reads_those_of_its_wards_if_it_was_made_for_that(site: Site, cast: Cast, ada: Actor) -> None:
    _, other = make(ada, scopes=["readings.read"], ward_ids=[cast.achieng.ward_id])
    problem(get(site, other), 403)
    _, key = make(ada, scopes=["patients.read"], ward_ids=[cast.chebet.ward_id])
    assert names(get(site, key)) == ["Chebet"]
    problem(get(site, key, f"{cast.achieng.patient_id}/"), 404)
    _, without = make(ada, scopes=["patients.read"])
    assert names(get(site, without)) == []


def test_page_by_page_each_patient_once(site: Site, cast: Cast, amina: str) -> None:
    with db.transaction() as session:
        for number in range(9):
            bed = create_bed(session, cast.achieng.ward_id, label=f"X{number}", position=10 + number)
            create_patient(session, f"Zuri{number}", bed_id=bed.id)
    seen: list[UUID] = []
    path: str | None = "?page_size=4"
    while path:
        answer = get(site, amina, path).get_json()
        assert answer["count"] == 11
        seen += [found["id"] for found in answer["results"]]
        path = answer["next"] and answer["next"].removeprefix("/api/patients/")
    assert len(seen) == len(set(seen)) == 11
    last = get(site, amina, "?page=3&page_size=4").get_json()
    assert last["previous"] == "/api/patients/?page=2&page_size=4"
    assert get(site, amina, "?page=99").get_json()["results"] == []
    narrowed = get(site, amina, f"?ward={cast.achieng.ward_id}&page_size=1").get_json()
    assert narrowed["next"] == f"/api/patients/?ward={cast.achieng.ward_id}&page=2&page_size=1"


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page_size=201",
        "page=1&page=2",
        "nonsense=1",
        "ward=a",
        "page=١",
        "page=",
    ],
)
def test_what_cannot_be_asked_is_said(site: Site, cast: Cast, amina: str, query: str) -> None:
    problem(get(site, amina, f"?{query}"), 400)


def test_a_hospital_number_finds_one(site: Site, cast: Cast, amina: str) -> None:
    number = get(site, amina).get_json()["results"][1]["hospital_number"]
    assert names(get(site, amina, f"?hospital_number={number}")) == ["Baraka"]
    assert names(get(site, amina, "?hospital_number=%00")) == []
