"""Many patients from a file: shown beside who is registered, stored when confirmed, never twice and never over."""

import csv
import io
import threading
from datetime import date

import pytest

from silverwatch import db
from silverwatch.domain.admissions import importing
from silverwatch.domain.admissions.importing import Wards
from tests.cast import PASSWORD, Cast, People, create_bed
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.web.test_record import NEW

HEAD = ",".join(importing.COLUMNS) + "\n"
FIRST = "KE-1,Otieno,Zoë,1948-03-14,F,Ms,+254 700,Main Street 1,,,Penicillin | Latex,falls\n"
SECOND = "KE-2,Wanjiru,Peter,02.11.1961,male,,,,,,none,\n"
COUNT = "SELECT count(*) FROM patient"


def send(
    browser: CheckedClient, text: str, *, path: str = "/patients/import", **more: str | list[str]
) -> str:
    """The page that answers."""
    answer = browser.submit(path, {"text": text, **more})
    assert answer.status_code in (200, 422), answer.status_code
    return answer.get_data(as_text=True)


def alone(row: str) -> importing.Line:
    """What a row says to somebody of a ward without beds."""
    sheet = importing.read(HEAD + row, wards=Wards(ids={}, free={}), today=date(2026, 1, 1))
    return importing.compare(sheet, known={}, alike={}, sure=()).lines[-1]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",Otieno,Zoë,1948-03-14,F", "Enter the hospital number."),
        ("K,,Zoë,1948-03-14,F", "Enter the family name."),
        ("K,Otieno,Zoë,03/04/1948,F", "Write the day of birth as 1948-03-14 or 14.03.1948."),
        ("K,Otieno,Zoë,31.02.1948,F", "Write the day of birth"),
        ("K,Otieno,Zoë,2048-03-14,F", "Write the day of birth"),
        ("K,Otieno,Zoë,1948-03-14,W", "Write the sex as one of these: F, M, O, U."),
        (f"K,{'x' * 101},Zoë,1948-03-14,F", "family_name: write at most 100 characters."),
        ("K,Otieno,Zoë,1948-03-14,F,,,,Ward Z,1", 'There is no ward "Ward Z" of yours.'),
        ("K,Otieno,Zoë,1948-03-14,F,,,,,1", "Write both ward and bed"),
        ("K,Otieno,Zoë,1948-03-14,F,,,,,,,tired", "Write flags out of these"),
        ("K,Otieno,Zoë,1948-03-14,F,,,,,,none | Latex,", "Write the allergies, or none."),
        (f"K,Otieno,Zoë,1948-03-14,F,,,,,,{'x' * 201},", "Write each allergy in 200 characters."),
        ("K,Otieno,Zoë,1948-03-14,F\nK,Other,One,1950-01-01,M", "K stands in row 2 already."),
    ],
)
def test_what_is_wrong_is_said_of_its_row(row: str, said: str) -> None:
    line = alone(row)
    assert line.state == "wrong"
    assert not line.is_taken
    assert said in line.why


def test_nothing_is_stored_before_it_is_confirmed_and_then_only_once(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    before = site.row(COUNT)[0]
    text = HEAD + FIRST + SECOND
    shown = send(amina, text)
    assert "2 patients are new" in shown
    assert "Register 2 patients" in shown
    assert site.row(COUNT)[0] == before
    assert "2 patients are registered." in send(amina, text, confirmed="yes")
    assert site.row(COUNT)[0] == before + 2
    row = "SELECT family_name, given_name, born_on::text, sex, title, phone FROM patient WHERE hospital_number = %s"
    assert site.row(row, "KE-1") == ("Otieno", "Zoë", "1948-03-14", "F", "Ms", "+254 700")
    assert site.row(row, "KE-2") == ("Wanjiru", "Peter", "1961-11-02", "M", None, "")
    said = (
        "SELECT p.hospital_number, e.kind, e.what FROM record_entry e JOIN patient p ON p.id = e.patient_id"
        " ORDER BY 1, 2, 3"
    )
    assert site.rows(said) == [
        ("KE-1", "allergy", "Latex"), ("KE-1", "allergy", "Penicillin"), ("KE-1", "flag", "falls"),
        ("KE-2", "no_allergies", "None known"),
    ]  # fmt: skip
    again = send(amina, text, confirmed="yes")
    assert "Nobody had to be registered." in again
    assert "2 rows were there already, just so." in again
    assert site.row(COUNT)[0] == before + 2
    audit = "SELECT detail->>'registered' FROM audit_entry WHERE action = 'patients.imported'"
    assert site.rows(audit) == [("2",)]
    # Who registered them is of their care team: the list finds them.
    assert "OTIENO, Zoë" in amina.get("/patients?q=KE-1").get_data(as_text=True)


def test_what_stands_is_shown_and_never_changed(site: Site, cast: Cast, amina: CheckedClient) -> None:
    send(amina, HEAD + FIRST, confirmed="yes")
    other = FIRST.replace("+254 700", "+254 711").replace("Main Street 1", "").replace("KE-1", "ke-1")
    page = send(amina, HEAD + other, confirmed="yes")
    assert "Phone: +254 700 → <b>+254 711</b>" in page
    assert "address" not in page.split("Different in the file")[1].split("</ul>")[0]
    assert site.row("SELECT phone FROM patient WHERE hospital_number = 'KE-1'") == ("+254 700",)


def test_of_foreign_patients_only_the_number_is_known(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    send(amina, HEAD + FIRST, confirmed="yes")
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    page = send(bruno, HEAD + FIRST.replace("+254 700", "+254 711"))
    assert "Somebody who is not in your wards has this number." in page
    assert "+254 700" not in page
    views = "SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'possible duplicates'"
    assert site.row(views) == (1,)


def test_who_may_be_registered_already_needs_a_tick(site: Site, cast: Cast, amina: CheckedClient) -> None:
    amina.submit("/patients", NEW)
    twin = f"KE-90,ZOE,otieno,{NEW['born_on']},F\n"
    text = (
        HEAD
        + twin
        + FIRST.replace("1948-03-14", "1950-05-05")
        + FIRST.replace("KE-1", "KE-3").replace("1948-03-14", "1950-05-05")
    )
    shown = send(amina, text)
    assert "1 patient is new, 2 to compare" in shown
    assert "the same name and birthday as row 3" in shown
    assert "<b>KE-77</b>" in shown
    done = send(amina, text, confirmed="yes", sure=["4"])
    assert "2 patients are registered." in done
    assert "1 row was not taken" in done
    assert site.row("SELECT count(*) FROM patient WHERE hospital_number = 'KE-90'") == (0,)
    left = amina.submit("/patients/import/left.csv", {"text": text})
    assert left.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(left.get_data(as_text=True))))
    assert [(row["hospital_number"], row["row"]) for row in rows] == [("KE-90", "2")]
    assert "KE-77" in rows[0]["why"]
    # What we gave back is a file that can be sent again.
    assert "1 to compare" in send(amina, left.get_data(as_text=True))


