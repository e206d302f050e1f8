"""Wards, rooms and beds: added, renamed, closed, opened; what of it the ward sees."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from psycopg.errors import ForeignKeyViolation

from silverwatch import clock, db
from silverwatch.domain.admissions import house
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.records import stays
from tests.cast import Cast, People, create_bed, create_patient
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of
from tests.shift.ward import counted


def page(browser: CheckedClient, path: str) -> str:
    """A page as it reads."""
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def refused(browser: CheckedClient, path: str, fields: dict[str, str] | None = None) -> str:
    """The form again, with what is wrong."""
    answer = browser.submit(path, fields)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def done(browser: CheckedClient, path: str, fields: dict[str, str] | None = None) -> str:
    """Where it leads."""
    answer = browser.submit(path, fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def room(browser: CheckedClient, ward_id: UUID, name: str) -> UUID:
    """A new room."""
    form_id = clock.new_id()
    done(browser, f"/admin/wards/{ward_id}/rooms", {"form_id": str(form_id), "name": name})
    return form_id


def spare(ward_id: UUID, label: str = "A9", position: int = 9) -> UUID:
    """A bed in which nobody lies."""
    with db.transaction() as session:
        return create_bed(session, ward_id, label=label, position=position).id


def test_a_new_house_names_the_next_action(
    site: Site, cast: Cast, people: People, ada: CheckedClient
) -> None:
    with site.cursor() as cur:
        cur.execute("DELETE FROM membership")
    assert "Add your first ward" in page(ada, "/admin")
    form = {"form_id": str(clock.new_id()), "name": "Ward  4B", "about": "Medicine"}
    for _ in range(2):
        assert done(ada, "/admin/wards", form).endswith(f"/admin/wards/{form['form_id']}")
    assert site.row("SELECT slug, name, description FROM ward WHERE id = %s", form["form_id"]) == (
        "ward-4b", "Ward 4B", "Medicine",
    )  # fmt: skip
    text = page(ada, f"/admin/wards/{form['form_id']}")
    assert "This ward has no beds yet." in text
    assert "invite who works here" in text
    # Who adds a ward belongs to it: its board is there at once.
    assert page(ada, "/ward/ward-4b")
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'ward.added'") == (1,)


@pytest.mark.parametrize("name", ["Ward A", "ward a"])
def test_a_name_that_is_there_comes_back_with_the_form(
    site: Site, cast: Cast, ada: CheckedClient, name: str
) -> None:
    text = refused(ada, "/admin/wards", {"name": name, "about": "Second"})
    assert "There is a ward of this name already" in text
    assert 'value="Second"' in text
    assert "Enter a name." in refused(ada, "/admin/wards", {"name": " "})
    assert "at most 60 characters" in refused(ada, "/admin/wards", {"name": "x" * 61})
    ward = cast.achieng.ward_id
    room(ada, ward, "Bay 1")
    assert "There is a room of this name" in refused(ada, f"/admin/wards/{ward}/rooms", {"name": "BAY 1"})
    assert "There is a bed of this name" in refused(ada, f"/admin/wards/{ward}/beds", {"beds": "a1, A7"})


def test_a_slug_that_is_taken_gets_a_number(site: Site, cast: Cast, ada: CheckedClient) -> None:
    for name in ("Intensive Care", "Intensive/Care", "集中治療"):
        done(ada, "/admin/wards", {"name": name})
    found = {slug for (slug,) in site.rows("SELECT slug FROM ward")}
    assert {"intensive-care", "intensive-care-2", "ward"} <= found


def test_many_beds_are_shown_before_they_are_added(
    site: Site, cast: Cast, ada: CheckedClient, amina: CheckedClient
) -> None:
    ward = cast.achieng.ward_id
    bay = room(ada, ward, "Bay 1")
    url, fields = f"/admin/wards/{ward}/beds", {"beds": "20-22, Window", "room": str(bay)}
    shown = ada.submit(url, fields)
    assert shown.status_code == 200
    assert "Add 4 beds?" in shown.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM bed WHERE label = 'Window'") == (0,)
    board = page(amina, "/ward/a")
    done(ada, url, {**fields, "sure": "yes"})
    # They stand on the board after those that were there, which keep their order.
    rows = site.rows(
        "SELECT label FROM bed WHERE ward_id = %s AND kind = 'bed' ORDER BY position, label", ward
    )
    assert [label for (label,) in rows] == ["A1", "A2", "20", "21", "22", "Window"]
    after = page(amina, "/ward/a")
    assert "Window" not in board
    assert after.index("ACHIENG") < after.index("BARAKA") < after.index("Window")
    again = refused(ada, url, {**fields, "sure": "yes"})
    assert "There is a bed of this name in the ward already: 20, 21, 22, Window" in again


def test_what_is_wrong_with_beds_says_so(site: Site, cast: Cast, ada: CheckedClient) -> None:
    url = f"/admin/wards/{cast.achieng.ward_id}/beds"
    other = room(ada, cast.chebet.ward_id, "Bay B")
    assert "Write the beds" in refused(ada, url, {"beds": ""})
    assert "smaller number first" in refused(ada, url, {"beds": "9-1"})
    assert "at most 1000 characters" in refused(ada, url, {"beds": "x" * 2000})
    for wrong in (str(other), str(clock.new_id()), "none"):
        assert "Choose a room of this ward." in refused(ada, url, {"beds": "30", "room": wrong})


def test_an_occupied_bed_is_not_closed(site: Site, cast: Cast, ada: CheckedClient) -> None:
    bed = cast.achieng.bed_id
    text = refused(ada, f"/admin/places/bed/{bed}/closing")
    assert "bed A1: ACHIENG, Test" in text
    seen = "SELECT count(*) FROM audit_entry WHERE action = 'record.viewed' AND %s = ANY (patient_ids)"
    assert site.row(seen, cast.achieng.patient_id) == (1,)
    with site.cursor() as cur:
        cur.execute("DELETE FROM membership")
    hidden = refused(ada, f"/admin/places/bed/{bed}/closing")
    assert "Occupied: bed A1" in hidden
    assert "ACHIENG" not in hidden
    assert "Occupied: bed" in refused(ada, f"/admin/places/ward/{cast.achieng.ward_id}/closing")
    assert site.row("SELECT count(*) FROM bed WHERE closed_at IS NOT NULL") == (0,)


def test_a_closed_bed_takes_nobody(
    site: Site, cast: Cast, people: People, ada: CheckedClient, amina: CheckedClient
) -> None:
    ward, bed = cast.achieng.ward_id, spare(cast.achieng.ward_id)
    assert "A9" in page(amina, "/ward/a")
    done(ada, f"/admin/places/bed/{bed}/closing")
    assert "A9" not in page(amina, "/ward/a")
    assert "A9" not in page(amina, "/ward/a/admission")
    assert "Closed" in page(amina, "/ward/a/beds")
    with db.transaction() as session:
        patient = create_patient(session, "Dalila")
    with db.transaction() as session, pytest.raises(ConflictError, match="This bed is closed"):
        stays.begin(session, patient_id=patient.id, bed_id=bed, at=clock.now())
    done(ada, f"/admin/places/bed/{bed}/opening")
    with db.transaction() as session:
        stays.begin(session, patient_id=patient.id, bed_id=bed, at=clock.now())
    assert "DALILA" in page(amina, "/ward/a")
    acts = "SELECT action FROM audit_entry WHERE action LIKE 'bed.%%' AND ward_id = %s ORDER BY seq"
    assert site.rows(acts, ward) == [("bed.closed",), ("bed.opened",)]


def test_who_comes_while_the_bed_is_closed_is_refused_or_the_closing_is(
    site: Site, cast: Cast, people: People
) -> None:
    actor = actor_of(people.ada)
    for number in range(6):
        bed = spare(cast.achieng.ward_id, label=f"R{number}", position=20 + number)
        with db.transaction() as session:
            patient = create_patient(session, f"Race{number}").id
        start = Barrier(2)

        def come(patient: UUID = patient, bed: UUID = bed, start: Barrier = start) -> bool:
            start.wait()
            try:
                with db.transaction() as session:
                    stays.begin(session, patient_id=patient, bed_id=bed, at=clock.now())
            except ConflictError:
                return False
            return True

        def shut(bed: UUID = bed, start: Barrier = start) -> bool:
            start.wait()
            try:
                with db.transaction() as session:
                    found = house.place_of(session, "bed", bed, lock=True)
                    house.close(session, actor, found, now=clock.now())
            except ConflictError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            came, closed = pool.submit(come), pool.submit(shut)
            assert came.result() != closed.result()


def test_a_bed_is_moved_to_another_room_with_who_lies_in_it(
    site: Site, cast: Cast, ada: CheckedClient, amina: CheckedClient
) -> None:
    ward, bed = cast.achieng.ward_id, cast.achieng.bed_id
    first, second = room(ada, ward, "Bay 1"), room(ada, ward, "Bay 2")
    before = site.rows("SELECT id, bed_id, during FROM stay ORDER BY id")
    for there in (first, second):
        done(ada, f"/admin/places/bed/{bed}", {"name": "A1", "room": str(there)})
    assert site.rows("SELECT id, bed_id, during FROM stay ORDER BY id") == before
    details = site.rows(
        "SELECT detail ->> 'now_in' FROM audit_entry WHERE action = 'bed.changed' ORDER BY seq"
    )
    assert details == [(str(first),), (str(second),)]
    text = page(amina, "/ward/a/beds")
    assert "Bay 2" in text
    assert "1 occupied, 0 free, 0 closed" in text
    assert text.index("Bay 2") < text.index("In no room")
    wrong = refused(ada, f"/admin/places/bed/{bed}", {"name": "A2", "room": str(second)})
    assert "There is a bed of this name in the ward already" in wrong
    with pytest.raises(ForeignKeyViolation), site.cursor() as cur:
        cur.execute("UPDATE bed SET room_id = %s WHERE id = %s", (first, cast.chebet.bed_id))


def test_a_room_closes_its_beds_and_opens_those_again(site: Site, cast: Cast, ada: CheckedClient) -> None:
    ward = cast.achieng.ward_id
    bay = room(ada, ward, "Bay 1")
    done(ada, f"/admin/wards/{ward}/beds", {"beds": "30-32", "room": str(bay), "sure": "yes"})
    beds = dict(site.rows("SELECT label, id FROM bed WHERE room_id = %s", bay))
    done(ada, f"/admin/places/bed/{beds['30']}/closing")
    done(ada, f"/admin/places/room/{bay}/closing")
    assert site.row("SELECT count(*) FROM bed WHERE closed_at IS NOT NULL") == (3,)
    assert "is closed. Choose another room." in refused(
        ada, f"/admin/wards/{ward}/beds", {"beds": "33", "room": str(bay)}
    )
    assert "Open the room first." in refused(ada, f"/admin/places/bed/{beds['31']}/opening")
    done(ada, f"/admin/places/room/{bay}/opening")
    # The one that was closed by itself stays closed.
    assert site.rows("SELECT label FROM bed WHERE closed_at IS NOT NULL") == [("30",)]


def test_a_closed_ward_stands_nowhere_and_comes_back(
    site: Site, cast: Cast, people: People, ada: CheckedClient
) -> None:
    ward_id = clock.new_id()
    done(ada, "/admin/wards", {"form_id": str(ward_id), "name": "Ward C"})
    done(ada, f"/admin/wards/{ward_id}/beds", {"beds": "1-2", "sure": "yes"})
    done(ada, f"/admin/places/ward/{ward_id}/closing")
    assert ada.get("/ward/ward-c").status_code == 404
    assert "stands on no board" in page(ada, f"/admin/wards/{ward_id}")
    assert "This ward is closed." in refused(ada, f"/admin/wards/{ward_id}/rooms", {"name": "Bay"})
    done(ada, f"/admin/places/ward/{ward_id}/opening")
    assert page(ada, "/ward/ward-c")
    assert site.row("SELECT count(*) FROM bed WHERE closed_at IS NOT NULL") == (0,)


def test_names_change_and_addresses_stay(site: Site, cast: Cast, ada: CheckedClient) -> None:
    ward = cast.achieng.ward_id
    done(ada, f"/admin/places/ward/{ward}", {"name": "Ward Alpha", "about": "Medicine"})
    assert site.row("SELECT slug, name, description FROM ward WHERE id = %s", ward) == (
        "a",
        "Ward Alpha",
        "Medicine",
    )
    assert "There is a ward of this name" in refused(ada, f"/admin/places/ward/{ward}", {"name": "Ward B"})
    bay = room(ada, ward, "Bay 1")
    done(ada, f"/admin/places/room/{bay}", {"name": "Bay One"})
    assert "Bay One" in page(ada, f"/admin/wards/{ward}")


def test_only_administrators_and_only_what_is_there(
    site: Site, cast: Cast, people: People, ada: CheckedClient, amina: CheckedClient
) -> None:
    assert amina.get("/admin/wards").status_code == 403
    assert amina.submit(f"/admin/places/bed/{cast.achieng.bed_id}/closing").status_code == 403
    nobody, bed = clock.new_id(), cast.achieng.bed_id
    for path in (f"/admin/wards/{nobody}", f"/admin/places/bed/{nobody}", f"/admin/places/x/{bed}"):
        assert ada.get(path).status_code == 404
    with db.transaction() as session:
        home = stays.free_home(session, cast.achieng.ward_id).id
    assert ada.get(f"/admin/places/bed/{home}").status_code == 404


def test_many_wards_take_as_many_statements_as_one(
    site: Site, cast: Cast, people: People, ada: CheckedClient
) -> None:
    def statements() -> int:
        with counted() as found:
            page(ada, "/admin/wards")
        return len(found)

    statements()
    few = statements()
    actor = actor_of(people.ada)
    with db.transaction() as session:
        for number in range(5):
            house.add_ward(session, actor, ward_id=clock.new_id(), says=house.Name(name=f"W{number}"))
    assert statements() == few
