"""Two records of one person become one: everything goes along, nothing is judged twice, and nothing new comes after."""

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions import merge_tables, merging
from silverwatch.domain.alerts import limit_versions
from silverwatch.domain.alerts.limit_cells import Key, Setting
from silverwatch.domain.alerts.limit_proposal import Scope
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import care_team, entries, stays
from tests.binding.conftest import nurse as nurse
from tests.binding.ward import admit, discharge, new_bed, new_patient, put_on
from tests.cast import PASSWORD, Cast, People, create_binding, create_patient
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.jobs.posting import held, judge, post


def number_of(site: Site, patient_id: UUID) -> str:
    """The hospital number."""
    found: str = site.row("SELECT hospital_number FROM patient WHERE id = %s", patient_id)[0]
    return found


def merge(actor: Actor, *, kept: UUID, gone: UUID) -> merging.Merged:
    """Merge by the service."""
    with db.transaction() as session:
        return merging.merge(session, actor, kept=kept, gone=gone, because="The same person", now=clock.now())


def earlier(cast: Cast, *, until: datetime) -> UUID:
    """A second record of Achieng: came with the spare device on before, and left."""
    with db.transaction() as session:
        patient = create_patient(session, "Achieng").id
        create_binding(
            session, cast.spare_id, patient_id=patient, start=until - timedelta(hours=2), end=until
        )
        return patient


def said(site: Site, patient_id: UUID) -> list[tuple[Any, ...]]:
    """What the alarms of a patient say."""
    return site.rows(
        "SELECT kind, peak_priority, event_at, ended_at, worst FROM alert WHERE patient_id = %s AND subject = 'patient'"
        " AND closed_as IS DISTINCT FROM 'withdrawn' ORDER BY event_at, kind",
        patient_id,
    )


def test_every_table_with_a_patient_is_thought_of(site: Site) -> None:
    found = site.rows(
        "SELECT c.table_name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND c.column_name IN ('patient_id', 'patient_ids')"
        " AND t.table_type = 'BASE TABLE'"
        " AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.table_name::regclass)"
    )
    listed = [*merge_tables.MOVED, *merge_tables.BY_THEMSELVES, *merge_tables.MADE_ANEW, *merge_tables.LEFT]
    assert sorted({name for (name,) in found}) == sorted(listed)
    referring = site.rows(
        "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid = 'patient'::regclass"
    )
    assert {name for (name,) in referring} - {"patient"} <= set(listed)


def test_readings_and_alarms_are_those_of_one_patient(site: Site, cast: Cast, nurse: Actor) -> None:
    now = clock.now()
    gone = earlier(cast, until=now - timedelta(minutes=30))
    high, low = held("heart_rate", 160, seconds=60), held("heart_rate", 70, seconds=60)
    post(site, cast.spare_key, high, until=now - timedelta(minutes=60))
    post(site, cast.spare_key, low, until=now - timedelta(minutes=50))
    post(site, cast.achieng.key, held("heart_rate", 155, seconds=60), until=now - timedelta(minutes=5))
    # What one patient has who was one from the start.
    with db.transaction() as session:
        only = create_patient(session, "Only").id
    judge()
    before = said(site, gone) + said(site, cast.achieng.patient_id)
    assert len(before) >= 2
    number = site.row(
        "SELECT count(*) FROM reading WHERE patient_id IN (%s, %s)", gone, cast.achieng.patient_id
    )
    found = merge(nurse, kept=cast.achieng.patient_id, gone=gone)
    assert found.readings == len(high) + len(low)
    assert site.row("SELECT count(*) FROM reading WHERE patient_id = %s", cast.achieng.patient_id) == number
    judge()
    after = said(site, cast.achieng.patient_id)
    # Judged from nothing, by somebody who has all these readings.
    with db.cursor() as cur:
        cur.execute("DELETE FROM alert_episode")
        cur.execute(
            "UPDATE alert SET patient_id = %s, subject_id = %s, closed_at = coalesce(closed_at, now()),"
            " closed_as = 'withdrawn' WHERE patient_id = %s",
            (only, only, cast.achieng.patient_id),
        )
        cur.execute("DELETE FROM checkpoint")
        cur.execute("UPDATE judge_state SET checkpoint = '{}', checkpoint_at = NULL, news = '{}'")
        cur.execute("UPDATE vital_state SET unjudged_since = now(), unjudged_from = now() - interval '1 day'")
    judge()
    assert said(site, cast.achieng.patient_id) == after
    latest = site.row(
        "SELECT latest->'heart_rate'->>0 FROM vital_state WHERE patient_id = %s", cast.achieng.patient_id
    )
    assert float(latest[0]) == 155
    for table in merge_tables.MADE_ANEW:
        assert site.row(f"SELECT count(*) FROM {table} WHERE patient_id = %s", gone) == (0,)


