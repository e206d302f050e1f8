"""Registering, admission, transfer, discharge and binding by programs: the rules of the pages, and no second ones."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from silverwatch import db
from silverwatch.domain.access import Actor
from tests.api.calling import log_in
from tests.api.posting import problem
from tests.api.test_api_keys import ada, make
from tests.cast import Cast, People, create_bed, create_patient
from tests.conftest import Site

__all__ = ["ada"]

NEW = {
    "hospital_number": "KE-77", "family_name": "Otieno", "given_name": "Zoë", "born_on": "1948-03-14", "sex": "F",
}  # fmt: skip
WHERE = (
    "SELECT b.label FROM stay s JOIN bed b ON b.id = s.bed_id WHERE s.patient_id = %s AND upper_inf(s.during)"
)


class Caller:
    """Somebody who calls with a token."""

    def __init__(self, site: Site, token: str) -> None:
        self._site, self._headers = site, {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: Any) -> TestResponse:
        """Post JSON below /api/."""
        return self._site.browser().post(f"/api/{path}", json=body, headers=self._headers)

    def delete(self, path: str) -> TestResponse:
        """Delete below /api/."""
        return self._site.browser().delete(f"/api/{path}", headers=self._headers)


@pytest.fixture
def amina(site: Site, people: People) -> Caller:
    """A caregiver of ward A."""
    return Caller(site, log_in(site, people.amina)["access"])


@pytest.fixture
def program(site: Site, cast: Cast, ada: Actor) -> Caller:
    """A program of ward A that may change patients and devices."""
    wards = [cast.achieng.ward_id]
    _, key = make(ada, name="ADT", scopes=["patients.write", "devices.write"], ward_ids=wards)
    return Caller(site, key)


def ok(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """What it says."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def refused(answer: TestResponse, status: int, kind: str = "about:blank", *more: str) -> dict[str, Any]:
    """A problem of this type."""
    found = problem(answer, status, *more)
    assert found["type"] == (kind if kind == "about:blank" else f"urn:silverwatch:{kind}"), found
    return found


def bed(label: str, ward: str = "a") -> dict[str, str]:
    """A bed as it is sent."""
    return {"ward": ward, "bed": label}


def free_bed(cast: Cast, label: str = "A9") -> None:
    """A free bed of ward A."""
    with db.transaction() as session:
        create_bed(session, cast.achieng.ward_id, label=label)


def number_of(site: Site, patient_id: UUID) -> str:
    """What the wristband says."""
    found: str = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
    return found


def test_a_patient_is_registered_once(site: Site, cast: Cast, amina: Caller) -> None:
    made = ok(amina.post("patients/", NEW), 201)
    assert ok(amina.post("patients/", NEW)) == made
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'patient.registered'") == (1,)
    assert site.row("SELECT count(*) FROM care_team_member WHERE patient_id = %s", made["id"]) == (1,)
    said = refused(amina.post("patients/", {**NEW, "phone": "+254"}), 409, "hospital-number-taken")
    assert said["errors"][0]["pointer"] == "/hospital_number"


def test_who_may_be_known_is_named_first(site: Site, cast: Cast, program: Caller) -> None:
    ok(program.post("patients/", NEW), 201)
    twin = {**NEW, "hospital_number": "KE-78", "family_name": "ZOE", "given_name": "otieno"}
    said = refused(program.post("patients/", twin), 409, "possible-duplicate", "duplicates")
    assert [item["hospital_number"] for item in said["duplicates"]] == ["KE-77"]
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'possible duplicates'") == (1,)
    made = ok(program.post("patients/", {**twin, "confirm_new": True}), 201)
    # A program looks after nobody.
    assert site.row("SELECT count(*) FROM care_team_member WHERE patient_id = %s", made["id"]) == (0,)


@pytest.mark.parametrize(
    ("name", "value"),
    [("born_on", "1700-01-01"), ("born_on", "x"), ("sex", "X"), ("family_name", " "), ("hospital_number", ""),
     ("phone", "1" * 101), ("colour", "red"), ("family_name", 3)],
)  # fmt: skip
def test_what_is_no_patient_is_said_field_by_field(
    cast: Cast, amina: Caller, name: str, value: object
) -> None:
    said = refused(amina.post("patients/", {**NEW, name: value}), 422)
    assert said["errors"]


