"""The law of regions without a browser: the page holds them, their address answers them, a push sends them."""

import re
from datetime import datetime
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import GRANTS, Actor, Role
from silverwatch.domain.devices import pairing, pairing_codes
from silverwatch.live.region import Region
from silverwatch.live.regions import ALL, parse
from silverwatch.web.audience import Audience
from tests.cast import PASSWORD, Cast, People, Worn
from tests.conftest import Site
from tests.jobs.posting import judge, post

NURSE = Audience("caregiver", may_take_alarms=True)


def subject_of(region: Region, worn: Worn, site: Site) -> UUID:
    """The id of what the region is about, for this patient."""
    match region.subject:
        case "bed":
            return worn.bed_id
        case "ward":
            return worn.ward_id
        case "patient":
            return worn.patient_id
        case "alert":
            return site.rows("SELECT id FROM alert WHERE patient_id = %s ORDER BY id", worn.patient_id)[0][0]
        case "pairing":
            return pairing_of(worn, site)
        case "account":
            mine, theirs = (
                ("amina@a.example", "bruno@b.example")
                if for_caregivers(region)
                else ("tekla@a.example", "ada@site.example")
            )
            email = mine if worn.serial == "SW-1" else theirs
            return site.row("SELECT id FROM account WHERE email = %s", email)[0]


def pairing_of(worn: Worn, site: Site) -> UUID:
    """A code for the device, made by an administrator of its ward."""
    account_id = site.row("SELECT id FROM account WHERE role = 'admin'")[0]
    by = Actor(account_id=account_id, role=Role.ADMIN, name="Ada", ward_ids=frozenset([worn.ward_id]))
    key = pairing_codes.keys_of(site.config)[0]
    with db.transaction() as session:
        made = pairing.begin(session, by=by, device_id=worn.device_id, key=key, now=clock.now())
        return made.id


def for_caregivers(region: Region) -> bool:
    """May a caregiver read it?"""
    return Role.CAREGIVER in GRANTS[region.permission]


def reader_of(region: Region, people: People) -> str:
    """Who of ward A may read it."""
    return people.amina if for_caregivers(region) else people.tekla


def page_of(region: Region, subject_id: UUID) -> str:
    """The page that shows the region: the board unless it is said here."""
    pages = {
        "patient": f"/patients/{subject_id}",
        "alert": f"/alerts/{subject_id}",
        "pairing": f"/pairings/{subject_id}",
    }
    return PAGES.get(region.name) or pages.get(region.subject) or "/ward/a"


PAGES: dict[str, str] = {
    "shift": "/shift",
    "rounds": "/rounds",
    "ward-rounds": "/rounds/a",
    "wards": "/wards",
    "alarm-list": "/alerts",
    "alarm-badge": "/ward/a",
    "notice-badge": "/ward/a",
    "staff-bar": "/profile",
    "notices": "/notices",
    "my-alarms": "/alerts?scope=mine",
    "fleet-counts": "/devices",
    "fleet": "/devices",
    "faults": "/faults",
}
"""Region name to the page that shows it, where its subject does not tell."""


def without_ages(markup: str) -> str:
    """A fragment without the texts that time alone changes."""
    return re.sub(r"(<time (?:class=\"age\" )?data-(?:age|since|left)[^>]*>)[^<]*", r"\1", markup).strip()


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
    subject_id = subject_of(region, cast.achieng, site)
    site.client.sign_in(reader_of(region, people), PASSWORD)
    page = without_ages(site.client.get(page_of(region, subject_id)).get_data(as_text=True))
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
    post(site, cast.chebet.key, [(0.5, {"oxygen_saturation": 72, "heart_rate": 80})])
    judge()
    theirs = subject_of(region, cast.chebet, site)
    site.client.sign_in(reader_of(region, people), PASSWORD)
    answers = [
        site.client.get(region.url.replace("<uuid:subject_id>", str(subject)))
        for subject in (theirs, clock.new_id())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data
