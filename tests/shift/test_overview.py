"""Wards beside each other: figures only, the worst first, one's own only."""

import re
from datetime import timedelta

from silverwatch import clock, db
from silverwatch.domain.alerts import overview
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.duty.crew import accept, actor_of
from tests.jobs.posting import judge, post
from tests.shift.ward import counted, fill, score


def wards_of(people: People, who: str) -> list[overview.WardSummary]:
    """What somebody sees."""
    account = actor_of(getattr(people, who)).account_id
    with db.transaction() as session:
        return list(overview.overviews(session, [account], clock.now())[account].wards)


def test_what_nobody_has_taken_comes_first(site: Site, cast: Cast, people: People) -> None:
    now = clock.now()
    assert [ward.slug for ward in wards_of(people, "ada")] == ["a", "b"]
    score(site, cast.chebet.patient_id, total=8, risk="high", set_at=now - timedelta(hours=2))
    a, b = sorted(wards_of(people, "ada"), key=lambda ward: ward.slug)
    assert (b.score, b.score_bed, b.overdue, b.without_set) == (8, "B1", 1, 0)
    assert (a.score, a.overdue, a.without_set, a.patients, a.free) == (None, 0, 2, 2, 0)
    assert [ward.slug for ward in wards_of(people, "ada")] == ["b", "a"]
    post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72})])
    judge()
    first = wards_of(people, "ada")[0]
    assert (first.slug, first.high, first.untaken_high) == ("a", 1, 1)
    assert [ward.slug for ward in wards_of(people, "amina")] == ["a"]
    assert [ward.slug for ward in wards_of(people, "patience")] == []


def test_the_page_names_nobody_but_who_is_on_duty(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.ada, PASSWORD)
    page = site.client.get("/wards").get_data(as_text=True)
    assert page.count("Nobody has accepted duty") == 2
    assert not re.search("achieng|baraka|chebet", page, re.I)
    accept(actor_of(people.amina), cast.achieng.ward_id)
    page = site.client.get("/wards").get_data(as_text=True)
    assert page.count("Nobody has accepted duty") == 1
    assert "Amina" in page


def test_more_beds_take_no_more_statements(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.ada, PASSWORD)
    site.client.get("/wards")
    costs = []
    for beds in (3, 20):
        fill(cast.achieng.ward_id, beds, first=beds * 10)
        with counted() as found:
            assert site.client.get("/wards").status_code == 200
        costs.append(len(found))
    assert costs[0] == costs[1] <= 20, costs