def test_a_program_admits_transfers_and_discharges(site: Site, cast: Cast, program: Caller) -> None:
    free_bed(cast)
    patient = ok(program.post("patients/", NEW), 201)["id"]
    body = {"hospital_number": "KE-77", "to": bed("A9")}
    first = ok(program.post(f"patients/{patient}/admission/", body), 201)
    assert (first["bed"], first["ward_id"]) == ("A9", str(cast.achieng.ward_id))
    again = ok(program.post(f"patients/{patient}/admission/", body))
    assert again == {**first, "act_id": None}
    home = {"from": bed("A9"), "to": bed("home")}
    assert ok(program.post(f"patients/{patient}/transfer/", home))["bed"] == "Home 1"
    assert ok(program.post(f"patients/{patient}/transfer/", home))["act_id"] is None
    leaves = {"from": bed("home"), "because": "home"}
    assert ok(program.post(f"patients/{patient}/discharge/", leaves))["bed"] is None
    assert ok(program.post(f"patients/{patient}/discharge/", leaves))["act_id"] is None
    kinds = "SELECT kind FROM move WHERE patient_id = %s ORDER BY at"
    assert [kind for (kind,) in site.rows(kinds, patient)] == ["admission", "transfer", "discharge"]
    # The audit says which program it was.
    who = "SELECT DISTINCT account_name FROM audit_entry WHERE action = 'patient.admitted'"
    assert site.rows(who) == [("ADT",)]


def test_each_device_is_asked_about(site: Site, cast: Cast, amina: Caller) -> None:
    free_bed(cast)
    patient = cast.achieng.patient_id
    body = {"from": bed("A1"), "to": bed("A9")}
    said = refused(amina.post(f"patients/{patient}/transfer/", body), 409, "devices-unanswered")
    assert [error["pointer"] for error in said["errors"]] == ["/devices/SW-1"]
    other = {**body, "devices": {"SW-1": "along", "SW-2": "left"}}
    said = refused(amina.post(f"patients/{patient}/transfer/", other), 409, "devices-unanswered")
    assert [error["pointer"] for error in said["errors"]] == ["/devices/SW-2"]
    refused(amina.post(f"patients/{patient}/transfer/", {**body, "devices": {"SW-1": "off"}}), 422)
    ok(amina.post(f"patients/{patient}/transfer/", {**body, "devices": {"SW-1": "left"}}))
    worn = "SELECT count(*) FROM binding WHERE patient_id = %s AND upper_inf(during)"
    assert site.row(worn, patient) == (0,)
    leaves = {"from": bed("A2"), "because": "home"}
    baraka = cast.baraka.patient_id
    refused(amina.post(f"patients/{baraka}/discharge/", leaves), 409, "devices-unanswered")
    ok(amina.post(f"patients/{baraka}/discharge/", {**leaves, "devices": {"SW-2": "off"}}))
    assert site.row(worn, baraka) == (0,)


def test_what_contradicts_is_refused_with_a_type(site: Site, cast: Cast, amina: Caller) -> None:
    free_bed(cast)
    patient = ok(amina.post("patients/", NEW), 201)["id"]
    path = f"patients/{patient}/admission/"
    refused(amina.post(path, {"hospital_number": "KE-77", "to": bed("A1")}), 409, "not-admitted")
    refused(amina.post(path, {"hospital_number": "KE-77", "to": bed("Z9")}), 422)
    refused(amina.post(path, {"hospital_number": "KE-77", "to": bed("B1", "b")}), 422)
    # An id alone says nothing of who is meant.
    refused(amina.post(path, {"hospital_number": "KE-1", "to": bed("A9")}), 404)
    ok(amina.post(path, {"hospital_number": "KE-77", "to": bed("A9")}), 201)
    refused(amina.post(path, {"hospital_number": "KE-77", "to": bed("home")}), 409, "not-admitted")
    moved = {"from": bed("A1"), "to": bed("home")}
    refused(amina.post(f"patients/{patient}/transfer/", moved), 409, "not-transferred")
    leaves = {"from": bed("A1"), "because": "home"}
    refused(amina.post(f"patients/{patient}/discharge/", leaves), 409, "not-discharged")
    refused(amina.post(f"patients/{patient}/discharge/", {**leaves, "because": "bored"}), 422)


def test_two_who_admit_to_one_bed(site: Site, cast: Cast, amina: Caller, program: Caller) -> None:
    free_bed(cast)
    one = ok(amina.post("patients/", NEW), 201)["id"]
    other = ok(program.post("patients/", {**NEW, "hospital_number": "KE-9", "family_name": "Mwangi"}), 201)[
        "id"
    ]
    ok(amina.post(f"patients/{one}/admission/", {"hospital_number": "KE-77", "to": bed("A9")}), 201)
    sent = {"hospital_number": "KE-9", "to": bed("A9")}
    refused(program.post(f"patients/{other}/admission/", sent), 409, "not-admitted")
    assert site.rows(WHERE, other) == []


