"""The page on which a patient's own alarm limits are set."""

import re
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import layers
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import held, judge, post

LOOSER = {
    "oxygen_saturation-low": "86",
    "oxygen_saturation-low_critical": "82",
    "reason": "COPD",
    "lasts": "24",
}


@pytest.fixture
def amina(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward A."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


def page_of(cast: Cast) -> str:
    return f"/patients/{cast.achieng.patient_id}/limits"


def fields(browser: CheckedClient, path: str) -> dict[str, Any]:
    """The form as it stands on the page."""
    page = browser.get(path).get_data(as_text=True)
    found = dict(re.findall(r'<input id="(\w+-\w+)"[^>]* value="([^"]*)"', page))
    found |= dict.fromkeys(re.findall(r'<select id="(\w+-priority)"', page), "medium")
    found |= {"diastolic_bp-priority": "low", "mean_bp-priority": "low"}
    found["seen"] = re.search(r'name="seen" value="(\d+)"', page)[1]  # type: ignore[index]
    return found


def low_of(cast: Cast) -> float | None:
    with db.transaction(read_only=True) as session:
        found = layers.limits_of(session, [cast.achieng.patient_id], now=clock.now())
    return found[cast.achieng.patient_id].by_vital["oxygen_saturation"].low


def test_limits_are_checked_then_saved_and_known_with_who_and_why(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    post(site, cast.achieng.key, held("oxygen_saturation", 88, seconds=60))
    judge()
    path = page_of(cast)
    check = amina.submit(path, {**fields(amina, path), **LOOSER})
    shown = check.get_data(as_text=True)
    assert check.status_code == 200
    for words in ("Check before you save", "SpO₂</b> Low 90", "<b>86</b>", "COPD", "Looser than the ward",
                  "<b>0</b> alarms of these vitals with the new limits", "1 alarm with the limits of now"):  # fmt: skip
        assert words in shown, words
    assert low_of(cast) == 90
    saved = amina.submit(path, {**fields(amina, path), **LOOSER, "confirmed": "yes"})
    assert (saved.status_code, saved.headers["Location"]) == (303, f"{path}?saved=1")
    assert low_of(cast) == 86
    page = amina.get(path).get_data(as_text=True)
    for words in ("(otherwise 90)", "Amina", "“COPD”", "Change 1", "stands", "Back to the ward's"):
        assert words in page, words
    card = amina.get(f"/patients/{cast.achieng.patient_id}").get_data(as_text=True)
    assert "Alarm limits" in card
    assert '<span class="chip of-patient">own</span>' in card
    noted = site.row("SELECT detail->'changes' FROM audit_entry WHERE action = 'limits.changed'")[0]
    # The audit keeps numbers as text, so that what is sealed is the same for ever.
    assert [(line["cell"], float(line["before"]), float(line["after"])) for line in noted] == [
        ("low_critical", 80, 82), ("low", 90, 86),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"reason": ""}, "reason"),
        ({"lasts": ""}, "lasts"),
        ({"oxygen_saturation-low": ""}, "oxygen_saturation-low"),
        ({"oxygen_saturation-low": "eighty"}, "oxygen_saturation-low"),
        ({"oxygen_saturation-low": "nan"}, "oxygen_saturation-low"),
        ({"oxygen_saturation-low": "1e999"}, "oxygen_saturation-low"),
        ({"oxygen_saturation-low": "82"}, "oxygen_saturation-low_critical"),
        ({"heart_rate-high": "51", "heart_rate-low": "50"}, "heart_rate-high"),
        ({"heart_rate-delay_s": "45"}, "heart_rate-delay_s"),
        ({"heart_rate-priority": "loud"}, "heart_rate-priority"),
        ({"reason": "x" * 300}, "reason"),
    ],
)
def test_what_cannot_be_set_is_said_at_its_field(
    cast: Cast, amina: CheckedClient, wrong: dict[str, str], at: str
) -> None:
    path = page_of(cast)
    answer = amina.submit(path, {**fields(amina, path), **LOOSER, **wrong, "confirmed": "yes"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'href="#{at}"' in page
    assert f'id="{at}-error"' in page
    assert low_of(cast) == 90


def test_nothing_new_and_somebody_faster_are_said(cast: Cast, amina: CheckedClient) -> None:
    path = page_of(cast)
    nothing = amina.submit(path, {**fields(amina, path), "reason": "Why not"})
    assert nothing.status_code == 422
    assert "Nothing would change" in nothing.get_data(as_text=True)
    stale = fields(amina, path)
    amina.submit(path, {**stale, **LOOSER, "confirmed": "yes"})
    second = amina.submit(path, {**stale, **LOOSER, "oxygen_saturation-low": "87", "confirmed": "yes"})
    assert second.status_code == 422
    assert "Somebody else has changed these limits" in second.get_data(as_text=True)
    assert low_of(cast) == 86


def test_switched_off_shows_a_crossed_bell_here_and_on_the_board(cast: Cast, amina: CheckedClient) -> None:
    path = page_of(cast)
    off = {"heart_rate-high-off": "yes", "reason": "Palliative", "lasts": "24", "confirmed": "yes"}
    assert amina.submit(path, {**fields(amina, path), **off}).status_code == 303
    assert 'id="heart_rate-high-off" name="heart_rate-high-off" value="yes" checked' in amina.get(
        path
    ).get_data(as_text=True)
    assert "alarm limit off" in amina.get("/ward/a").get_data(as_text=True)
    assert 'class="limit-off"' in amina.get(f"/patients/{cast.achieng.patient_id}").get_data(as_text=True)


def test_undo_shows_the_wards_limits_and_an_old_change_can_be_set_again(
    cast: Cast, amina: CheckedClient
) -> None:
    path = page_of(cast)
    amina.submit(path, {**fields(amina, path), **LOOSER, "confirmed": "yes"})
    undone = amina.submit(path, {**fields(amina, path), "undo": "oxygen_saturation"})
    assert undone.status_code == 200
    assert (
        'name="oxygen_saturation-low" inputmode="decimal" autocomplete="off" value="90"'
        in undone.get_data(as_text=True)
    )
    back = {**fields(amina, path), "oxygen_saturation-low": "90", "oxygen_saturation-low_critical": "80"}
    assert amina.submit(path, {**back, "reason": "Better", "confirmed": "yes"}).status_code == 303
    assert low_of(cast) == 90
    assert fields(amina, f"{path}?from=1")["oxygen_saturation-low"] == "86"
    for nonsense in ("x", "99", "-1", "1" * 40, "%00"):
        assert amina.get(f"{path}?from={nonsense}").status_code == 200


def test_who_looks_in_an_emergency_reads_and_sets_nothing(site: Site, cast: Cast, people: People) -> None:
    browser = site.browser()
    browser.sign_in(people.bruno, PASSWORD)
    path = page_of(cast)
    assert browser.get(path).status_code == 404
    now = clock.now()
    account = site.row("SELECT id FROM account WHERE email = %s", people.bruno)[0]
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO emergency_access (id, account_id, patient_id, reason, begun_at, ends_at)"
            " VALUES (%s, %s, %s, 'Cardiac arrest in ward A', %s, %s + interval '1 hour')",
            (clock.new_id(), account, cast.achieng.patient_id, now, now),
        )
    page = browser.get(path)
    assert page.status_code == 200
    assert "Limits are set by caregivers" in page.get_data(as_text=True)
    assert browser.submit(path, LOOSER).status_code == 404
