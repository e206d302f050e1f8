"""Administrators review what was opened in an emergency."""

import re
from datetime import timedelta

from silverwatch import clock, db
from silverwatch.domain.accounts import emergency
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site

NOWHERE = "01900000-0000-7000-8000-000000000000"
REASON = "Cardiac arrest in the corridor, team called"


def test_administrators_review(site: Site, cast: Cast, people: People) -> None:
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", cast.achieng.patient_id)[0]
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    ada = site.browser()
    ada.sign_in(people.ada, PASSWORD)
    assert "Nothing to review." in ada.get("/admin/emergencies").get_data(as_text=True)
    bruno.submit("/emergency-access", {"hospital_number": number, "reason": REASON, "password": PASSWORD})
    bruno.get(f"/patients/{cast.achieng.patient_id}")
    page = ada.get("/admin/emergencies").get_data(as_text=True)
    assert REASON in page
    assert number in page
    assert "1 row in the audit" in page
    assert "ACHIENG" not in page
    action = re.search(r'action="(/admin/emergencies/[^"]+/review)"', page)
    assert action is not None
    long = ada.submit(action[1], {"note": "x" * 501})
    assert long.status_code == 422
    assert "at most 500 characters" in long.get_data(as_text=True)
    assert ada.submit(action[1], {"note": "Spoke with him.\0"}).location == "/admin/emergencies"
    assert ada.submit(action[1]).status_code == 303
    reviewed = site.rows("SELECT outcome, detail FROM audit_entry WHERE action = 'emergency.reviewed'")
    assert reviewed == [("done", {"note": "Spoke with him."})]
    page = ada.get("/admin/emergencies").get_data(as_text=True)
    assert "Nothing to review." in page
    assert "Ada" in page
    assert ada.submit(f"/admin/emergencies/{NOWHERE}/review").status_code == 404
    assert bruno.submit(action[1]).status_code == 403
    for query in ("?before=x", f"?before={NOWHERE}", "?before=%00"):
        assert ada.get(f"/admin/emergencies{query}").status_code == 200


def test_reviewed_ones_are_paged(site: Site, cast: Cast, people: People) -> None:
    ada = site.browser()
    ada.sign_in(people.ada, PASSWORD)
    now = clock.now()
    with db.transaction() as session:
        bruno = site.row("SELECT id FROM account WHERE email = %s", people.bruno)[0]
        for number in range(25):
            at = now - timedelta(days=2)
            access = emergency.EmergencyAccess(
                id=clock.new_id(), account_id=bruno, begun_at=at, ends_at=at, ended_at=at
            )
            access.patient_id, access.reason = cast.achieng.patient_id, f"Reason {number} of many"
            access.reviewed_at, access.reviewed_by = at, bruno
            session.add(access)
    first = ada.get("/admin/emergencies").get_data(as_text=True)
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = ada.get(older[1]).get_data(as_text=True)
    seen = re.findall(r"Reason (\d+) of many", first + second)
    assert [int(number) for number in seen] == list(range(24, -1, -1))
