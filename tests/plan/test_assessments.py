"""Assessments: recorded, corrected, due again; in the shift, the round, the handover and the timeline."""

from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import sheet, sheet_queries, timeline
from silverwatch.domain.records import assessments
from silverwatch.domain.records.instruments import CURRENT
from silverwatch.domain.wards.models import Ward
from silverwatch.web.filters import local_minute
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.shift.ward import counted, fill


def answers(instrument: str = "falls", **others: str) -> dict[str, str]:
    """The fields of a form: the first choice of each question, but for these; done now, due again tomorrow."""
    asked = {f"q-{q.name}": q.choices[0].name for q in CURRENT[instrument].questions}
    given = {f"q-{name}": choice for name, choice in others.items()}
    return {"at": local_minute(clock.now()), "again": "24", **asked, **given}


def assess(browser: CheckedClient, patient_id: UUID, instrument: str = "falls", **others: str) -> UUID:
    """An assessment, recorded with the form; `again` and `at` are fields, the others answers."""
    form_id = clock.new_id()
    fields = answers(
        instrument, **{name: said for name, said in others.items() if name not in ("again", "at", "note")}
    )
    fields |= {name: said for name, said in others.items() if name in ("again", "at", "note")}
    url = f"/patients/{patient_id}/plan/assess/{instrument}"
    answer = browser.submit(url, {"form_id": str(form_id), **fields})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return form_id


def page(browser: CheckedClient, path: str) -> str:
    """A page as it reads."""
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def move(site: Site, assessment_id: UUID, **back: float) -> None:
    """As if it had been so long ago."""
    with site.cursor() as cur:
        cur.execute("UPDATE assessment SET at = at - %s WHERE id = %s", (timedelta(**back), assessment_id))


def test_what_was_found_stands_in_the_plan(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient = cast.achieng.patient_id
    assert "Not assessed yet." in page(amina, f"/patients/{patient}/plan")
    found = assess(amina, patient, fell="yes", note="Fell at home in May")
    assert site.row("SELECT instrument, version, result, score, again_h FROM assessment") == (
        "falls", 1, "Fell in the last 12 months", None, 24,
    )  # fmt: skip
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'assessment.recorded'") == (1,)
    text = page(amina, f"/patients/{patient}/plan")
    assert "Fell in the last 12 months" in text
    assert "Fell at home in May" in text
    one = page(amina, f"/patients/{patient}/plan/assessments/{found}")
    assert "Unsteady when standing or walking" in one


def test_sent_twice_it_is_one_and_a_score_is_stored(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient = cast.achieng.patient_id
    sent = {"form_id": str(clock.new_id()), **answers("four_at", amt4="two", attention="untestable")}
    for _ in range(2):
        assert amina.submit(f"/patients/{patient}/plan/assess/four_at", sent).status_code == 303
    assert site.rows("SELECT score FROM assessment") == [(4,)]
    assert "Possible delirium" in page(amina, f"/patients/{patient}/plan")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"q-fell": ""}, "Answer: Fell in the last 12 months"),
        ({"q-fell": "perhaps"}, "Answer: Fell in the last 12 months"),
        ({"again": "5"}, "Choose when it is due again"),
        ({"at": "soon"}, "Enter the day and time"),
        ({"at": "2099-01-01T10:00"}, "This time has not come yet."),
        ({"at": "2020-01-01T10:00"}, "This is more than 7 days ago."),
        ({"note": "x" * 501}, "Write at most 500 characters."),
    ],
)
def test_what_is_not_whole_says_what_to_do(
    site: Site, cast: Cast, amina: CheckedClient, wrong: dict[str, str], said: str
) -> None:
    answer = amina.submit(f"/patients/{cast.achieng.patient_id}/plan/assess/falls", {**answers(), **wrong})
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM assessment") == (0,)


