"""Put a device on, take it off, correct when it was worn: with two identifiers, by technicians and at the bed."""

from datetime import date, timedelta
from typing import Any

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions import attaching, identity
from silverwatch.domain.admissions.identity import Said
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records.models import Patient
from silverwatch.web import filters
from tests.binding.ward import kept, new_patient, put_on, readings, take_off, worn
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import judge, post

S = timedelta(seconds=1)


@pytest.fixture
def tekla(site: Site, people: People) -> CheckedClient:
    """A technician of ward A."""
    browser = site.browser()
    browser.sign_in(people.tekla, PASSWORD)
    return browser


def wristband(site: Site, patient_id: object, **other: str) -> dict[str, str]:
    """What the wristband of a patient says."""
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
    return {"number": number, "born_on": "1950-03-04", **other}


def text_of(answer: Any, status: int = 200) -> str:
    """What a page says."""
    assert answer.status_code == status
    said: str = answer.get_data(as_text=True)
    return said


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (Said(number="h-0042", born_on=date(1950, 3, 4)), []),
        (Said(number="H 0042", family_name="müller"), []),
        (Said(number="H-0042", family_name="Muller"), []),
        (Said(number="H-0043", born_on=date(1950, 3, 4)), ["number"]),
        (Said(number="H-0042", born_on=date(1950, 4, 3)), ["born_on"]),
        (
            Said(number="H-0043", family_name="Mueller", born_on=date(1951, 1, 1)),
            ["number", "born_on", "family_name"],
        ),
    ],
)
def test_identifiers(said: Said, wrong: list[str]) -> None:
    patient = Patient(hospital_number="H-0042", family_name="Müller", born_on=date(1950, 3, 4))
    assert identity.wrong(patient, said) == wrong


def test_a_technician_puts_it_on_without_a_name(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    take = f"/devices/{cast.spare_id}"
    page = text_of(tekla.get(f"{take}/binding"))
    assert str(cast.achieng.bed_id) in page
    assert "ACHIENG" not in page.upper()
    sent = {"bed": str(cast.achieng.bed_id), **wristband(site, cast.achieng.patient_id)}
    done = tekla.submit(f"{take}/binding", sent)
    assert done.location == f"{take}?done=on#on"
    page = text_of(tekla.get(done.location))
    assert "It is on" in page
    assert "ACHIENG" not in page.upper()
    assert worn(site)["SW-SPARE"] == "Achieng"
    assert post(site, cast.spare_key, [(0, {"heart_rate": 70})])["stored"] == 1
    assert "It is on somebody already:" in text_of(tekla.get(f"{take}/binding"))
    assert "It is off" in text_of(tekla.get(tekla.submit(f"{take}/binding/end").location))
    assert "SW-SPARE" not in worn(site)
    assert tekla.submit(f"{take}/binding/end").status_code == 303
    assert site.row("SELECT count(*) FROM audit_entry WHERE action LIKE 'binding.%%'") == (2,)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"number": ""}, "Scan the wristband"),
        ({"born_on": ""}, "or the family name"),
        ({"born_on": "1950-03-05"}, "Do not put the device on"),
        ({"number": "H-1"}, "Do not put the device on"),
        ({"bed": ""}, "Choose a bed"),
        ({"bed": "\0"}, "Choose a bed"),
        ({"since": "tomorrow"}, "Enter the day and time"),
        ({"since": "2999-01-01T00:00"}, "has not come yet"),
        ({"since": "2000-01-01T00:00"}, "too long ago"),
        ({"born_on": "x"}, "date of birth"),
    ],
)
def test_what_does_not_fit_is_not_put_on(
    site: Site, cast: Cast, tekla: CheckedClient, other: dict[str, str], words: str
) -> None:
    sent = {"bed": str(cast.achieng.bed_id), **wristband(site, cast.achieng.patient_id), **other}
    assert words in text_of(tekla.submit(f"/devices/{cast.spare_id}/binding", sent), 422)
    assert "SW-SPARE" not in worn(site)