def test_one_of_two_open_alarms_of_a_kind_stands(site: Site, cast: Cast, nurse: Actor) -> None:
    now = clock.now()
    with db.transaction() as session:
        gone = create_patient(session, "Achieng").id
        create_binding(session, cast.spare_id, patient_id=gone, start=now - timedelta(hours=1), end=now)
    post(site, cast.spare_key, held("heart_rate", 160, seconds=60), until=now - timedelta(seconds=5))
    post(site, cast.achieng.key, held("oxygen_saturation", 80, seconds=60), until=now - timedelta(seconds=2))
    judge()
    with db.cursor() as cur:
        # The same kind on both: as two devices of one person would have said.
        cur.execute(
            "UPDATE alert SET kind = (SELECT kind FROM alert WHERE patient_id = %s LIMIT 1) WHERE patient_id = %s",
            (cast.achieng.patient_id, gone),
        )
    merge(nurse, kept=cast.achieng.patient_id, gone=gone)
    judge()
    twice = "SELECT count(*) FROM alert WHERE closed_at IS NULL GROUP BY subject_id, kind HAVING count(*) > 1"
    assert site.rows(twice) == []
    assert site.row("SELECT count(*) FROM alert WHERE patient_id = %s", gone) == (0,)


def test_the_record_goes_along(site: Site, cast: Cast, nurse: Actor, amina: CheckedClient) -> None:
    gone, kept = new_patient("Achieng"), cast.achieng.patient_id
    with db.transaction() as session:
        now = clock.now()
        for patient in (gone, kept):
            entries.add(session, nurse, entry_id=clock.new_id(), patient_id=patient, kind="flag", what="falls",
                        detail="Fell", now=now)  # fmt: skip
        entries.say_none(session, nurse, entry_id=clock.new_id(), patient_id=kept, now=now)
        entries.add(
            session, nurse, entry_id=clock.new_id(), patient_id=gone, kind="allergy", what="Latex", now=now
        )
        care_team.join(session, nurse, patient_id=gone, account_id=nurse.account_id, now=now)
    merge(nurse, kept=kept, gone=gone)
    standing = "SELECT kind, what FROM record_entry WHERE patient_id = %s AND ended_at IS NULL ORDER BY kind"
    assert site.rows(standing, kept) == [("allergy", "Latex"), ("flag", "falls")]
    assert site.row("SELECT count(*) FROM record_entry WHERE patient_id = %s", kept) == (4,)
    assert site.row("SELECT patient_id FROM care_team_member WHERE account_id = %s", nurse.account_id) == (
        kept,
    )
    page = amina.get(f"/patients/{gone}")
    assert (page.status_code, page.location) == (303, f"/patients/{kept}/record?merged={gone}")
    shown = amina.get(page.location).get_data(as_text=True)
    assert f"The record {number_of(site, gone)} was merged into this one." in shown
    assert number_of(site, kept) in amina.get(f"/patients?q={number_of(site, gone)}").get_data(as_text=True)
    assert site.row("SELECT patient_ids FROM audit_entry WHERE action = 'patients.merged'")[0] == sorted(
        [gone, kept]
    )


def test_nothing_new_comes_to_a_merged_record(site: Site, cast: Cast, nurse: Actor) -> None:
    gone = new_patient("Achieng")
    bed = new_bed(cast.achieng.ward_id)
    merge(nurse, kept=cast.achieng.patient_id, gone=gone)
    with pytest.raises(ConflictError, match="merged into another"):
        admit(nurse, gone, cast.achieng.ward_id, bed)
    with pytest.raises((ConflictError, NotFoundError)):
        put_on(nurse, cast.spare_id, gone, start=clock.now())
    for statement in (
        "INSERT INTO vital_state (patient_id) VALUES (%s)",
        "UPDATE binding SET patient_id = %s WHERE device_id = (SELECT id FROM device WHERE serial = 'SW-2')",
        "UPDATE stay SET patient_id = %s WHERE upper_inf(during)",
    ):
        with pytest.raises(psycopg.errors.CheckViolation), db.cursor() as cur:
            cur.execute(statement, (gone,))


