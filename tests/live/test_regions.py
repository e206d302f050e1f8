"""The law of regions without a browser: the page holds them, their address answers them, a push sends them."""

import re
from datetime import datetime
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.live.regions import ALL, Region, parse
from silverwatch.web.audience import Audience
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post

NURSE = Audience("caregiver", may_take_alarms=True)


def without_ages(markup: str) -> str:
    """A fragment without the texts that time alone changes."""
    return re.sub(r"(<time (?:class=\"age\" )?data-(?:age|since)[^>]*>)[^<]*", r"\1", markup).strip()


def pushed(region: Region, subject_id: UUID, now: datetime) -> str:
    """What the hub would send."""
    with db.transaction(read_only=True) as session:
        view = region.load(session, [subject_id], now)[subject_id]
    return region.draw(view, audience=NURSE, now=now)


@pytest.mark.parametrize("name", ALL)
def test_page_address_and_push_are_the_same(site: Site, cast: Cast, people: People, name: str) -> None:
    post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72, "heart_rate": 80})])
    judge()
    region = ALL[name]
    subject_id = cast.achieng.bed_id if region.subject == "bed" else cast.achieng.ward_id
    site.client.sign_in(people.amina, PASSWORD)
    page = without_ages(site.client.get("/ward/a").get_data(as_text=True))
    url = region.url.replace("<uuid:subject_id>", str(subject_id))
    fragment = without_ages(site.client.get(url).get_data(as_text=True))
    assert f'id="{region.dom_id(subject_id)}" data-region-url="{url}"' in fragment
    assert fragment == without_ages(pushed(region, subject_id, clock.now()))
    assert fragment in page
    assert parse(region.dom_id(subject_id)) == (name, subject_id)


@pytest.mark.parametrize("name", ALL)
def test_a_region_of_another_ward_is_as_missing_as_none(
    site: Site, cast: Cast, people: People, name: str
) -> None:
    region = ALL[name]
    theirs = cast.chebet.bed_id if region.subject == "bed" else cast.chebet.ward_id
    site.client.sign_in(people.amina, PASSWORD)
    answers = [
        site.client.get(region.url.replace("<uuid:subject_id>", str(subject)))
        for subject in (theirs, clock.new_id())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data
