"""What of the inbox is shown is a choice of the screen: it hides rows, it says how many, and it silences nothing."""

import re
from datetime import timedelta

import pytest

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.inbox.alarms import raised
from tests.inbox.test_inbox import HTMX, text_of


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """A caregiver of ward A with four alarms in it, signed in."""
    a, b = cast.achieng, cast.baraka
    raised(site, a, "oxygen_saturation_low", priority="high", value=84, limit=88)
    raised(site, a, "fall", priority="high")
    raised(site, b, "temperature_high", value=39.2, limit=38.5)
    raised(site, b, "device_silent", technical=True, priority="low", vital=None)
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("priority=medium", "3 hidden by filter, 2 of them high"),
        ("priority=high", "2 hidden by filter"),
        ("kind=calls", "3 hidden by filter, 1 of them high"),
        ("kind=technical", "3 hidden by filter, 2 of them high"),
        ("kind=values&priority=high", "3 hidden by filter, 1 of them high"),
        ("kind=nonsense&priority=x&bed=1", None),
    ],
)
def test_what_is_hidden_is_counted(amina: CheckedClient, query: str, words: str | None) -> None:
    page = amina.get(f"/alerts?{query}").get_data(as_text=True)
    said = text_of(page)
    if words is None:
        assert "hidden by filter" not in said
        assert "filter.css" not in page
    else:
        assert words in said
        assert "Show all" in said
    # The list is whole: the sound, the title and what is pushed do not depend on who looks.
    assert page.count('data-state="new"') >= 4


def test_page_and_fragment_are_one_thing_whatever_is_filtered(amina: CheckedClient, cast: Cast) -> None:
    fragment = amina.get(f"/wards/{cast.achieng.ward_id}/alarm-list", headers=HTMX).get_data(as_text=True)
    rows = fragment.split("<li ")[1:]
    assert len(rows) == 4
    page = amina.get("/alerts?priority=low").get_data(as_text=True)
    for row in rows:
        mark = row.split('data-row="')[1].split('"')[0]
        assert f'data-row="{mark}"' in page
    assert {row.split('data-family="')[1].split('"')[0] for row in rows} == {"values", "calls", "technical"}


def test_the_style_sheet_hides_what_is_not_asked_for(amina: CheckedClient, cast: Cast) -> None:
    bed = cast.achieng.bed_id
    answer = amina.get(f"/alerts/filter.css?priority=high&kind=calls&bed={bed}")
    assert answer.content_type == "text/css; charset=utf-8"
    chosen = f'[data-priority="high"][data-family="calls"][data-bed="{bed}"]'
    assert f".alarm-row:not({chosen})" in answer.get_data(as_text=True)
    evil = amina.get("/alerts/filter.css?priority=%22%5D%7D*%7Bdisplay:none&bed=*").get_data(as_text=True)
    assert "{" not in evil


def test_the_first_of_those_that_are_shown_is_opened(amina: CheckedClient, cast: Cast) -> None:
    page = amina.get(f"/alerts?bed={cast.baraka.bed_id}").get_data(as_text=True)
    hero = page.split('class="hero')[1].split("</header>")[0]
    assert "Temp" in text_of(hero)


def test_one_s_own_list_is_kept_on_the_way_to_an_alarm_and_back(
    site: Site, amina: CheckedClient, cast: Cast
) -> None:
    with site.cursor() as cur:
        cur.execute("UPDATE alert SET escalate_at = now() + interval '1 minute' WHERE kind = 'fall'")
    alert_id = site.row("SELECT id FROM alert WHERE kind = 'fall'")[0]
    page = amina.get(f"/alerts/{alert_id}?scope=mine&priority=high").get_data(as_text=True)
    assert 'value="/alerts/' in page
    back = f"/alerts/{alert_id}?scope=mine&priority=high"
    answer = amina.submit(f"/alerts/{alert_id}/escalation", {"next": back})
    assert answer.location == back
    assert 'href="/alerts?scope=mine&amp;priority=high"' in page


def test_escalate_comes_back_by_itself_when_the_undo_is_over(site: Site, amina: CheckedClient) -> None:
    """Both stand in the pane: the one until a moment, the other from that moment on."""
    alert_id = site.row("SELECT id FROM alert WHERE kind = 'fall'")[0]
    with site.cursor() as cur:
        cur.execute("UPDATE alert SET escalate_at = now() + interval '1 minute' WHERE id = %s", (alert_id,))
    amina.submit(f"/alerts/{alert_id}/escalation", {"next": "/alerts"})
    pane = amina.get(f"/alerts/{alert_id}/detail", headers=HTMX).get_data(as_text=True)
    until = pane.split('data-until="')[1].split('"')[0]
    assert f'data-from="{until}"' in pane
    assert int(until) > (clock.now() - timedelta(seconds=5)).timestamp() * 1000


def test_an_alarm_is_opened_with_the_filter_without_scripts_too(amina: CheckedClient) -> None:
    page = amina.get("/alerts?scope=all&priority=high&kind=values").get_data(as_text=True)
    row = next(
        part
        for part in page.split("<li ")
        if 'data-family="values"' in part and 'data-priority="high"' in part
    )
    address = re.search(r'<button class="open" form="filters" formaction="([^"]+)"', row)
    assert address is not None
    # What a browser makes of the form: its own fields and nothing else.
    form = re.search(r'<form class="filters" id="filters" method="get".*?</form>', page, re.S)
    assert form is not None
    assert re.findall(r'name="([^"]+)"', form[0]) == ["scope", "priority", "kind", "bed"]
    opened = amina.get(f"{address[1]}?scope=all&priority=high&kind=values&bed=").get_data(as_text=True)
    assert "hidden by filter" in text_of(opened)
    assert '<option value="high" selected>' in opened
    assert 'href="/alerts?scope=all&amp;priority=high&amp;kind=values&amp;bed="' in opened
