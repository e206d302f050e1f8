"""Patients see who opened their record."""

import re
from datetime import timedelta
from unittest.mock import patch

from silverwatch import clock, db
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Role
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site


def portal(site: Site, people: People, query: str = "") -> str:
    """The patient's own page."""
    browser = site.browser()
    browser.sign_in(people.patience, PASSWORD)
    answer = browser.get(f"/portal/access{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_patient_sees_who_opened_the_record_in_plain_words(site: Site, cast: Cast, people: People) -> None:
    nurse = site.browser()
    nurse.sign_in(people.amina, PASSWORD)
    nurse.get("/ward/a")
    nurse.get(f"/patients/{cast.achieng.patient_id}")
    url = f"/patients/{cast.achieng.patient_id}/observations"
    nurse.get(f"{url}/new")
    assert nurse.submit(url, {"heart_rate": "71"}).status_code == 303
    nurse.get(f"/patients/{cast.baraka.patient_id}")
    other = site.browser()
    other.sign_in(people.bruno, PASSWORD)
    other.get("/ward/b")
    other.get(f"/patients/{cast.achieng.patient_id}")
    found = re.findall(r"<p><b>(\w+)</b> ([^<]+)</p>", portal(site, people))
    assert found == [
        ("Amina", "recorded observations"), ("Amina", "looked at your record"), ("Amina", "looked at the ward screen"),
    ]  # fmt: skip
    assert "Nurse or doctor" in portal(site, people)


def test_the_portal_leads_there_and_nobody_else_may(site: Site, people: People) -> None:
    browser = site.browser()
    browser.sign_in(people.patience, PASSWORD)
    assert 'href="/portal/access"' in browser.get("/portal").get_data(as_text=True)
    assert "Nobody opened your record" in portal(site, people)
    for email in (people.amina, people.ada, people.tekla):
        staff = site.browser()
        staff.sign_in(email, PASSWORD)
        assert staff.get("/portal/access").status_code == 403


def test_looks_of_one_day_are_one_line_and_days_are_paged(site: Site, cast: Cast, people: People) -> None:
    ids = [cast.achieng.patient_id, cast.baraka.patient_id]
    account, now = clock.new_id(), clock.now()
    for days, times in ((0, 3), (1, 1), (20, 2), (89, 1), (95, 1)):
        for number in range(times):
            at = now - timedelta(days=days, microseconds=number)
            actor = Actor(account_id=account, role=Role.CAREGIVER, name=f"Day{days}")
            audit.set_who(audit.Who(actor=actor))
            with patch.object(clock, "now", lambda at=at: at), db.transaction() as session:
                audit.record(session, audit.service.VIEW, patient_ids=ids, detail={"view": "ward"})
    audit.set_who(audit.Who())
    first, second, last = (portal(site, people, query) for query in ("", "?page=2", "?page=6"))
    assert re.findall(r"<b>(Day\d+)</b>", first) == ["Day0", "Day1"]
    assert 'href="/portal/access?page=2"' in first
    assert re.findall(r"<b>(Day\d+)</b>", second) == ["Day20"]
    assert re.findall(r"<b>(Day\d+)</b>", last) == ["Day89"]
    assert "page=7" not in last
    for query in ("?page=7", "?page=0", "?page=%00", "?page=" + "9" * 5000, "?page=-1"):
        assert re.findall(r"<b>(Day\d+)</b>", portal(site, people, query)) == ["Day0", "Day1"]