@pytest.mark.parametrize("path", ["/patients", "/api/patients/"])
def test_a_form_on_its_way_when_the_record_is_merged(site: Site, cast: Cast, nurse: Actor, path: str) -> None:
    gone = new_patient("Achieng")
    merge(nurse, kept=cast.achieng.patient_id, gone=gone)
    with pytest.raises(psycopg.errors.CheckViolation) as found, db.cursor() as cur:
        cur.execute("INSERT INTO vital_state (patient_id) VALUES (%s)", (gone,))
    with site.app.test_request_context(path):
        answer = site.app.make_response(site.app.handle_user_exception(found.value))
    assert answer.status_code == 409
    assert "merged into another one" in answer.get_data(as_text=True)


def test_two_who_lie_in_beds_are_two(site: Site, cast: Cast, nurse: Actor) -> None:
    with pytest.raises(ConflictError, match="Both lay in a bed at the same time"):
        merge(nurse, kept=cast.achieng.patient_id, gone=cast.baraka.patient_id)
    bed = site.row("SELECT bed_id FROM stay WHERE patient_id = %s", cast.baraka.patient_id)[0]
    discharge(nurse, cast.baraka.patient_id, seen=bed)
    # Both lay there until a moment ago.
    with pytest.raises(ConflictError, match="Both lay in a bed"):
        merge(nurse, kept=cast.achieng.patient_id, gone=cast.baraka.patient_id)
    assert site.row("SELECT count(*) FROM patient WHERE merged_into IS NOT NULL") == (0,)
    assert site.row("SELECT count(*) FROM stay WHERE patient_id = %s", cast.baraka.patient_id) == (1,)


def test_own_limits_of_the_one_that_goes_end(site: Site, cast: Cast, nurse: Actor, people: People) -> None:
    other = new_patient("Baraka")
    with db.transaction() as session:
        scope = Scope.of_patient(cast.baraka.patient_id)
        wanted = {Key("heart_rate", "high"): Setting(value=105.0)}
        limit_versions.change(
            session, scope, wanted, by=nurse.account_id, reason="Known to be fast", now=clock.now()
        )
    found = merge(nurse, kept=other, gone=cast.baraka.patient_id)
    assert found.dropped == ("heart_rate",)
    gone = number_of(site, cast.baraka.patient_id)
    site.client.sign_in(people.amina, PASSWORD)
    limits = site.client.get(f"/patients/{other}/limits").get_data(as_text=True)
    ended = limits.split("Ended by a merge")[1].split("</section>")[0]
    assert gone in ended
    assert "105" in ended
    assert f"The record {gone} was merged into this one." in site.client.get(f"/patients/{other}").get_data(
        as_text=True
    )
    standing = "SELECT cells::text FROM limit_version WHERE patient_id = %s AND superseded_at IS NULL"
    assert site.rows(standing, cast.baraka.patient_id) == [("{}",)]
    assert site.rows(standing, other) == []
    # The stay and the device went along: readings come to the one that is left.
    post(site, cast.baraka.key, [(1, {"heart_rate": 70})])
    assert site.row("SELECT count(*) FROM reading WHERE patient_id = %s", other) == (1,)


def test_merged_records_of_a_merged_record(site: Site, cast: Cast, nurse: Actor) -> None:
    first, second = new_patient("Achieng"), new_patient("Achieng")
    merge(nurse, kept=second, gone=first)
    merge(nurse, kept=cast.achieng.patient_id, gone=second)
    into = "SELECT DISTINCT merged_into FROM patient WHERE id IN (%s, %s)"
    assert site.row(into, first, second) == (cast.achieng.patient_id,)


