"""What stands above every page of the staff: high alarms of one's wards, and what is wrong with the system itself."""

import re
from collections.abc import Callable

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import parts
from silverwatch.domain.alerts.parts import Part
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.inbox.alarms import raised

STATIC = {"amina": "/patients", "tekla": "/checks", "ada": "/admin/users"}
"""A page without a socket of each role of the staff."""
SAYS = "The scheduler does not answer"


@pytest.fixture
def as_(site: Site, people: People) -> Callable[[str], CheckedClient]:
    """A browser of one of the people."""

    def browser(name: str) -> CheckedClient:
        found = site.browser()
        found.sign_in(getattr(people, name), PASSWORD)
        return found

    return browser


def bar(browser: CheckedClient, path: str) -> str:
    """The bar of the page; empty where it has none."""
    page = browser.get(path).get_data(as_text=True)
    found = re.search(r'<section class="staff-bar".*?</section>', page, re.S)
    return found.group(0) if found else ""


def scheduler(state: parts.State) -> None:
    """The scheduler stops or works again."""
    with db.transaction() as session:
        parts.sound(session, [Part(name=parts.GUARD, state=state, since=clock.now())], now=clock.now())


@pytest.mark.parametrize("name", STATIC)
def test_a_part_that_stopped_stands_above_the_pages_of_everybody_of_the_staff(
    as_: Callable[[str], CheckedClient], name: str
) -> None:
    browser = as_(name)
    assert "standing" not in bar(browser, STATIC[name])
    scheduler("down")
    assert SAYS in bar(browser, STATIC[name])
    scheduler("ok")
    assert "standing" not in bar(browser, STATIC[name])


def test_it_goes_on_standing_when_somebody_has_taken_it(
    site: Site, as_: Callable[[str], CheckedClient]
) -> None:
    scheduler("down")
    (alert_id,) = site.row("SELECT id FROM alert WHERE kind = 'down_guard'")
    amina = as_("amina")
    assert amina.submit(f"/alerts/{alert_id}/acknowledgement").status_code == 303
    for name, path in STATIC.items():
        found = bar(as_(name), path)
        assert SAYS in found
        assert "✓ Amina" in found
        assert 'data-state="acknowledged"' in found
    # It is not counted among what somebody has to take.
    assert 'class="alarm-badge" ' in amina.get("/patients").get_data(as_text=True)
    assert "(1 HIGH)" not in amina.get("/patients").get_data(as_text=True)


def test_whoever_takes_no_alarms_sees_none_of_a_patient_or_a_ward(
    site: Site, cast: Cast, as_: Callable[[str], CheckedClient]
) -> None:
    raised(site, cast.achieng, "oxygen_saturation_low", priority="high", value=70, limit=80)
    raised(site, cast.achieng, "nobody_on_duty", priority="high", subject="system", subject_id=cast.achieng.ward_id,
           patient_id=None, technical=True)  # fmt: skip
    amina = bar(as_("amina"), "/patients")
    assert "70%" in amina
    assert "Nobody is on duty" in amina
    assert f'href="/alerts/{site.row("SELECT id FROM alert WHERE NOT technical")[0]}"' in amina
    for name in ("tekla", "ada"):
        assert "standing" not in bar(as_(name), STATIC[name])


def test_who_may_open_no_alarm_gets_no_link_to_one(as_: Callable[[str], CheckedClient]) -> None:
    scheduler("down")
    assert 'href="/alerts/' in bar(as_("amina"), "/patients")
    for name in ("tekla", "ada"):
        assert "href=" not in bar(as_(name), STATIC[name])


def test_a_page_without_a_socket_renews_what_stands_above_it(as_: Callable[[str], CheckedClient]) -> None:
    for name, path in STATIC.items():
        page = as_(name).get(path).get_data(as_text=True)
        assert "js/renewed.js" in page
        assert 'id="renewal-lost"' in page
    assert "js/renewed.js" not in as_("amina").get("/shift").get_data(as_text=True)
