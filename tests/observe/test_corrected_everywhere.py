"""A corrected value, one that is struck out and one that is undone are in all that is made of readings, by name."""

from collections.abc import Callable

import pytest

from silverwatch.jobs import roll_up
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import alerts, judge, post
from tests.jobs.test_roll_ups import right
from tests.observe.test_corrections import CHANGE, HTMX, STRIKE, address, by_hand
from tests.observe.test_undo import undo_address

Correct = Callable[[Site, Cast], None]
SET = {"respiratory_rate": "16", "oxygen_saturation": "97", "supplemental_oxygen": "0", "systolic_bp": "121",
       "heart_rate": "72", "temperature": "36.8"}  # fmt: skip
SLIP = {**SET, "respiratory_rate": "36", "temperature": "41.5"}


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in; Achieng is calm by device for an hour, then a set by hand with two slips."""
    post(site, cast.achieng.key, [(60.0 * n, {"heart_rate": 70}) for n in range(60, 0, -1)])
    site.client.sign_in(people.amina, PASSWORD)
    by_hand(site, cast, **SLIP, consciousness="A")
    judge()
    roll_up.roll_up()
    return site.client


def change(site: Site, cast: Cast) -> None:
    """Both slips are made good."""
    values = {**SET, "consciousness": "A"}
    assert site.client.submit(address(site, cast), {**CHANGE, **values}).status_code == 303


def strike(site: Site, cast: Cast) -> None:
    """It was of another patient."""
    assert site.client.submit(address(site, cast), STRIKE).status_code == 303


def undo(site: Site, cast: Cast) -> None:
    """It was a slip."""
    assert site.client.submit(undo_address(site, cast)).status_code == 303


WAYS = pytest.mark.parametrize("way", [change, strike, undo])


def score(site: Site, cast: Cast) -> str | None:
    """The complete NEWS2 that is known of Achieng."""
    found: str | None = site.row(
        "SELECT news->>'score' FROM judge_state WHERE patient_id = %s", cast.achieng.patient_id
    )[0]
    return found


@WAYS
def test_the_roll_ups(site: Site, cast: Cast, amina: CheckedClient, way: Correct) -> None:
    highest = "SELECT max(temperature_max) FROM rollup_{}"
    assert [site.row(highest.format(unit))[0] for unit in ("minute", "hour")] == [41.5, 41.5]
    way(site, cast)
    judge()
    roll_up.roll_up()
    expected = 36.8 if way is change else None
    assert [site.row(highest.format(unit))[0] for unit in ("minute", "hour")] == [expected, expected]
    assert right(site, cast.achieng.patient_id) >= 59


@WAYS
def test_the_score_and_its_card(site: Site, cast: Cast, amina: CheckedClient, way: Correct) -> None:
    assert score(site, cast) == "5"
    way(site, cast)
    judge()
    assert score(site, cast) == ("0" if way is change else None)
    card = amina.get(f"/patients/{cast.achieng.patient_id}/news2").get_data(as_text=True)
    assert "41.5" not in card
    assert ("No complete set yet" in card) == (way is not change)


@WAYS
def test_the_trend_and_its_table(site: Site, cast: Cast, amina: CheckedClient, way: Correct) -> None:
    table = f"/patients/{cast.achieng.patient_id}/trends?h=4&view=table"
    assert "41.5" in amina.get(table, headers=HTMX).get_data(as_text=True)
    way(site, cast)
    judge()
    after = amina.get(table, headers=HTMX).get_data(as_text=True)
    assert "41.5" not in after
    assert ("36.8" in after) == (way is change)


@WAYS
def test_the_alarms_are_judged_again(site: Site, cast: Cast, amina: CheckedClient, way: Correct) -> None:
    before = alerts(site, cast.achieng.patient_id)
    assert {kind for kind, _, is_open, _ in before if is_open} >= {
        "temperature_high",
        "respiratory_rate_high",
    }
    way(site, cast)
    judge()
    assert [row for row in alerts(site, cast.achieng.patient_id) if row[2]] == []
    assert {row[0] for row in site.rows("SELECT closed_as FROM alert WHERE patient_id IS NOT NULL")} == {
        "withdrawn"
    }


def test_a_correction_to_what_is_worse_raises_the_alarm(site: Site, cast: Cast, amina: CheckedClient) -> None:
    """The other way round: a slip that looked calm hid an alarm."""
    change(site, cast)
    judge()
    values = {**SET, "temperature": "40.9", "consciousness": "A"}
    assert amina.submit(address(site, cast), {**CHANGE, **values, "seen": "1"}).status_code == 303
    judge()
    assert [kind for kind, _, is_open, _ in alerts(site, cast.achieng.patient_id) if is_open] == [
        "temperature_high"
    ]
