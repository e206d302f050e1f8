"""The list of a patient's medications: added, changed by versions, stopped; who may, and what is refused."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import medications
from silverwatch.domain.records.medication_schedule import Plan
from silverwatch.domain.records.medications import allergies_named
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of
from tests.medications.steps import add, form, hourly, local, needed, sent_in, url
from tests.shift.ward import counted


def test_what_is_added_is_on_the_list_with_what_is_next(site: Site, cast: Cast, amina: CheckedClient) -> None:
    empty = amina.get(url(cast)).get_data(as_text=True)
    assert "No medications are recorded." in empty
    assert "Add a medication" in empty
    sent = form(note="With food", name="  Paracetamol   tablets ")
    for _ in range(2):
        assert amina.submit(url(cast), sent).status_code == 303
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "Paracetamol tablets" in page
    assert "08:00, 14:00, 20:00 every day" in page
    assert "With food" in page
    assert "Next" in page
    sent_in(amina, site, cast, hourly(name="Saline"))
    sent_in(amina, site, cast, needed())
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "Every hour" in page
    assert "As needed for pain: at least 4 h apart, at most 2 times in 24 h" in page
    assert site.row("SELECT count(*) FROM medication") == (3,)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'medication.added'") == (3,)
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail ->> 'view' = 'medications'")[0] >= 1
    assert "Paracetamol tablets" in amina.get(f"/patients/{cast.achieng.patient_id}/record").get_data(
        as_text=True
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": ""}, "Name the medication."),
        ({"name": "x" * 101}, "Name it in 100 characters."),
        ({"dose": ""}, "Enter the dose with its unit"),
        ({"dose": "9" * 61}, "Say the dose in 60 characters."),
        ({"route": "ear"}, "Choose how it is given."),
        ({"kind": "sometimes"}, "Choose when it is given."),
        ({"time": []}, "Choose at least one time of the day."),
        ({"other_times": "25:00"}, "Enter times of the day"),
        ({"other_times": "٠٨:٠٠"}, "Enter times of the day"),
        ({"other_times": " ".join(f"01:{m:02}" for m in range(12))}, "Choose at most 12 times"),
        ({"weekday": []}, "Choose at least one day of the week."),
        ({"kind": "interval", "every_h": "5"}, "Choose how often from the list."),
        ({"kind": "as_needed", "least_min": "60", "most_24h": "4"}, "Say what it is for"),
        ({"kind": "as_needed", "reason": "pain", "most_24h": "4"}, "Choose the least time"),
        ({"kind": "as_needed", "reason": "pain", "least_min": "60", "most_24h": "0"}, "at most in 24 hours"),
        ({"begins": "soon"}, "Enter the day and time from which"),
        ({"begins": "2020-01-01T00:00"}, "more than 24 hours ago"),
        ({"begins": "0001-01-01T00:00"}, "Enter the day and time from which"),
        ({"begins": "9999-12-31T23:59"}, "more than 31 days ahead"),
        ({"ends": "later"}, "Enter the day and time at which it ends"),
        ({"ends": "2020-01-01T00:00"}, "Enter an end after the begin"),
        ({"note": "x" * 201}, "Say it in 200 characters."),
    ],
)
def test_what_is_not_whole_says_what_to_do(
    site: Site, cast: Cast, amina: CheckedClient, more: dict[str, object], said: str
) -> None:
    answer = amina.submit(url(cast), form(**more))
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM medication") == (0,)


def test_a_change_is_a_new_version_and_what_held_before_stays(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    medication = add(amina, site, cast)
    change = f"{url(cast, medication)}/change"
    assert 'value="500 mg"' in amina.get(change).get_data(as_text=True)
    sent = form(dose="1 g", time=["08:00", "20:00"], seen="1", begins=local(clock.now() - timedelta(hours=2)))
    for _ in range(2):  # a resend is the same change
        assert amina.submit(change, sent).status_code == 303
    rows = site.rows("SELECT dose, from_at >= at FROM medication_version ORDER BY version")
    assert rows[1:] == [("1 g", True)]  # a change does not reach back
    late = amina.submit(change, form(dose="2 g", seen="1"))
    assert late.status_code == 422
    assert "was changed meanwhile" in late.get_data(as_text=True)
    page = amina.get(url(cast, medication)).get_data(as_text=True)
    assert page.index("1 g") < page.index("500 mg")
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'medication.changed'") == (1,)


def test_a_change_of_the_dose_keeps_the_rhythm(site: Site, cast: Cast, amina: CheckedClient) -> None:
    medication = sent_in(amina, site, cast, form(kind="interval", every_h="8"))
    first = site.row("SELECT first_at FROM medication_version")[0]
    page = amina.get(f"{url(cast, medication)}/change").get_data(as_text=True)
    begins = local(first + timedelta(hours=8))
    assert f'value="{begins}"' in page
    amina.submit(
        f"{url(cast, medication)}/change",
        form(kind="interval", every_h="8", dose="1 g", seen="1", begins=begins),
    )
    assert site.row("SELECT first_at FROM medication_version WHERE version = 2") == (
        first + timedelta(hours=8),
    )
    assert "Changes" in amina.get(url(cast)).get_data(as_text=True)


def test_what_is_stopped_stays_with_its_reason_and_is_not_changed(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    medication = add(amina, site, cast)
    stop = f"{url(cast, medication)}/stop"
    wrong = amina.submit(stop, {"because": "x"})
    assert wrong.status_code == 422
    assert "Say why in 3 to 200 characters" in wrong.get_data(as_text=True)
    for _ in range(2):
        assert amina.submit(stop, {"because": "Course is complete"}).status_code == 303
    assert site.row("SELECT stopped_because FROM medication") == ("Course is complete",)
    assert "Course is complete" in amina.get(url(cast)).get_data(as_text=True)
    assert "Amina stopped it," in amina.get(stop).get_data(as_text=True)
    late = amina.submit(f"{url(cast, medication)}/change", form(dose="1 g", seen="1"))
    assert "is stopped" in late.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'medication.stopped'") == (1,)


def test_an_end_that_was_planned_ends_it(site: Site, cast: Cast, amina: CheckedClient) -> None:
    begins = clock.now() - timedelta(hours=2)
    sent = form(begins=local(begins), ends=local(begins + timedelta(hours=1)))
    sent_in(amina, site, cast, sent)
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "1 medication that is over" in page
    assert "Ended as planned" in page


def test_a_name_in_which_an_allergy_stands_is_looked_at_twice(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    record = f"/patients/{cast.achieng.patient_id}/record/allergy"
    amina.submit(record, {"what": "Penicillin", "detail": "rash", "form_id": str(clock.new_id())})
    sent = form(name="Benzylpenicillin")
    answer = amina.submit(url(cast), sent)
    assert answer.status_code == 422
    assert "allergic to Penicillin" in answer.get_data(as_text=True)
    assert amina.submit(url(cast), {**sent, "confirmed": "Latex"}).status_code == 422
    assert site.row("SELECT count(*) FROM medication") == (0,)
    assert amina.submit(url(cast), {**sent, "confirmed": "Penicillin"}).status_code == 303
    assert site.row("SELECT despite FROM medication") == ("Penicillin",)
    assert "Allergy: Penicillin" in amina.get(url(cast)).get_data(as_text=True)
    # One that is added to the record later is on the list too.
    add(amina, site, cast, name="Latex patches")
    amina.submit(record, {"what": "Latex", "detail": "", "form_id": str(clock.new_id())})
    assert "Allergy: Latex" in amina.get(url(cast)).get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "allergies", "found"),
    [
        ("Amoxicillin", ["Penicillin"], []),  # related, and not known here
        ("PENICILLIN V", ["penicillin (rash)"], ["penicillin (rash)"]),
        ("Iron tablets", ["All of it"], []),
        ("Aspirin", ["Aspirin, ibuprofen", "nuts"], ["Aspirin, ibuprofen"]),
    ],
)
def test_words_are_compared_and_nothing_else(name: str, allergies: list[str], found: list[str]) -> None:
    assert allergies_named(name, allergies) == found


def test_nothing_is_due_while_the_patient_is_in_no_bed(site: Site, cast: Cast, amina: CheckedClient) -> None:
    add(amina, site, cast)
    assert "Next <b>" in amina.get(url(cast)).get_data(as_text=True)
    with site.cursor() as cur:
        cur.execute(
            "UPDATE stay SET during = tstzrange(lower(during), now() - interval '1 minute') WHERE patient_id = %s",
            (cast.achieng.patient_id,),
        )
        cur.execute(
            "INSERT INTO care_team_member (patient_id, account_id, added_at)"
            " SELECT %s, id, now() FROM account WHERE name = 'Amina'",
            (cast.achieng.patient_id,),
        )
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "The patient is in no bed: nothing is due." in page
    assert "Next <b>" not in page


def test_another_wards_patient_is_like_none(
    site: Site, cast: Cast, amina: CheckedClient, bruno: CheckedClient
) -> None:
    medication = add(amina, site, cast)
    for path in ("", f"/{medication}", f"/{medication}/change", f"/{medication}/stop", "/new"):
        assert bruno.get(url(cast) + path).status_code == 404
    for path in ("", f"/{medication}/change", f"/{medication}/stop"):
        assert bruno.submit(url(cast) + path, form(because="not mine", seen="1")).status_code == 404
    # Nor is it another patient's of the same ward.
    elsewhere = f"/patients/{cast.baraka.patient_id}/medications/{medication}"
    assert amina.get(elsewhere).status_code == 404
    assert amina.submit(f"{elsewhere}/stop", {"because": "not theirs"}).status_code == 404
    assert site.row("SELECT stopped_at FROM medication") == (None,)


def test_the_list_asks_a_fixed_number_of_questions(site: Site, cast: Cast, amina: CheckedClient) -> None:
    add(amina, site, cast)
    few = _asked(amina, cast)
    for number in range(8):
        add(amina, site, cast, name=f"Drug {number}")
    assert _asked(amina, cast) == few


def _asked(amina: CheckedClient, cast: Cast) -> int:
    """How many statements the list takes, once it has been looked at."""
    amina.get(url(cast))
    with counted() as statements:
        amina.get(url(cast))
    return len(statements)


def test_of_two_who_change_at_once_the_second_is_told(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    medication_id = add(amina, site, cast)
    actor = actor_of(people.amina)
    assert _change(actor, cast.achieng.patient_id, medication_id, "1 g", seen=1)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        _change(actor, cast.achieng.patient_id, medication_id, "2 g", seen=1)


def _change(actor: Actor, patient_id: UUID, medication_id: UUID, dose: str, *, seen: int) -> bool:
    now: datetime = clock.now()
    plan = Plan(kind="as_needed", dose=dose, route="oral", reason="pain", least_min=60, most_24h=4)
    with db.transaction() as session:
        row = medications.locked(session, patient_id, medication_id)
        return medications.change(session, actor, row, seen=seen, plan=plan, from_at=now, now=now)
