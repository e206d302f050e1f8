"""Break-glass: a foreign record for a stated reason, an hour at most, known to everybody whom it concerns."""

import re
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.accounts import emergency
from tests.cast import PASSWORD, Cast, People, create_patient
from tests.checked import CheckedClient
from tests.conftest import Site

URL = "/emergency-access"
REASON = "Cardiac arrest in the corridor, team called"
NOWHERE = "01900000-0000-7000-8000-000000000000"


def number_of(site: Site, patient_id: UUID) -> str:
    """The hospital number of a patient."""
    found: str = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
    return found


def audited(site: Site, action: str = "emergency.begun") -> list[tuple[str, dict[str, Any]]]:
    """Outcome and detail of each row of an action."""
    return [tuple(row) for row in site.rows(
        "SELECT outcome, detail FROM audit_entry WHERE action = %s ORDER BY seq", action)]  # fmt: skip


@pytest.fixture
def bruno(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward B."""
    browser = site.browser()
    browser.sign_in(people.bruno, PASSWORD)
    return browser


@pytest.fixture
def fields(site: Site, cast: Cast) -> dict[str, str]:
    """What he enters for a patient of ward A."""
    return {
        "hospital_number": number_of(site, cast.achieng.patient_id),
        "reason": REASON,
        "password": PASSWORD,
    }


def test_the_glass_opens_one_record_and_everybody_learns_of_it(
    site: Site, cast: Cast, people: People, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    path = f"/patients/{cast.achieng.patient_id}"
    assert bruno.get(path).status_code == 404
    answer = bruno.submit(URL, fields)
    assert (answer.status_code, answer.location) == (303, path)
    page = bruno.get(path).get_data(as_text=True)
    assert "ACHIENG, Test" in page
    assert "60 minutes left" in page
    assert bruno.get(f"{path}/observations/new").status_code == 200
    assert bruno.get(f"/patients/{cast.baraka.patient_id}").status_code == 404
    assert bruno.get("/ward/a").status_code == 404
    assert audited(site) == [("done", {"reason": REASON})]
    row = site.row(
        "SELECT patient_ids, account_name, subject FROM audit_entry WHERE action = 'emergency.begun'"
    )
    access_id = site.row("SELECT id FROM emergency_access")[0]
    assert row == ([cast.achieng.patient_id], "Bruno", f"emergency:{access_id}")
    letters = site.rows("SELECT address, subject, body FROM letter")
    assert [letter[0] for letter in letters] == [people.ada]
    assert "Bruno opened the record of a patient of another ward" in letters[0][2]
    assert f"{site.config.base_url}/admin/emergencies" in letters[0][2]
    for secret in ("Achieng", "ACHIENG", REASON, fields["hospital_number"]):
        assert secret not in letters[0][1] + letters[0][2]
    patience = site.browser()
    patience.sign_in(people.patience, PASSWORD)
    own = patience.get("/portal/access").get_data(as_text=True)
    assert "<b>Bruno</b> opened your record in an emergency" in own
    assert REASON in own


def test_the_banner_stands_on_each_page_until_he_ends_it(
    site: Site, cast: Cast, people: People, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    assert "Emergency access" not in bruno.get("/ward/b").get_data(as_text=True)
    bruno.submit(URL, fields)
    for path in ("/ward/b", f"/patients/{cast.chebet.patient_id}", "/profile", URL):
        assert fields["hospital_number"] in bruno.get(path).get_data(as_text=True), path
    end = re.search(r'action="(/emergency-access/[^"]+/end)"', bruno.get("/ward/b").get_data(as_text=True))
    assert end is not None
    other = site.browser()
    other.sign_in(people.amina, PASSWORD)
    assert other.submit(end[1]).status_code == 404
    assert bruno.submit(end[1]).location == "/ward"
    assert bruno.get(f"/patients/{cast.achieng.patient_id}").status_code == 404
    assert fields["hospital_number"] not in bruno.get("/ward/b").get_data(as_text=True)
    assert bruno.submit(end[1]).status_code == 303
    assert audited(site, "emergency.ended") == [("done", {"because": "by hand"})]
    assert bruno.submit(f"/emergency-access/{NOWHERE}/end").status_code == 404


def test_it_ends_by_the_clock(site: Site, cast: Cast, bruno: CheckedClient, fields: dict[str, str]) -> None:
    bruno.submit(URL, fields)
    with site.cursor() as cur:
        cur.execute(
            "UPDATE emergency_access SET begun_at = begun_at - interval '1 hour', ends_at = ends_at - interval '1 hour'"
        )
    assert bruno.get(f"/patients/{cast.achieng.patient_id}").status_code == 404
    assert fields["hospital_number"] not in bruno.get("/ward/b").get_data(as_text=True)
    with db.transaction() as session:
        assert emergency.close_expired(session, now=clock.now()) == 1
    with db.transaction() as session:
        assert emergency.close_expired(session, now=clock.now()) == 0
    assert audited(site, "emergency.ended") == [("done", {"because": "time is over"})]
    assert site.row("SELECT ended_at = ends_at FROM emergency_access") == (True,)
    assert bruno.submit(URL, fields).status_code == 303
    assert site.row("SELECT count(*) FROM emergency_access") == (2,)


def test_what_is_in_scope_breaks_no_glass(
    site: Site, cast: Cast, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    own = {**fields, "hospital_number": number_of(site, cast.chebet.patient_id)}
    assert bruno.submit(URL, own).location == f"/patients/{cast.chebet.patient_id}"
    assert site.row("SELECT count(*) FROM emergency_access") == (0,)
    bruno.submit(URL, fields)
    assert bruno.submit(URL, fields).location == f"/patients/{cast.achieng.patient_id}"
    assert site.row("SELECT count(*) FROM emergency_access") == (1,)
    assert len(audited(site)) == 1
    assert site.row("SELECT count(*) FROM letter") == (1,)


def test_many_at_once_open_one(site: Site, cast: Cast, bruno: CheckedClient, fields: dict[str, str]) -> None:
    account_id = site.row("SELECT account_id FROM login_session")[0]
    actor = Actor(
        account_id=account_id, role=Role.CAREGIVER, name="Bruno", ward_ids=frozenset({cast.chebet.ward_id})
    )
    together = Barrier(6)

    def begin() -> None:
        together.wait()
        with db.transaction() as session:
            emergency.begin(
                session, actor=actor, hospital_number=fields["hospital_number"], reason=REASON, now=clock.now(),
                tell=lambda *_, **__: None,
            )  # fmt: skip

    threads = [Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.row("SELECT count(*) FROM emergency_access") == (1,)
    assert len(audited(site)) == 1


def test_an_unknown_number_is_said_and_audited(
    site: Site, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    for number in ("H-none", "H\0", "x" * 5000, "%", "'; DROP TABLE patient; --"):
        answer = bruno.submit(URL, {**fields, "hospital_number": number})
        assert answer.status_code == 422, number
        assert "There is no patient with this number." in answer.get_data(as_text=True)
    assert audited(site) == [("refused", {"because": "unknown number"})] * 5
    assert site.row("SELECT count(*) FROM letter") == (0,)


def test_a_patient_who_lies_nowhere_can_be_opened(
    site: Site, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    with db.transaction() as session:
        patient = create_patient(session, "Wanjiru")
    answer = bruno.submit(URL, {**fields, "hospital_number": patient.hospital_number})
    page = bruno.get(answer.location).get_data(as_text=True)
    assert "WANJIRU, Test" in page
    assert "In no bed now" in page
    form = f"/patients/{patient.id}/observations"
    assert bruno.get(f"{form}/new").status_code == 200
    assert bruno.submit(form, {"heart_rate": "72"}).location == f"/patients/{patient.id}"
    assert ">72" in bruno.get(answer.location).get_data(as_text=True)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"reason": ""}, "10 to 500 characters"),
        ({"reason": "too short"}, "10 to 500 characters"),
        ({"reason": " " * 40}, "10 to 500 characters"),
        ({"reason": "x" * 501}, "10 to 500 characters"),
        ({"reason": "\0" * 100}, "10 to 500 characters"),
        ({"hospital_number": ""}, "Enter the hospital number"),
        ({"password": ""}, "Enter your password."),
    ],
)
def test_what_is_missing_is_said(
    site: Site, bruno: CheckedClient, fields: dict[str, str], change: dict[str, str], advice: str
) -> None:
    answer = bruno.submit(URL, {**fields, **change})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert advice in page
    assert "<title>Error: Emergency access" in page
    assert PASSWORD not in page
    assert bruno.submit(URL, {}).status_code == 422
    assert site.row("SELECT count(*) FROM emergency_access") == (0,)


def test_a_reason_may_have_lines_and_signs_of_any_kind(
    site: Site, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    assert (
        bruno.submit(URL, {**fields, "reason": "Ünwell <b>{{7*7}}</b>\r\nsecond line \x1b[31m"}).status_code
        == 303
    )
    assert site.row("SELECT reason FROM emergency_access")[0].startswith("Ünwell <b>{{7*7}}</b>\nsecond line")
    assert "\x1b" not in audited(site)[0][1]["reason"]


def test_a_wrong_password_counts_and_is_audited(
    site: Site, people: People, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    wrong = {**fields, "password": "a wrong password"}
    for _ in range(4):
        answer = bruno.submit(URL, wrong)
        assert answer.status_code == 422
        assert "This is not your password." in answer.get_data(as_text=True)
    assert audited(site) == [("refused", {"because": "wrong password"})] * 4
    assert bruno.submit(URL, wrong).location == "/login?because=tries"
    assert bruno.get("/ward/b").status_code == 303
    bruno.sign_in(people.bruno, PASSWORD)
    answer = bruno.submit(URL, fields)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 60
    assert "Too many tries." in answer.get_data(as_text=True)
    assert audited(site)[-1] == ("refused", {"because": "too many tries"})
    assert site.row("SELECT count(*) FROM emergency_access") == (0,)


def test_right_passwords_do_not_use_up_the_tries(
    site: Site, cast: Cast, bruno: CheckedClient, fields: dict[str, str]
) -> None:
    with db.transaction() as session:
        patients = [create_patient(session, f"Otieno{number}") for number in range(7)]
    for patient in patients:
        assert bruno.submit(URL, {**fields, "hospital_number": patient.hospital_number}).status_code == 303
    page = bruno.get("/ward/b").get_data(as_text=True)
    assert all(patient.hospital_number in page for patient in patients)


def test_only_caregivers_break_glass(site: Site, people: People, fields: dict[str, str]) -> None:
    for email in (people.tekla, people.patience, people.ada):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert browser.get(URL).status_code == 403
        assert browser.submit(URL, fields).status_code == 403
