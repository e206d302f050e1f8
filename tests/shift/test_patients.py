"""Finding a patient: by name, number and bed; only one's own."""

from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import finding
from silverwatch.domain.alerts.finding import Sort, Wanted
from tests.cast import PASSWORD, Cast, People, create_bed, create_patient
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of
from tests.shift.ward import fill, score

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def found(people: People, who: str = "amina", **wanted: object) -> list[str]:
    """The beds of the patients whom somebody finds."""
    with db.transaction() as session:
        page = finding.patients(
            session,
            actor_of(getattr(people, who)),
            Wanted(**wanted),
            now=clock.now(),  # type: ignore[arg-type]
        )
    return [entry.bed_label or "-" for entry in page.entries]


def test_only_ones_own_patients(site: Site, cast: Cast, people: People) -> None:
    assert found(people) == ["A1", "A2"]
    assert found(people, "bruno") == ["B1"]
    account = site.row("SELECT id FROM account WHERE email = %s", people.bruno)[0]
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO care_team_member (patient_id, account_id, added_at) VALUES (%s, %s, now())",
            (cast.achieng.patient_id, account),
        )
    with db.transaction() as session:
        from dataclasses import replace

        actor = replace(actor_of(people.bruno), care_team_of=frozenset([cast.achieng.patient_id]))
        page = finding.patients(session, actor, Wanted(), now=clock.now())
    assert [entry.bed_label for entry in page.entries] == ["A1", "B1"]


@pytest.mark.parametrize(
    ("text", "beds"),
    [
        ("achi", ["A1"]), ("ACHIENG test", ["A1"]), ("hieng", []), ("a2", ["A2"]), ("test", ["A1", "A2", "A3"]),
        ("rene muller", ["A3"]), ("élodie", []), ("%", []), ("A", ["A1"]), ("chebet", []),
    ],
)  # fmt: skip
def test_words_begin_names(site: Site, cast: Cast, people: People, text: str, beds: list[str]) -> None:
    with db.transaction() as session:
        bed = create_bed(session, cast.achieng.ward_id, label="A3", position=3)
        create_patient(session, "Müller", given_name="René Test", bed_id=bed.id)
    assert found(people, text=text) == beds


def test_a_hospital_number_is_found_by_any_part(site: Site, cast: Cast, people: People) -> None:
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", cast.baraka.patient_id)[0]
    assert found(people, text=number[6:].lower()) == ["A2"]


def test_orders(site: Site, cast: Cast, people: People) -> None:
    now = clock.now()
    score(site, cast.achieng.patient_id, total=1, risk="low", set_at=now - timedelta(hours=5))
    score(site, cast.baraka.patient_id, total=8, risk="high", set_at=now)
    assert found(people, sort=Sort.NEWS) == ["A2", "A1"]
    assert found(people, sort=Sort.DUE) == ["A1", "A2"]
    assert found(people, sort=Sort.NAME) == ["A1", "A2"]


def test_the_page_and_its_part(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    page = amina.get("/patients?q=bar").get_data(as_text=True)
    assert "BARAKA, Test" in page
    assert "ACHIENG" not in page
    part = amina.get("/patients?q=nobody", headers=PARTIAL).get_data(as_text=True)
    assert part.lstrip().startswith('<div id="patient-rows"')
    assert "No patients match “nobody”." in part
    other = amina.get(f"/patients?ward={cast.chebet.ward_id}")
    assert other.status_code == 404
    for odd in ("?q=%00", "?page=99999999999", "?sort=x&ward=x", "?q=" + "x" * 500):
        assert amina.get(f"/patients{odd}").status_code == 200


def test_long_lists_have_pages(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    fill(cast.achieng.ward_id, 51, first=100)
    first = amina.get("/patients").get_data(as_text=True)
    assert "Page 1 of 2" in first
    assert 'rel="next" href="/patients?page=2"' in first
    assert "CROWD150" in amina.get("/patients?page=2").get_data(as_text=True)


def test_searching_on_adds_no_looks(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    for query in ("", "?q=a", "?q=ac", "?q=ach", "?sort=name"):
        site.client.get(f"/patients{query}")
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'patients'") == (1,)