def test_two_who_merge_at_once(site: Site, cast: Cast, nurse: Actor) -> None:
    gone, kept = new_patient("Achieng"), cast.achieng.patient_id
    told: list[str] = []
    ready = threading.Barrier(4)

    def act(swapped: bool) -> None:
        ready.wait()
        try:
            merge(nurse, kept=gone if swapped else kept, gone=kept if swapped else gone)
            told.append("done")
        except ConflictError as error:
            told.append(str(error))

    threads = [threading.Thread(target=act, args=[number % 2 == 1]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(["done", *[merging.MEANWHILE] * 3])


def test_posts_meanwhile_lose_nothing(site: Site, cast: Cast, nurse: Actor) -> None:
    now = clock.now()
    other = new_patient("Baraka")
    stop = threading.Event()
    sent: list[int] = []

    def device() -> None:
        browser = site.browser()
        while not stop.is_set():
            at = (now + timedelta(milliseconds=len(sent))).isoformat()
            answer = browser.post("/api/readings/", json={"readings": [{"measured_at": at, "heart_rate": 71}]},
                                  headers={"Authorization": f"Bearer {cast.baraka.key}"})  # fmt: skip
            if answer.status_code == 200:
                sent.append(answer.get_json()["stored"])

    thread = threading.Thread(target=device)
    thread.start()
    try:
        while len(sent) < 20:
            stop.wait(0.01)
        merge(nurse, kept=other, gone=cast.baraka.patient_id)
        most = len(sent) + 20
        while len(sent) < most:
            stop.wait(0.01)
    finally:
        stop.set()
        thread.join()
    assert site.row("SELECT count(*) FROM reading WHERE patient_id = %s", other) == (sum(sent),)
    assert site.row("SELECT count(*) FROM reading WHERE patient_id = %s", cast.baraka.patient_id) == (0,)


def form(site: Site, stays_on: UUID, other: UUID, **more: str) -> dict[str, str]:
    """The form as it may be sent."""
    number = number_of(site, stays_on)
    return {"other": str(other), "q": number_of(site, other), "kept": str(stays_on), "number": number,
            "born_on": "1950-03-04", "because": "Registered twice", "sure": "yes", **more}  # fmt: skip


def test_the_page_compares_asks_and_merges(site: Site, cast: Cast, amina: CheckedClient) -> None:
    other, kept = new_patient("Achieng"), cast.achieng.patient_id
    path = f"/patients/{kept}/merge"
    assert "Merge with" in amina.get(f"/patients/{kept}/record").get_data(as_text=True)
    found = amina.get(f"{path}?q={number_of(site, other)}").get_data(as_text=True)
    assert str(other) in found
    shown = amina.get(f"{path}?q={number_of(site, other)}&other={other}")
    assert "A merge cannot be undone." in shown.get_data(as_text=True)
    for changes, words in (
        ({"kept": ""}, "Choose which record stays."),
        ({"born_on": "1950-03-05"}, "The date of birth is not that of the record that stays."),
        ({"number": "H-0"}, "This is not the hospital number of the record that stays."),
        ({"because": ""}, "Say why"),
        ({"sure": ""}, "Tick that it is one person."),
    ):
        answer = amina.submit(path, form(site, kept, other, **changes))
        assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True), words
    mismatches = "SELECT count(*) FROM audit_entry WHERE action = 'patients.merge_mismatch'"
    assert site.row(mismatches) == (2,)
    done = amina.submit(path, form(site, kept, other))
    assert (done.status_code, done.location) == (303, f"/patients/{kept}/record?merged={other}")
    assert site.row("SELECT merged_into FROM patient WHERE id = %s", other) == (kept,)
    # Again: the other one is not there any more.
    assert amina.submit(path, form(site, kept, other)).status_code == 404


def test_foreign_records_are_as_if_they_were_not(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    mine, foreign = cast.achieng.patient_id, cast.chebet.patient_id
    other = new_patient("Achieng")
    for path in (f"/patients/{foreign}/merge", f"/patients/{mine}/merge?other={foreign}&q={number_of(site, foreign)}",
                 f"/patients/{mine}/merge?other={other}", f"/patients/{mine}/merge?other={mine}"):  # fmt: skip
        assert amina.get(path).status_code == 404, path
    assert amina.submit(f"/patients/{mine}/merge", form(site, mine, foreign)).status_code == 404
    for email in (people.tekla, people.ada, people.patience):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        assert browser.get(f"/patients/{mine}/merge").status_code in (403, 404)
    with db.transaction(read_only=True) as session:
        assert stays.lying(session, [foreign])


def test_the_list_marks_two_who_may_be_one(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    kept = cast.achieng.patient_id
    row = site.row("SELECT family_name, given_name, born_on FROM patient WHERE id = %s", kept)
    twin = {"hospital_number": "KE & 9", "family_name": row[1].upper(), "given_name": row[0], "sex": "F",
            "born_on": row[2].isoformat()}  # fmt: skip
    asked = amina.submit("/patients", twin).get_data(as_text=True)
    assert f'href="/patients/{kept}/record"' in asked
    assert "Same name and birthday" not in amina.get("/patients").get_data(as_text=True)
    other = UUID(amina.submit("/patients", {**twin, "sure": "yes"}).location.split("/")[2])
    page = amina.get("/patients").get_data(as_text=True)
    assert page.count("Same name and birthday as") == 2
    link = f"/patients/{kept}/merge?q=KE+%26+9&amp;other={other}"
    assert link in page.replace("%20", "+")
    assert "Is this one person?" in amina.get(link.replace("&amp;", "&")).get_data(as_text=True)
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    assert "Same name and birthday" not in bruno.get("/patients").get_data(as_text=True)