def test_another_wristband_is_noted_and_guessing_ends(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    sent = {"bed": str(cast.achieng.bed_id), **wristband(site, cast.baraka.patient_id)}
    path = f"/devices/{cast.spare_id}/binding"
    page = text_of(tekla.submit(path, sent), 422)
    assert "The hospital number is not that of the patient in this bed." in page
    row = site.row("SELECT outcome, detail FROM audit_entry WHERE action = 'binding.mismatch'")
    assert row == ("refused", {"device": "SW-SPARE", "differs": ["number"]})
    for _ in range(identity.TRIES.tries):
        page = text_of(tekla.submit(path, sent), 422)
    assert "Too many wristbands did not fit." in page


def test_beds_and_devices_of_others_are_none(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    sent = {"bed": str(cast.chebet.bed_id), **wristband(site, cast.chebet.patient_id)}
    assert tekla.submit(f"/devices/{cast.spare_id}/binding", sent).status_code == 404
    assert tekla.get(f"/devices/{cast.chebet.device_id}/binding").status_code == 404
    binding = site.row("SELECT id FROM binding WHERE device_id = %s", cast.chebet.device_id)[0]
    assert tekla.get(f"/bindings/{binding}").status_code == 404
    assert tekla.submit(f"/bindings/{binding}", {"because": "Because"}).status_code == 404


def test_two_of_a_kind_are_refused_in_words(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    with site.cursor() as cur:
        cur.execute("UPDATE device SET kind = 'monitor' WHERE id = %s", (cast.spare_id,))
    sent = {"bed": str(cast.achieng.bed_id), **wristband(site, cast.achieng.patient_id)}
    page = text_of(tekla.submit(f"/devices/{cast.spare_id}/binding", sent), 422)
    assert "The patient wears another device of this type" in page


def test_at_the_bed(site: Site, cast: Cast, amina: CheckedClient) -> None:
    base = f"/patients/{cast.achieng.patient_id}"
    page = text_of(amina.get(f"{base}/devices/new"))
    assert "SW-SPARE" in page
    assert "SW-2" not in page
    sent = {"device": str(cast.spare_id), **wristband(site, cast.achieng.patient_id)}
    assert "Choose a device" in text_of(amina.submit(f"{base}/devices", {**sent, "device": ""}), 422)
    assert "Do not put" in text_of(amina.submit(f"{base}/devices", {**sent, "number": "H"}), 422)
    done = amina.submit(f"{base}/devices", sent)
    page = text_of(amina.get(done.location))
    assert "It is on" in page
    for _ in range(2):
        off = amina.submit(f"{base}/devices/{cast.spare_id}/end")
        assert "Worn before" in text_of(amina.get(off.location))
    assert "SW-SPARE" not in worn(site)
    other = f"/patients/{cast.chebet.patient_id}"
    assert amina.get(f"{other}/devices/new").status_code == 404
    assert amina.submit(f"{other}/devices", sent).status_code == 404
    assert amina.submit(f"{base}/devices/{cast.chebet.device_id}/end").status_code == 404


def test_since_when_it_is_worn_brings_what_waited(site: Site, cast: Cast, amina: CheckedClient) -> None:
    post(
        site, cast.spare_key, [(600, {"heart_rate": 60}), (180, {"heart_rate": 61}), (5, {"heart_rate": 62})]
    )
    assert len(kept(site)) == 3
    since = filters.local_minute(clock.now() - timedelta(minutes=5))
    sent = {"device": str(cast.spare_id), **wristband(site, cast.achieng.patient_id), "since": since}
    assert amina.submit(f"/patients/{cast.achieng.patient_id}/devices", sent).status_code == 303
    assert readings(site, cast.achieng.patient_id) == [61, 62]
    assert len(kept(site)) == 1
    assert site.rows("SELECT DISTINCT decision FROM quarantine WHERE decided_at IS NOT NULL") == [
        ("attributed",)
    ]
    judge()


def test_correct_an_interval(site: Site, cast: Cast, nurse: Actor, amina: CheckedClient) -> None:
    now = clock.now()
    start = (now - timedelta(minutes=30)).replace(second=0, microsecond=0)
    put_on(nurse, cast.spare_id, cast.achieng.patient_id, start=start)
    post(site, cast.spare_key, [(60 * n, {"heart_rate": 60 + n}) for n in range(20)], until=now)
    take_off(nurse, cast.spare_id, at=now)
    binding = site.row("SELECT id FROM binding WHERE device_id = %s", cast.spare_id)[0]
    path = f"/bindings/{binding}"
    assert filters.local_minute(start) in text_of(amina.get(path))
    sent = {"start": filters.local_minute(start), "end": filters.local_minute(now - timedelta(minutes=10))}
    assert "Say why" in text_of(amina.submit(path, sent), 422)
    sent["because"] = "Taken off earlier"
    for wrong in (
        {"end": ""},
        {"end": "x"},
        {"start": "x"},
        {"start": sent["end"]},
        {"start": "2001-01-01T00:00"},
    ):
        assert amina.submit(path, {**sent, **wrong}).status_code == 422
    done = amina.submit(path, sent)
    assert "Corrected." in text_of(amina.get(done.location))
    left = readings(site, cast.achieng.patient_id)
    assert len(left) + len(kept(site)) == 20
    assert 8 <= len(left) <= 10
    row = site.row("SELECT because, readings, account_id FROM binding_change WHERE because <> ''")
    # The newest one was of the very moment at which it was taken off.
    assert row == ("Taken off earlier", 19 - len(left), nurse.account_id)
    assert amina.submit(path, {**sent, "never": "yes"}).status_code == 303
    assert readings(site, cast.achieng.patient_id) == []
    assert len(kept(site)) == 20
    assert amina.get(path).status_code == 404


def test_retirement_ends_the_wearing(site: Site, cast: Cast, people: People) -> None:
    ada = site.browser()
    ada.sign_in(people.ada, PASSWORD)
    path = f"/devices/{cast.achieng.device_id}/retirement"
    answer = ada.submit(path, {"sure": "yes"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert "SW-1" not in worn(site)
    change = site.row("SELECT because, upper_inf(before), upper_inf(after) FROM binding_change")
    assert change == ("retired", True, False)


def test_who_lies_nowhere_wears_nothing(site: Site, cast: Cast, nurse: Actor) -> None:
    stranger = new_patient()
    with db.transaction() as session, pytest.raises(NotFoundError):
        attaching.attach(
            session, nurse, device_id=cast.spare_id, patient_id=stranger, since=None, now=clock.now()
        )
    since = clock.now() - timedelta(days=4)
    with db.transaction() as session, pytest.raises(ConflictError, match="not here yet"):
        attaching.attach(
            session,
            nurse,
            device_id=cast.spare_id,
            patient_id=cast.achieng.patient_id,
            since=since,
            now=clock.now(),
        )