def test_a_correction_keeps_what_was_recorded(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient = cast.achieng.patient_id
    wrong = assess(amina, patient, fell="yes")
    url = f"/patients/{patient}/plan/assessments/{wrong}/correction"
    assert 'value="yes" checked' in page(amina, url)
    fields = {**answers(dizzy="yes"), "change": "changed", "because": "Another patient fell"}
    short = amina.submit(url, {**fields, "because": "x"})
    assert short.status_code == 422
    assert "Say why in 3 to 300 characters." in short.get_data(as_text=True)
    form = {"form_id": str(clock.new_id())}
    for _ in range(2):
        assert amina.submit(url, {**fields, **form}).status_code == 303
    assert site.rows("SELECT result, struck_because, replaces FROM assessment ORDER BY entered_at") == [
        ("Fell in the last 12 months", "Another patient fell", None),
        ("Dizzy when getting up", None, wrong),
    ]
    text = page(amina, f"/patients/{patient}/plan")
    assert "<s>Fell in the last 12 months</s>" in text
    assert "struck out by Amina" in text
    late = amina.submit(url, {**fields, "because": "Once more"})
    assert late.status_code == 422
    assert "corrected this meanwhile" in late.get_data(as_text=True)


def test_one_that_is_of_nobody_is_struck_out_without_answers(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    patient = cast.achieng.patient_id
    url = f"/patients/{patient}/plan/assessments/{assess(amina, patient)}/correction"
    same = amina.submit(url, {**answers(), "change": "changed", "because": "No idea"})
    assert same.status_code == 422
    assert "It says this already." in same.get_data(as_text=True)
    assert amina.submit(url, {"change": "other", "because": "Wrong bed"}).status_code == 422
    assert amina.submit(url, {"change": "struck", "because": "Wrong bed"}).status_code == 303
    assert site.rows("SELECT struck_because FROM assessment") == [("Wrong bed",)]
    assert "Not assessed yet." in page(amina, f"/patients/{patient}/plan")


def test_what_is_overdue_stands_in_the_shift_and_the_rounds(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    patient = cast.achieng.patient_id
    move(site, assess(amina, patient, "skin"), hours=25)
    move(site, assess(amina, patient, "mobility"), hours=2)  # due in 22 h: not in this shift
    link = f"/patients/{patient}/plan/assess/"
    for path in ("/shift", "/rounds", "/rounds/a"):
        text = page(amina, path)
        assert f"{link}skin" in text, path
        assert f"{link}mobility" not in text, path
    # Done again, or planned no more: it is due no more.
    assess(amina, patient, "skin", again="")
    assert f"{link}skin" not in page(amina, "/rounds")


def test_the_newest_that_stands_says_when_it_is_due(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient, now = cast.achieng.patient_id, clock.now()
    old = assess(amina, patient, "skin")
    move(site, old, hours=25)
    new = assess(amina, patient, "skin", again="8")

    def due() -> list[str]:
        with db.transaction() as session:
            return [
                item.instrument
                for item in assessments.due(session, [patient], until=now + timedelta(hours=1))
            ]

    assert due() == []
    url = f"/patients/{patient}/plan/assessments/{new}/correction"
    assert amina.submit(url, {"change": "struck", "because": "Wrong bed"}).status_code == 303
    assert due() == ["skin"]


def test_the_handover_names_goals_and_what_is_to_be_assessed(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    patient, now = cast.achieng.patient_id, clock.now()
    amina.submit(f"/patients/{patient}/plan/goals", {"what": "Walks to the bathroom"})
    move(site, assess(amina, patient, "skin"), hours=20)
    text = page(amina, "/handover/a")
    assert "Walks to the bathroom" in text
    assert "To assess:" in text
    with db.transaction() as session:
        ward = session.get_one(Ward, cast.achieng.ward_id)
        built = sheet_queries.build(session, ward, since=now - timedelta(hours=8), now=now)
    stored = sheet.plain(built)
    assert sheet.read(stored) == built
    for line in stored["lines"]:  # a sheet that was kept before there were care plans
        del line["goals"], line["assessments"]
    assert {line.goals for line in sheet.read(stored).lines} == {()}


def test_the_timeline_has_assessments_and_ended_goals(site: Site, cast: Cast, amina: CheckedClient) -> None:
    patient = cast.achieng.patient_id
    assess(amina, patient, fell="yes")
    goal = str(clock.new_id())
    amina.submit(f"/patients/{patient}/plan/goals", {"what": "Eats alone", "form_id": goal})
    amina.submit(f"/patients/{patient}/plan/goals/{goal}/end", {"ended_as": "met", "because": "Eats alone"})
    text = page(amina, f"/patients/{patient}/history")
    assert "Risk of falling: Fell in the last 12 months" in text
    assert "Goal ended: Eats alone" in text
    with db.transaction() as session:
        found = timeline.timelines(session, [patient], clock.now())[patient]
    assert {"assessment", "goal"} <= {entry.kind for entry in found.entries}


def test_what_is_not_of_the_ward_is_like_none(
    site: Site, cast: Cast, amina: CheckedClient, bruno: CheckedClient
) -> None:
    mine, other = cast.achieng.patient_id, cast.baraka.patient_id
    found = assess(amina, mine)
    assert bruno.get(f"/patients/{mine}/plan/assessments/{found}").status_code == 404
    assert bruno.submit(f"/patients/{mine}/plan/assess/falls", answers()).status_code == 404
    assert amina.get(f"/patients/{other}/plan/assessments/{found}").status_code == 404
    strike = {"change": "struck", "because": "Wrong bed"}
    assert amina.submit(f"/patients/{other}/plan/assessments/{found}/correction", strike).status_code == 404
    for unknown in ("magic", "FALLS", "4at"):
        assert amina.get(f"/patients/{mine}/plan/assess/{unknown}").status_code == 404


def test_a_full_ward_takes_as_many_statements_as_a_small_one(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    move(site, assess(amina, cast.achieng.patient_id, "skin"), hours=25)

    def statements() -> int:
        with counted() as found:
            page(amina, "/rounds")
        return len(found)

    statements()
    few = statements()
    fill(cast.achieng.ward_id, 6)
    for (patient,) in site.rows("SELECT id FROM patient WHERE family_name LIKE 'Crowd%%'"):
        move(site, assess(amina, patient, "skin"), hours=25)
    statements()  # the first look at somebody is noted
    assert statements() == few