def test_a_bed_admits_if_it_is_free(site: Site, cast: Cast, amina: CheckedClient) -> None:
    with db.transaction() as session:
        create_bed(session, cast.achieng.ward_id, label="A9")
    rows = [
        "KE-1,Otieno,Zoë,1948-03-14,F,,,,ward a,a9,,\n", "KE-2,Wanjiru,Peter,1961-11-02,M,,,,Ward A,Home,,\n",
        "KE-3,Kamau,Joy,1961-11-03,F,,,,Ward A,A1,,\n", "KE-4,Mwangi,Ann,1961-11-04,F,,,,Ward A,A9,,\n",
        "KE-5,Njeri,Eve,1961-11-05,F,,,,Ward B,B1,,\n",
    ]  # fmt: skip
    page = send(amina, HEAD + "".join(rows), confirmed="yes")
    assert "2 patients are registered, 2 of them are admitted." in page
    assert "There is no free bed &#34;A1&#34; in Ward A." in page
    assert "Row 2 has this bed already." in page
    assert "There is no ward &#34;Ward B&#34; of yours." in page
    where = (
        "SELECT p.hospital_number, b.label FROM stay s JOIN bed b ON b.id = s.bed_id"
        " JOIN patient p ON p.id = s.patient_id WHERE p.hospital_number LIKE 'KE-%%' ORDER BY 1"
    )
    assert site.rows(where) == [("KE-1", "A9"), ("KE-2", "Home 1")]
    moves = "SELECT count(*) FROM audit_entry WHERE action = 'patient.admitted'"
    assert site.row(moves) == (2,)
    # Their own beds are not free any more: that is no error of theirs.
    assert "2 rows were there already, just so." in send(amina, HEAD + rows[0] + rows[1], confirmed="yes")


def test_two_who_store_the_same_file_store_it_once(site: Site, cast: Cast, people: People) -> None:
    with db.transaction() as session:
        for number in range(5):
            create_bed(session, cast.achieng.ward_id, label=f"N{number}", position=20 + number)
    text = HEAD + "".join(
        f"KE-{n},Family{n},Given,19{50 + n}-01-01,F,,,,{'Ward A' if n < 5 else ''},{f'N{4 - n}' if n < 5 else ''},,\n"
        for n in range(40)
    )
    before = site.row(COUNT)[0]
    browsers = [site.browser() for _ in range(4)]
    for browser in browsers:
        browser.sign_in(people.amina, PASSWORD)
    answers: list[int] = []
    ready = threading.Barrier(4)

    def store(browser: CheckedClient) -> None:
        ready.wait()
        answers.append(browser.submit("/patients/import", {"text": text, "confirmed": "yes"}).status_code)

    threads = [threading.Thread(target=store, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 422}
    assert len(answers) == 4
    assert site.row(COUNT)[0] == before + 40
    assert site.row("SELECT count(*) FROM move WHERE kind = 'admission'") == (5,)


def test_who_registers_nobody_has_no_such_page(site: Site, cast: Cast, people: People) -> None:
    for email in (people.tekla, people.ada, people.patience):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert browser.get("/patients/import").status_code in (403, 404)
        assert browser.submit("/patients/import", {"text": HEAD + FIRST}).status_code in (403, 404)


def test_a_sheet_as_spreadsheets_write_it(site: Site, cast: Cast, amina: CheckedClient) -> None:
    sample = amina.get("/patients/import/sample.csv")
    assert "2 patients are new" in send(amina, sample.get_data(as_text=True))
    wide = sample.get_data(as_text=True).encode("utf-16")
    answer = amina.submit("/patients/import", {"file": (io.BytesIO(wide), "patients.csv")})
    assert "OTIENO, Zoë" in answer.get_data(as_text=True)
    send(amina, sample.get_data(as_text=True), confirmed="yes")
    # Our own mark before what begins like a formula is taken off again.
    assert site.row("SELECT phone FROM patient WHERE hospital_number = 'KE-2041'") == ("+254 700 000 001",)


@pytest.mark.parametrize(
    "sent", [b"", b"\xff\xfe\x00", b"x" * (256 * 1024 + 1), b"\xe4\xf6\xfc", b"hospital_number\n\0"]
)
def test_what_is_no_file_of_patients(cast: Cast, amina: CheckedClient, sent: bytes) -> None:
    answer = amina.submit("/patients/import", {"file": (io.BytesIO(sent), "patients.csv")})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
