"""The limits of a ward and of the site: read by everybody there, set by an administrator."""

import re
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import layers
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import held, judge, post

WARD, SITE = "/ward/a/limits/change", "/admin/settings/limits"


@pytest.fixture
def ada(site: Site, people: People) -> CheckedClient:
    """The administrator, who has just given the password."""
    site.client.sign_in(people.ada, PASSWORD)
    return site.client


def fields(browser: CheckedClient, path: str) -> dict[str, Any]:
    """The form as it stands on the page."""
    page = browser.get(path).get_data(as_text=True)
    found: dict[str, Any] = dict(re.findall(r'<input id="(\w+-\w+)"[^>]* value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="(\w+-priority)"[^>]*>(.*?)</select>', page):
        found[name] = re.search(r'value="(\w+)" selected', options)[1]  # type: ignore[index]
    found["seen"] = re.search(r'name="seen" value="(\d+)"', page)[1]  # type: ignore[index]
    return found


def lows(*worn: Any) -> list[float | None]:
    with db.transaction(read_only=True) as session:
        found = layers.limits_of(session, [w.patient_id for w in worn], now=clock.now())
    return [found[w.patient_id].by_vital["oxygen_saturation"].low for w in worn]


@pytest.mark.parametrize(
    ("path", "after", "expected"), [(WARD, "/ward/a/limits", [88, 90]), (SITE, SITE, [88, 88])]
)
def test_they_are_checked_with_a_replay_then_set(
    site: Site, cast: Cast, ada: CheckedClient, path: str, after: str, expected: list[float]
) -> None:
    post(site, cast.achieng.key, held("oxygen_saturation", 88, seconds=60))
    judge()
    sent = {**fields(ada, path), "oxygen_saturation-low": "88", "reason": "Johns Hopkins, 2011"}
    check = ada.submit(path, sent)
    assert check.status_code == 200
    shown = check.get_data(as_text=True)
    for words in (
        "<b>88</b>",
        "<b>0</b> alarms of these vitals with the new",
        "1 alarm with the limits of now",
    ):
        assert words in shown, words
    assert lows(cast.achieng, cast.chebet) == [90, 90]
    saved = ada.submit(path, {**sent, "confirmed": "yes"})
    assert (saved.status_code, saved.headers["Location"]) == (303, f"{after}?saved=1")
    assert lows(cast.achieng, cast.chebet) == expected
    page = ada.get(after).get_data(as_text=True)
    for words in ("Ada", "“Johns Hopkins, 2011”", "Change 1"):
        assert words in page, words
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'limits.changed'")[0] == 1


def test_what_cannot_be_set_is_said_and_a_reason_is_always_needed(cast: Cast, ada: CheckedClient) -> None:
    sent = {**fields(ada, WARD), "oxygen_saturation-low": "70", "confirmed": "yes"}
    answer = ada.submit(WARD, sent)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'href="#reason"' in page
    assert 'href="#oxygen_saturation-low_critical"' in page
    assert lows(cast.achieng) == [90]


def test_what_a_patient_has_of_their_own_is_not_touched_by_the_ward(
    site: Site, cast: Cast, people: People, ada: CheckedClient
) -> None:
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    own = f"/patients/{cast.achieng.patient_id}/limits"
    sent = {**fields(browser, own), "oxygen_saturation-low": "86", "reason": "COPD", "lasts": "24"}
    assert browser.submit(own, {**sent, "confirmed": "yes"}).status_code == 303
    sent = {**fields(ada, WARD), "oxygen_saturation-low": "92", "reason": "Winter", "confirmed": "yes"}
    assert ada.submit(WARD, sent).status_code == 303
    assert lows(cast.achieng, cast.baraka) == [86, 92]


def test_a_caregiver_reads_and_does_not_change(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/ward/a/limits")
    assert page.status_code == 200
    assert "An administrator changes the limits of a ward." in page.get_data(as_text=True)
    assert site.client.get(WARD).status_code == 403
    assert site.client.submit(WARD, {"reason": "x"}).status_code == 403
    assert site.client.get("/ward/b/limits").status_code == 404


@pytest.mark.parametrize("path", [WARD, SITE])
def test_an_empty_form_is_sent_back_and_changes_nothing(
    site: Site, cast: Cast, ada: CheckedClient, path: str
) -> None:
    answer = ada.submit(path, {})
    assert answer.status_code == 422
    assert lows(cast.achieng, cast.chebet) == [90, 90]
