"""What became of doses: recorded once by whoever is first, corrected, undone, late, refused for a reason."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import doses, medications
from silverwatch.domain.records.dose_models import MedicationDose
from silverwatch.domain.records.doses import Entry
from silverwatch.domain.records.due_doses import DueDose, open_doses
from silverwatch.domain.settings.doses import USUAL
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of, join
from tests.medications.steps import form, hourly, local, needed, sent_in, url
from tests.shift.ward import counted

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def waiting(cast: Cast) -> list[DueDose]:
    """The open doses of Achieng."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        found = open_doses(
            session, [cast.achieng.patient_id], until=now + doses.EARLY, now=now, zone=clock.site_zone()
        )
    return found.get(cast.achieng.patient_id, [])


def due_url(cast: Cast, dose: DueDose) -> str:
    """Where the dose is recorded."""
    return f"{url(cast, dose.medication_id)}/due/{clock.epoch_ms(dose.due_at)}"


def test_one_tap_records_a_dose_and_it_waits_no_more(site: Site, cast: Cast, amina: CheckedClient) -> None:
    sent_in(amina, site, cast, hourly())
    before = waiting(cast)
    assert len(before) in (4, 5)  # three hours ago until an hour ahead
    assert "Doses due" in amina.get(url(cast)).get_data(as_text=True)
    for _ in range(2):  # a double tap is one dose
        assert amina.submit(due_url(cast, before[0])).status_code == 303
    assert [dose.due_at for dose in waiting(cast)] == [dose.due_at for dose in before[1:]]
    assert site.rows("SELECT outcome, due_at = %s, version FROM medication_dose", before[0].due_at) == [
        ("given", True, 1)
    ]
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'dose.recorded'") == (1,)
    assert "Recorded in the last 24 h" in amina.get(url(cast)).get_data(as_text=True)


def test_what_was_not_given_needs_a_reason(site: Site, cast: Cast, amina: CheckedClient) -> None:
    sent_in(amina, site, cast, hourly())
    path = due_url(cast, waiting(cast)[0])
    assert "What became of it" in amina.get(path).get_data(as_text=True)
    ahead, long_ago = local(clock.now() + timedelta(hours=1)), local(clock.now() - timedelta(hours=5))
    for sent, words in (
        ({"outcome": "refused"}, "Say why it was not given"),
        ({"outcome": "eaten", "reason": "by the cat"}, "Choose what became of the dose."),
        ({"outcome": "given", "local": ahead}, "This time has not come yet."),
        ({"outcome": "given", "local": long_ago}, "more than an hour before the dose was due"),
        ({"outcome": "given", "local": "noon"}, "Enter the day and time."),
        ({"outcome": "given", "note": "x" * 201}, "Say it in 200 characters."),
    ):
        answer = amina.submit(path, sent)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM medication_dose") == (0,)
    assert amina.submit(path, {"outcome": "refused", "reason": "Nausea"}).status_code == 303
    assert site.row("SELECT outcome, reason FROM medication_dose") == ("refused", "Nausea")
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "Refused" in page
    assert "Nausea" in page


def test_a_late_entry_says_when_it_was_given(site: Site, cast: Cast, amina: CheckedClient) -> None:
    sent_in(amina, site, cast, hourly())
    dose = waiting(cast)[0]
    at = dose.due_at + timedelta(minutes=7)
    assert amina.submit(due_url(cast, dose), {"outcome": "given", "local": local(at)}).status_code == 303
    assert site.row("SELECT at, entered_at > at FROM medication_dose") == (at, True)


def test_what_is_not_due_cannot_be_recorded(site: Site, cast: Cast, amina: CheckedClient) -> None:
    medication = sent_in(amina, site, cast, hourly())
    dose = waiting(cast)[0]
    for moment in (
        dose.due_at + timedelta(minutes=1),
        dose.due_at + timedelta(hours=12),
        dose.due_at - timedelta(days=10),
        dose.due_at - timedelta(hours=1),  # before it began
    ):
        path = f"{url(cast, medication)}/due/{clock.epoch_ms(moment)}"
        assert amina.submit(path).status_code == 409
    assert amina.submit(f"{url(cast, medication)}/due/{10**19}").status_code == 404
    # A change ends what would have been due later, and leaves what was due before.
    change = form(kind="interval", every_h="12", seen="1", begins=local(clock.now() + timedelta(minutes=1)))
    amina.submit(f"{url(cast, medication)}/change", change)
    later = [item for item in hours_of(dose.due_at) if item > clock.now() + timedelta(minutes=2)]
    assert amina.submit(f"{url(cast, medication)}/due/{clock.epoch_ms(later[0])}").status_code == 409
    assert amina.submit(due_url(cast, dose)).status_code == 303
    amina.submit(f"{url(cast, medication)}/stop", {"because": "Course is complete"})
    assert all(item.due_at < clock.now() for item in waiting(cast))


def hours_of(first: datetime) -> list[datetime]:
    """Every hour from then on, for some hours."""
    return [first + timedelta(hours=number) for number in range(8)]


