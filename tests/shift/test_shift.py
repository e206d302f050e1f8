"""My patients this shift, and the round: whose they are, in which order, at what cost."""

import re
from datetime import timedelta

from silverwatch import clock
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import accept, actor_of, join
from tests.jobs.posting import judge, post
from tests.shift.ward import add_task, counted, fill, score


def beds_of(page: str) -> list[str]:
    """The beds of the rows, in order."""
    return re.findall(
        r'<li class="(?:shift-row|round-item)[^>]*>.*?<span class="bed-no"><small>[^<]*</small>([^<]+)',
        page,
        re.S,
    )


def test_the_whole_ward_until_somebody_takes_a_bed(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    page = amina.get("/shift").get_data(as_text=True)
    assert beds_of(page) == ["A1", "A2"]
    assert "the whole ward is yours" in page
    assert "Nobody has accepted duty" in page
    amina.submit("/shift/beds", {"take": str(cast.baraka.bed_id)})
    page = amina.get("/shift").get_data(as_text=True)
    assert beds_of(page) == ["A2"]
    assert "1 bed is nobody" in page
    accept(actor_of(people.amina), cast.achieng.ward_id)
    assert "On duty: Amina" in amina.get("/shift").get_data(as_text=True)


def test_who_has_no_bed_is_told_what_to_do(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    nia = join("Nia", cast.achieng.ward_id)
    other = site.browser()
    other.sign_in("nia@a.example", "correct horse battery")
    other.submit("/shift/beds", {"take": f"{cast.achieng.bed_id},{cast.baraka.bed_id}"})
    page = amina.get("/shift").get_data(as_text=True)
    assert "Nobody is allocated to you." in page
    beds = amina.get("/shift/beds").get_data(as_text=True)
    assert "Take over all beds of Nia" in beds
    taken = amina.submit("/shift/beds", {"take": str(cast.achieng.bed_id)})
    assert taken.status_code == 409
    both = str(cast.achieng.bed_id)
    assert amina.submit("/shift/beds", {"take": both, "seen": both}).status_code == 303
    assert site.row(
        "SELECT count(*) FROM allocation WHERE account_id = %s AND ended_at IS NULL", nia.account_id
    ) == (1,)


def test_what_is_due_first_comes_first(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    now = clock.now()
    score(site, cast.achieng.patient_id, total=1, risk="low", set_at=now - timedelta(hours=1))  # due in 3 h
    score(site, cast.baraka.patient_id, total=8, risk="high", set_at=now - timedelta(hours=1))  # overdue
    assert beds_of(amina.get("/shift").get_data(as_text=True)) == ["A2", "A1"]
    add_task(actor_of(people.amina), cast.achieng.patient_id, "Turn", due=-timedelta(hours=2))
    page = amina.get("/shift").get_data(as_text=True)
    assert beds_of(page) == ["A1", "A2"]
    round_page = amina.get("/rounds").get_data(as_text=True)
    assert beds_of(round_page) == ["A1", "A2", "A1"]
    assert round_page.index("Now and overdue") < round_page.index(">Turn<") < round_page.index("Until ")
    assert beds_of(amina.get("/rounds/a").get_data(as_text=True)) == ["A1", "A2", "A1"]
    assert amina.get("/rounds/b").status_code == 404


def test_an_alarm_stands_in_its_row_and_leads_back(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72})])
    judge()
    page = amina.get("/shift").get_data(as_text=True)
    alert_id = site.row("SELECT id FROM alert WHERE closed_at IS NULL")[0]
    assert f'id="ack-shift-{alert_id}"' in page
    assert 'class="shift-row high"' in page
    assert 'name="next" value="/shift"' in page


def test_looking_leaves_one_row_of_the_audit_and_takes_as_many_statements_for_more_beds(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    actor = actor_of(people.amina)
    costs = {}
    for beds in (5, 25):
        fill(cast.achieng.ward_id, beds - 2 if beds == 5 else 20, first=beds * 10)
        add_task(actor, cast.achieng.patient_id)
        for path in ("/shift", "/rounds", "/rounds/a", "/shift/beds", "/patients"):
            amina.get(path)
            with counted() as found:
                assert amina.get(path).status_code == 200
            costs.setdefault(path, []).append(len(found))
    assert all(small == large for small, large in costs.values()), costs
    assert max(max(cost) for cost in costs.values()) <= 28, costs
    assert site.rows(
        "SELECT detail->>'view', count(*) FROM audit_entry WHERE action = 'record.viewed' GROUP BY 1 ORDER BY 1"
    ) == [("beds", 2), ("patients", 2), ("rounds", 4), ("shift", 2)]
