"""Fluids: recorded once, corrected with a reason, added up by the day and by the hour."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from silverwatch import clock, db
from silverwatch.domain.readings import fluids
from silverwatch.web import filters
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


def url(cast: Cast) -> str:
    """The page of Achieng's fluids."""
    return f"/patients/{cast.achieng.patient_id}/fluids"


def add(amina: CheckedClient, cast: Cast, kind: str, ml: int, **more: str) -> Any:
    """Record one entry."""
    return amina.submit(url(cast), {"kind": kind, "ml": str(ml), "form_id": str(uuid4()), **more})


def stored(site: Site) -> list[Any]:
    """What the table says of each entry, the first one first."""
    return site.rows("SELECT kind, ml, what, struck_because FROM fluid ORDER BY entered_at, struck_at")


def summary(cast: Cast) -> fluids.Summary:
    """What the card says."""
    with db.transaction(read_only=True) as session:
        found = fluids.summaries(session, [cast.achieng.patient_id], now=clock.now(), zone=clock.site_zone())
    return found[cast.achieng.patient_id]


def test_what_goes_in_and_out_is_on_the_page_the_card_and_in_the_file(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "Nothing was recorded" in page
    assert "Nothing was recorded in the last 24 hours" in amina.get(
        f"/patients/{cast.achieng.patient_id}"
    ).get_data(as_text=True)
    assert add(amina, cast, "infusion", 500, what="Ringer's lactate").status_code == 303
    assert add(amina, cast, "urine", 320).status_code == 303
    assert add(amina, cast, "oral", 150, what="=Tea").status_code == 303
    assert summary(cast).last_24_h == fluids.Sum(taken=650, lost=320)
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "+330 <small>ml</small>" in page
    assert "Ringer&#39;s lactate" in page
    assert "650 ml went in and 320 ml came out" in page
    assert "+330 <small>ml</small>" in amina.get(f"/patients/{cast.achieng.patient_id}").get_data(
        as_text=True
    )
    lines = amina.get(f"{url(cast)}.csv").get_data(as_text=True).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("at (UTC),direction,kind,what,ml,entered by")
    assert any(",in,oral,Tea,150,Amina" in line for line in lines)
    assert any(",out,urine,,320,Amina" in line for line in lines)
    actions = {row[0] for row in site.rows("SELECT action FROM audit_entry")}
    assert {"fluids.recorded", "fluids.exported"} <= actions


def test_a_form_that_is_sent_twice_is_one_entry(site: Site, cast: Cast, amina: CheckedClient) -> None:
    local = filters.local_minute(clock.now())
    sent = {"kind": "oral", "ml": "200", "form_id": str(uuid4()), "local": local}
    for _ in range(3):
        assert amina.submit(url(cast), sent).status_code == 303
    assert len(stored(site)) == 1
    # Who goes back and writes something else has made another entry.
    assert amina.submit(url(cast), {**sent, "ml": "100"}).status_code == 303
    assert sorted(row[1] for row in stored(site)) == [100, 200]


def test_what_is_wrong_with_the_form(site: Site, cast: Cast, amina: CheckedClient) -> None:
    ahead = filters.local_minute(clock.now() + timedelta(hours=1))
    long_ago = filters.local_minute(clock.now() - timedelta(hours=25))
    for sent, words in (
        ({"kind": "oral", "ml": ""}, "Enter how much in ml"),
        ({"kind": "oral", "ml": "0"}, "Enter how much in ml"),
        ({"kind": "oral", "ml": "-5"}, "Enter how much in ml"),
        ({"kind": "oral", "ml": "10001"}, "Enter how much in ml"),
        ({"kind": "oral", "ml": "٣"}, "Enter how much in ml"),
        ({"kind": "wine", "ml": "100"}, "Choose what went in"),
        ({"kind": "oral", "ml": "100", "local": ahead}, "has not come yet"),
        ({"kind": "oral", "ml": "100", "local": long_ago}, "more than 24 hours"),
        ({"kind": "oral", "ml": "100", "local": "noon"}, "Enter the day and time"),
        ({"kind": "oral", "ml": "100", "what": "x" * 101}, "in 100 characters"),
    ):
        answer = amina.submit(url(cast), sent)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    assert stored(site) == []


def test_an_unusual_amount_is_looked_at_twice(site: Site, cast: Cast, amina: CheckedClient) -> None:
    answer = add(amina, cast, "urine", 3500)
    assert answer.status_code == 422
    assert "3500 ml at once is unusual" in answer.get_data(as_text=True)
    # Looked at again and changed: the new amount is as unusual.
    assert add(amina, cast, "urine", 3600, confirmed="3500").status_code == 422
    assert stored(site) == []
    assert add(amina, cast, "urine", 3500, confirmed="3500").status_code == 303
    assert [row[1] for row in stored(site)] == [3500]


def test_a_correction_keeps_the_original_and_sums_see_what_is_right(
    site: Site, cast: Cast, amina: CheckedClient, people: People
) -> None:
    add(amina, cast, "infusion", 1000)
    add(amina, cast, "urine", 300)
    wrong = site.row("SELECT id FROM fluid WHERE kind = 'infusion'")[0]
    path = f"{url(cast)}/{wrong}/correction"
    assert 'value="1000"' in amina.get(path).get_data(as_text=True)
    change = {
        "change": "changed",
        "because": "Half the bag is left",
        "kind": "infusion",
        "ml": "500",
        "what": "",
    }
    for sent, words in (
        ({**change, "because": ""}, "Say why"),
        ({**change, "change": "x"}, "Choose whether"),
        ({**change, "ml": "1000"}, "says this already"),
        ({**change, "ml": "many"}, "Enter how much"),
    ):
        answer = amina.submit(path, sent)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    assert amina.submit(path, change).status_code == 303
    assert amina.submit(path, change).status_code == 303
    assert summary(cast).last_24_h == fluids.Sum(taken=500, lost=300)
    assert site.row("SELECT ml, replaces = %s FROM fluid WHERE replaces IS NOT NULL", wrong) == (500, True)
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "<s>1000</s>" in page
    assert "Corrected to Infusion 500 ml" in page
    assert "Half the bag is left" in page
    assert "instead of Infusion 1000 ml" in page
    assert amina.submit(path, {**change, "because": "Another reason"}).status_code == 422
    urine = site.row("SELECT id FROM fluid WHERE kind = 'urine'")[0]
    strike = {"change": "struck", "because": "Of bed 2"}
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert bruno.get(f"{url(cast)}/{urine}/correction").status_code == 404
    elsewhere = f"/patients/{cast.baraka.patient_id}/fluids/{urine}/correction"
    assert amina.get(elsewhere).status_code == 404
    assert amina.submit(f"{url(cast)}/{urine}/correction", strike).status_code == 303
    assert summary(cast).last_24_h == fluids.Sum(taken=500, lost=0)
    assert ("urine", 300, "", "Of bed 2") in stored(site)
    assert len(amina.get(f"{url(cast)}.csv").get_data(as_text=True).splitlines()) == 4


def test_the_page_asks_a_fixed_number_of_questions(
    site: Site, cast: Cast, amina: CheckedClient, statements: list[str]
) -> None:
    add(amina, cast, "oral", 100)
    amina.get(url(cast))
    statements.clear()
    amina.get(url(cast))
    few = len(statements)
    for ml in range(100, 120):
        add(amina, cast, "oral", ml)
    amina.get(url(cast))
    statements.clear()
    amina.get(url(cast))
    assert len(statements) == few