def test_foreign_patients_are_as_if_they_were_not(
    site: Site, cast: Cast, amina: Caller, program: Caller
) -> None:
    chebet = cast.chebet.patient_id
    number = number_of(site, chebet)
    for caller in (amina, program):
        for patient in (chebet, uuid4()):
            sent = {"hospital_number": number, "to": bed("home")}
            refused(caller.post(f"patients/{patient}/admission/", sent), 404)
            moved = {"from": bed("B1", "b"), "to": bed("home"), "devices": {}}
            refused(caller.post(f"patients/{patient}/transfer/", moved), 404)
            leaves = {"from": bed("B1", "b"), "because": "home"}
            refused(caller.post(f"patients/{patient}/discharge/", leaves), 404)
    assert site.row(WHERE, chebet) == ("B1",)


def test_who_may_not_is_told_so(site: Site, cast: Cast, people: People, ada: Actor) -> None:
    _, key = make(ada, scopes=["patients.read"], ward_ids=[cast.achieng.ward_id])
    for token in (key, log_in(site, people.tekla)["access"], log_in(site, people.patience)["access"]):
        caller = Caller(site, token)
        refused(caller.post("patients/", NEW), 403)
        path = f"patients/{cast.achieng.patient_id}"
        for act in ("admission", "transfer", "discharge"):
            refused(caller.post(f"{path}/{act}/", {}), 403)
    assert site.browser().post("/api/patients/", json=NEW).status_code == 401
    assert Caller(site, key).post(f"devices/{cast.spare_id}/binding/", {}).status_code == 403


def test_a_device_is_put_on_after_two_identifiers(site: Site, cast: Cast, program: Caller) -> None:
    path = f"devices/{cast.spare_id}/binding/"
    number = number_of(site, cast.achieng.patient_id)
    sent = {"bed": bed("A1"), "hospital_number": number, "born_on": "1950-03-04"}
    said = refused(program.post(path, {**sent, "born_on": "1950-03-05"}), 422, "identity-mismatch")
    assert [error["pointer"] for error in said["errors"]] == ["/born_on"]
    said = refused(program.post(path, {**sent, "hospital_number": "KE-0"}), 422, "identity-mismatch")
    assert [error["pointer"] for error in said["errors"]] == ["/hospital_number"]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'binding.mismatch'") == (2,)
    refused(program.post(path, {"bed": bed("A1"), "hospital_number": number}), 422)
    made = ok(program.post(path, sent), 201)
    assert ok(program.post(path, sent)) == made
    assert made["patient_id"] == str(cast.achieng.patient_id)
    other = {
        "bed": bed("A2"),
        "hospital_number": number_of(site, cast.baraka.patient_id),
        "family_name": "BARAKA",
    }
    refused(program.post(path, other), 409, "not-attached")
    assert program.delete(path).status_code == 204
    assert program.delete(path).status_code == 204
    worn = "SELECT count(*) FROM binding WHERE device_id = %s AND upper_inf(during)"
    assert site.row(worn, cast.spare_id) == (0,)


def test_foreign_devices_and_beds(site: Site, cast: Cast, amina: Caller) -> None:
    number = number_of(site, cast.chebet.patient_id)
    sent = {"bed": bed("B1", "b"), "hospital_number": number, "born_on": "1950-03-04"}
    refused(amina.post(f"devices/{cast.spare_id}/binding/", sent), 422)
    refused(amina.post(f"devices/{cast.chebet.device_id}/binding/", {**sent, "bed": bed("A1")}), 404)
    refused(amina.delete(f"devices/{cast.chebet.device_id}/binding/"), 404)
    refused(amina.delete(f"devices/{uuid4()}/binding/"), 404)


def test_no_body_is_a_mistake_of_ours(site: Site, cast: Cast, amina: Caller) -> None:
    patient = cast.achieng.patient_id
    nul = {"ward": "a\0", "bed": "\0"}
    for path in (
        f"patients/{patient}/admission/",
        f"patients/{patient}/transfer/",
        f"patients/{patient}/discharge/",
    ):
        strange = {"from": bed("A1"), "because": "home", "devices": {"x": "off"}}
        for body in ([], {}, {"to": nul}, {"hospital_number": "\0", "to": nul}, {"from": nul, "to": nul},
                     {"from": nul, "because": "home"}, strange):  # fmt: skip
            assert 400 <= amina.post(path, body).status_code < 500
    path = f"devices/{cast.spare_id}/binding/"
    for since in ("2999-01-01T00:00:00Z", "2020-01-01T00:00:00", "0001-01-01T00:00:00Z"):
        sent = {"bed": nul, "hospital_number": "\0", "born_on": "1950-03-04", "since": since}
        assert amina.post(path, sent).status_code in (400, 422)
        assert amina.post(path, {**sent, "bed": bed("A1"), "hospital_number": "x"}).status_code == 422
    with db.transaction() as session:
        create_patient(session, "Njeri")
