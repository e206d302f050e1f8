"""An alarm on the board, from the reading to the acknowledgement."""

from silverwatch import clock, db
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def raised(site: Site, cast: Cast) -> str:
    """An open high alert of Achieng."""
    post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72})])
    judge()
    return str(site.row("SELECT id FROM alert WHERE closed_at IS NULL")[0])


def test_acknowledging_without_script_and_with(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast)
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/ward/a").get_data(as_text=True)
    assert f'formaction="/alerts/{alert_id}/acknowledgement"' in page
    assert "(1 HIGH)" in page
    answer = site.client.submit(f"/alerts/{alert_id}/acknowledgement")
    assert (answer.status_code, answer.location) == (303, "/ward")
    again = site.client.submit(f"/alerts/{alert_id}/acknowledgement", headers=PARTIAL)
    assert again.status_code == 200
    text = again.get_data(as_text=True)
    for name, subject in (
        ("tile", cast.achieng.bed_id),
        ("alarm-bar", cast.achieng.ward_id),
        ("counts", cast.achieng.ward_id),
    ):
        assert f'<hx-partial hx-target="#{name}-{subject}" hx-swap="outerMorph">' in text
    assert "Amina" in text
    assert site.row("SELECT count(*) FROM acknowledgement")[0] == 1


def test_a_stranger_cannot_take_an_alarm(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast)
    for email, status in (
        (people.bruno, 404),
        (people.tekla, 403),
        (people.patience, 403),
        (people.ada, 403),
    ):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert browser.submit(f"/alerts/{alert_id}/acknowledgement").status_code == status
    assert site.row("SELECT count(*) FROM acknowledgement")[0] == 0


def test_a_latched_alarm_closes_when_it_is_taken_and_a_new_breach_is_new(
    site: Site, cast: Cast, people: People
) -> None:
    alert_id = raised(site, cast)
    post(site, cast.achieng.key, [(0.3, {"oxygen_saturation": 97})], until=clock.now())
    with db.transaction() as session:
        session.execute(db.text("UPDATE alert SET ended_at = now()"))
    site.client.sign_in(people.amina, PASSWORD)
    site.client.submit(f"/alerts/{alert_id}/acknowledgement")
    assert site.row("SELECT closed_as FROM alert")[0] == "acknowledged"


def test_resolving_a_condition_that_is_true_is_refused(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast)
    site.client.sign_in(people.amina, PASSWORD)
    assert site.client.submit(f"/alerts/{alert_id}/resolution").status_code == 422


def test_a_fall_is_done_when_a_person_says_so(site: Site, cast: Cast, people: People) -> None:
    at = clock.now().isoformat()
    body = {"readings": [], "events": [{"at": at, "kind": "fall"}]}
    site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {cast.achieng.key}"})
    judge()
    alert_id = site.row("SELECT id FROM alert WHERE kind = 'fall'")[0]
    site.client.sign_in(people.amina, PASSWORD)
    assert "Fall" in site.client.get("/ward/a").get_data(as_text=True)
    assert site.client.submit(f"/alerts/{alert_id}/resolution").status_code == 303
    assert site.row("SELECT closed_as FROM alert")[0] == "resolved"


def test_observations_complete_the_score(site: Site, cast: Cast, people: People) -> None:
    worn = cast.achieng
    post(site, worn.key, [(1, {"heart_rate": 80, "respiratory_rate": 16, "oxygen_saturation": 97})])
    site.client.sign_in(people.amina, PASSWORD)
    url = f"/patients/{worn.patient_id}/observations"
    assert site.client.get(f"{url}/new").status_code == 200
    empty = site.client.submit(url)
    assert empty.status_code == 422
    assert "Enter at least one value" in empty.get_data(as_text=True)
    wrong = site.client.submit(url, {"temperature": "99", "consciousness": "A"})
    assert wrong.status_code == 422
    assert 'value="99"' in wrong.get_data(as_text=True)
    fields = {
        "form_id": str(clock.new_id()), "measured_at": clock.now().isoformat(), "consciousness": "A",
        "supplemental_oxygen": "0", "systolic_bp": "121", "diastolic_bp": "78", "temperature": "36,8",
    }  # fmt: skip
    for _ in range(2):
        assert site.client.submit(url, fields).status_code == 303
    assert site.row("SELECT count(*) FROM reading WHERE source_kind = 'manual'")[0] == 1
    judge()
    assert site.row("SELECT news->>'score' FROM judge_state WHERE patient_id = %s", worn.patient_id)[0] == "0"


def test_the_board_takes_few_statements(site: Site, cast: Cast, people: People) -> None:
    from sqlalchemy import event

    site.client.sign_in(people.amina, PASSWORD)
    seen: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    # Two are for the counts in the rail. The first look is a row of the audit, the second one is the same look.
    for allowed in (22, 19):
        seen.clear()
        assert site.client.get("/ward/a").status_code == 200
        queries = [text for text in seen if not text.startswith("SET")]
        assert len(queries) <= allowed, queries