def test_the_second_of_two_nurses_is_told_who_gave_it_and_when(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    medication = sent_in(amina, site, cast, hourly())
    dose = waiting(cast)[0]
    nurses = [actor_of(people.amina), *(join(name, cast.achieng.ward_id) for name in ("Nia", "Otto", "Pia"))]
    together = Barrier(len(nurses))

    def give(actor: Actor) -> str:
        together.wait()
        now = clock.now()
        try:
            with db.transaction() as session:
                row = medications.locked(session, cast.achieng.patient_id, medication)
                doses.record_due(
                    session, actor, row, Entry(outcome="given", at=now), due_at=dose.due_at, now=now
                )
        except ConflictError as error:
            return str(error)
        return "first"

    with ThreadPoolExecutor(len(nurses)) as pool:
        answers = list(pool.map(give, nurses))
    assert answers.count("first") == 1
    name = nurses[answers.index("first")].name
    at = site.row("SELECT at FROM medication_dose")[0].astimezone(clock.site_zone())
    assert set(answers) - {"first"} == {f"{name} recorded this dose as given at {at:%H:%M}."}


def test_the_database_refuses_a_second_row_of_a_dose(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    sent_in(amina, site, cast, hourly())
    dose, now = waiting(cast)[0], clock.now()
    account_id = actor_of(people.amina).account_id

    def row() -> MedicationDose:
        return MedicationDose(
            id=clock.new_id(), medication_id=dose.medication_id, patient_id=dose.patient_id, version=1,
            due_at=dose.due_at, outcome="given", at=now, account_id=account_id, entered_at=now,
        )  # fmt: skip

    with db.transaction() as session:
        session.add(row())
    with pytest.raises(IntegrityError, match="uq_medication_dose_due"), db.transaction() as session:
        session.add(row())


def test_undo_is_for_an_hour_and_for_whoever_recorded_it(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    medication = sent_in(amina, site, cast, hourly())
    dose = waiting(cast)[0]
    amina.submit(due_url(cast, dose))
    recorded = site.row("SELECT id FROM medication_dose")[0]
    nia, now = join("Nia", cast.achieng.ward_id), clock.now()
    for actor, at in ((nia, now), (actor_of(people.amina), now + doses.UNDO)):
        with pytest.raises(ConflictError, match="within an hour"):
            _undo(actor, cast.achieng.patient_id, medication, recorded, now=at)
    for _ in range(2):
        assert amina.submit(f"{url(cast, medication)}/doses/{recorded}/undo").status_code == 303
    assert site.row("SELECT struck_because FROM medication_dose") == (doses.UNDONE,)
    assert dose.due_at in [item.due_at for item in waiting(cast)]
    assert amina.submit(due_url(cast, dose)).status_code == 303
    assert site.row("SELECT count(*), count(struck_at) FROM medication_dose") == (2, 1)


def _undo(actor: Actor, patient_id: UUID, medication_id: UUID, dose_id: UUID, *, now: datetime) -> None:
    with db.transaction() as session:
        row = medications.locked(session, patient_id, medication_id)
        dose = doses.dose_of(session, patient_id, medication_id, dose_id, lock=True)
        doses.undo(session, actor, row, dose, now=now)


def test_a_correction_keeps_what_was_recorded(site: Site, cast: Cast, amina: CheckedClient) -> None:
    medication = sent_in(amina, site, cast, hourly())
    dose = waiting(cast)[0]
    amina.submit(due_url(cast, dose))
    wrong = site.row("SELECT id FROM medication_dose")[0]
    path = f"{url(cast, medication)}/doses/{wrong}/correction"
    assert "It says now:" in amina.get(path).get_data(as_text=True)
    right = {"change": "changed", "because": "Wrong patient", "outcome": "held", "reason": "In theatre"}
    for sent, words in (
        ({**right, "because": ""}, "Say why"),
        ({**right, "change": ""}, "Choose whether"),
        ({**right, "reason": ""}, "Say why it was not given"),
    ):
        answer = amina.submit(path, sent)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    for _ in range(2):
        assert amina.submit(path, right).status_code == 303
    assert site.rows("SELECT outcome, replaces FROM medication_dose WHERE struck_at IS NULL") == [
        ("held", wrong)
    ]
    late = amina.submit(path, {**right, "because": "Another reason"})
    assert "Somebody has corrected this dose meanwhile" in late.get_data(as_text=True)
    page = amina.get(url(cast)).get_data(as_text=True)
    assert "Wrong patient" in page
    assert "In theatre" in page
    elsewhere = f"/patients/{cast.baraka.patient_id}/medications/{medication}/doses/{wrong}/correction"
    assert amina.get(elsewhere).status_code == 404


def test_as_needed_warns_and_goes_on_with_a_reason(site: Site, cast: Cast, amina: CheckedClient) -> None:
    medication = sent_in(amina, site, cast, needed(begins=local(clock.now() - timedelta(hours=20))))
    path = f"{url(cast, medication)}/doses"
    assert "Not given in 24 h" in amina.get(url(cast)).get_data(as_text=True)

    def give(**more: str) -> str:
        answer = amina.submit(path, {"form_id": str(clock.new_id()), **more})
        return "" if answer.status_code == 303 else answer.get_data(as_text=True)

    early = local(clock.now() - timedelta(hours=12))
    assert give(local=early) == ""
    assert give(local=local(clock.now() - timedelta(hours=5))) == ""
    page = give()
    assert "With this one 3 doses are given in 24 h, and 2 are the most." in page
    assert "less than the least time" not in page
    assert give(reason="Dr Otieno was asked") == ""
    page = give()
    assert "less than the least time between two" in page
    assert site.row("SELECT count(*) FROM medication_dose") == (3,)
    warned = site.rows(
        "SELECT detail ->> 'warned' FROM audit_entry WHERE action = 'dose.recorded' ORDER BY seq"
    )
    assert warned == [("false",), ("false",), ("true",)]
    assert "3 times in 24 h" in amina.get(url(cast)).get_data(as_text=True)
    # Before it began it was not to be given; nor is one that is due by the clock given as needed.
    assert amina.submit(path, {"local": local(clock.now() - timedelta(hours=30))}).status_code == 409
    by_clock = sent_in(amina, site, cast, hourly())
    assert amina.submit(f"{url(cast, by_clock)}/doses").status_code == 409


def test_the_same_form_twice_is_one_dose_as_needed(site: Site, cast: Cast, amina: CheckedClient) -> None:
    medication = sent_in(amina, site, cast, needed())
    sent = {"form_id": str(clock.new_id()), "outcome": "given"}
    for _ in range(2):
        assert amina.submit(f"{url(cast, medication)}/doses", sent).status_code == 303
    assert site.row("SELECT count(*) FROM medication_dose") == (1,)


@pytest.mark.parametrize(
    ("waited", "state"),
    [
        (-doses.EARLY - timedelta(seconds=1), "later"),
        (-doses.EARLY, "due"),
        (USUAL.late - timedelta(seconds=1), "due"),
        (USUAL.late, "late"),
        (USUAL.unrecorded, "unrecorded"),
    ],
)
def test_the_state_of_a_dose_is_the_clocks(waited: timedelta, state: str) -> None:
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    some = UUID(int=1)
    dose = DueDose(
        medication_id=some, patient_id=some, name="A", dose="1", route="iv", note="", due_at=at
    )  # fmt: skip
    assert dose.state(at + waited) == state


def test_doses_stand_in_the_shift_and_in_the_rounds_and_are_no_alarm(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    sent_in(amina, site, cast, hourly(name="Saline"))
    begun = clock.now() - timedelta(hours=6)
    sent_in(amina, site, cast, form(kind="interval", every_h="72", begins=local(begun), name="Old one"))
    for page, region in (("/shift", "shift"), ("/rounds", "rounds"), ("/rounds/a", "ward-rounds")):
        text = amina.get(page).get_data(as_text=True)
        assert "Saline" in text
        assert "Late <b>" in text
        assert "1 dose was not recorded" in text
        dose = next(item for item in waiting(cast) if item.name == "Saline")
        answer = amina.submit(
            due_url(cast, dose), headers=PARTIAL | {"HX-Current-URL": f"http://localhost{page}"}
        )
        text = answer.get_data(as_text=True)
        assert f'hx-target="#{region}-' in text
        recorded = site.row("SELECT id FROM medication_dose WHERE due_at = %s", dose.due_at)[0]
        assert f"undo-{recorded}" in text
    assert site.row("SELECT count(*) FROM alert") == (0,)
    assert site.row("SELECT count(*) FROM event WHERE kind = 'MedicationsChanged'")[0] == 0


def test_the_shift_asks_a_fixed_number_of_questions(site: Site, cast: Cast, amina: CheckedClient) -> None:
    def asked() -> int:
        amina.get("/shift")
        with counted() as statements:
            amina.get("/shift")
        return len(statements)

    sent_in(amina, site, cast, hourly())
    few = asked()
    for _ in range(4):
        sent_in(amina, site, cast, hourly())
    for dose in waiting(cast)[:6]:
        amina.submit(due_url(cast, dose))
    assert asked() == few


def test_another_wards_doses_are_like_none(
    site: Site, cast: Cast, amina: CheckedClient, bruno: CheckedClient
) -> None:
    sent_in(amina, site, cast, hourly())
    first, second = waiting(cast)[:2]
    amina.submit(due_url(cast, first))
    recorded = site.row("SELECT id FROM medication_dose")[0]
    one = url(cast, first.medication_id)
    for path in (due_url(cast, second), f"{one}/doses/new", f"{one}/doses/{recorded}/correction"):
        assert bruno.get(path).status_code == 404
    for path in (
        due_url(cast, second), f"{one}/doses", f"{one}/doses/{recorded}/correction", f"{one}/doses/{recorded}/undo",
    ):  # fmt: skip
        assert bruno.submit(path, {"change": "struck", "because": "not mine"}).status_code == 404
    assert site.row("SELECT count(*), count(struck_at) FROM medication_dose") == (1, 0)
