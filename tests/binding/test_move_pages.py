"""Admit, transfer, swap, discharge and undo in the pages of a caregiver."""

import re
from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.records import care_team
from tests.binding.ward import admit, beds, discharge, new_bed, new_patient, worn
from tests.cast import PASSWORD, Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site

BEDS = "/ward/a/beds"


def text_of(client: CheckedClient, path: str) -> str:
    """A page."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


@pytest.fixture
def njeri(site: Site, cast: Cast, nurse: Actor) -> str:
    """A patient of Amina's care who lies in no bed; her id."""
    patient = new_patient("Njeri")
    with db.transaction() as session:
        care_team.join(session, nurse, patient_id=patient, account_id=nurse.account_id, now=clock.now())
    return str(patient)


def test_the_beds_of_a_ward(site: Site, cast: Cast, amina: CheckedClient) -> None:
    bed = new_bed(cast.achieng.ward_id)
    page = text_of(amina, BEDS)
    assert "ACHIENG, Test" in page
    assert f"/ward/a/admission?bed={bed}" in page
    assert "<b>2</b> of 3 beds occupied" in page
    assert "CHEBET" not in page
    assert amina.get("/ward/b/beds").status_code == 404
    assert site.row("SELECT count(*) FROM audit_entry WHERE detail->>'view' = 'beds of a ward'") == (1,)


def test_a_ward_without_beds_says_what_to_do(site: Site, amina: CheckedClient, people: People) -> None:
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO ward (id, slug, name, description) VALUES (gen_random_uuid(), 'c', 'Ward C', '')"
        )
        cur.execute(
            "INSERT INTO membership (account_id, ward_id) SELECT a.id, w.id FROM account a, ward w"
            " WHERE a.email = %s AND w.slug = 'c'",
            (people.amina,),
        )
    assert "This ward has no beds yet." in text_of(amina, "/ward/c/beds")


def test_admit_and_undo(site: Site, cast: Cast, amina: CheckedClient, njeri: str) -> None:
    bed = new_bed(cast.achieng.ward_id)
    page = text_of(amina, f"/ward/a/admission?bed={bed}")
    assert "NJERI, Test" in page
    assert re.search(f'value="{bed}" checked', page)
    refused = amina.submit("/ward/a/admission", {"bed": str(bed)})
    assert (refused.status_code, "Choose the patient." in refused.get_data(as_text=True)) == (422, True)
    refused = amina.submit("/ward/a/admission", {"patient": njeri, "bed": str(cast.achieng.bed_id)})
    assert (refused.status_code, "Choose a free one" in refused.get_data(as_text=True)) == (422, True)
    done = amina.submit("/ward/a/admission", {"patient": njeri, "bed": str(bed)})
    assert done.status_code == 303
    page = text_of(amina, done.location)
    assert "admitted to A9" in page
    act = re.search("/moves/([0-9a-f-]{36})/undo", page)
    assert act is not None
    undone = amina.submit(f"/moves/{act[1]}/undo")
    assert "It is undone" in text_of(amina, undone.location)
    assert "A9" not in beds(site)


def test_somebody_is_found_by_the_whole_number_only(
    site: Site, cast: Cast, amina: CheckedClient, people: People
) -> None:
    stranger = new_patient("Stranger")
    number = site.row("SELECT hospital_number FROM patient WHERE id = %s", stranger)[0]
    assert "STRANGER" not in text_of(amina, "/ward/a/admission?q=stran")
    assert "STRANGER" not in text_of(amina, f"/ward/a/admission?q={number[:-1]}")
    assert "STRANGER" in text_of(amina, f"/ward/a/admission?q={number.lower()}")
    bed = new_bed(cast.achieng.ward_id)
    wrong = amina.submit("/ward/a/admission", {"patient": str(stranger), "bed": str(bed)})
    assert wrong.status_code == 422
    right = {"patient": str(stranger), "bed": "home", "q": number}
    assert amina.submit("/ward/a/admission", right).status_code == 303
    assert beds(site)["Home 1"] == "Stranger"
    for page in ("/ward/a", BEDS):
        assert "STRANGER" in text_of(amina, page)


def test_who_has_just_left_is_found_by_name(
    site: Site, cast: Cast, nurse: Actor, amina: CheckedClient
) -> None:
    discharge(nurse, cast.achieng.patient_id, seen=cast.achieng.bed_id)
    assert "ACHIENG, Test" in text_of(amina, "/ward/a/admission?q=achi")
    assert amina.get(f"/patients/{cast.achieng.patient_id}").status_code == 404


def test_transfer(site: Site, cast: Cast, amina: CheckedClient) -> None:
    who, bed = cast.achieng, new_bed(cast.chebet.ward_id, "B9")
    path = f"/patients/{who.patient_id}/transfer"
    page = text_of(amina, path)
    assert "Ward B" in page
    assert "CHEBET" not in page
    refused = amina.submit(path, {"to": str(bed)})
    assert "Say of each device whether it goes along." in refused.get_data(as_text=True)
    assert refused.status_code == 422
    done = amina.submit(path, {"to": str(bed), f"device-{who.device_id}": "left"})
    assert done.location.startswith("/ward/a/beds?done=")
    assert "moved from A1 to B9" in text_of(amina, done.location)
    assert beds(site)["B9"] == "Achieng"
    assert "SW-1" not in worn(site)
    assert amina.get(path).status_code == 404


@pytest.mark.parametrize("to", ["", "x", "home:x", "home:", "\0"])
def test_a_transfer_to_nowhere(site: Site, cast: Cast, amina: CheckedClient, to: str) -> None:
    who = cast.achieng
    path = f"/patients/{who.patient_id}/transfer"
    assert amina.submit(path, {"to": to, f"device-{who.device_id}": "along"}).status_code == 422
    assert amina.submit(path, {"to": f"home:{cast.chebet.ward_id}"}).status_code == 422


def test_a_form_that_is_old_moves_nobody(site: Site, cast: Cast, nurse: Actor, amina: CheckedClient) -> None:
    who, bed = cast.achieng, new_bed(cast.achieng.ward_id)
    sent = {
        "to": str(bed),
        f"device-{who.device_id}": "along",
        f"seen-{who.patient_id}": str(cast.baraka.bed_id),
    }
    answer = amina.submit(f"/patients/{who.patient_id}/transfer", sent)
    assert (answer.status_code, "meanwhile" in answer.get_data(as_text=True)) == (422, True)


def test_swap(site: Site, cast: Cast, amina: CheckedClient) -> None:
    one, other = cast.achieng, cast.baraka
    path = f"/patients/{one.patient_id}/swap"
    assert "BARAKA, Test" in text_of(amina, path)
    assert "Swap beds A1 and A2" in text_of(amina, f"{path}?other={other.patient_id}")
    sent = {
        "other": str(other.patient_id),
        f"device-{one.device_id}": "along",
        f"device-{other.device_id}": "along",
    }
    assert amina.submit(path, {"other": str(other.patient_id)}).status_code == 422
    assert amina.submit(path, {"other": str(one.patient_id)}).status_code == 422
    assert amina.submit(path, {**sent, "other": str(cast.chebet.patient_id)}).status_code == 404
    done = amina.submit(path, sent)
    assert "swapped beds" in text_of(amina, done.location)
    assert (beds(site)["A1"], beds(site)["A2"]) == ("Baraka", "Achieng")


def test_discharge(site: Site, cast: Cast, amina: CheckedClient) -> None:
    who = cast.achieng
    path = f"/patients/{who.patient_id}/discharge"
    page = text_of(amina, path)
    assert "These devices come off:" in page
    assert "SW-1" in page
    sent = {"because": "home", "sure": "yes", "device": str(who.device_id)}
    for wrong in ({"because": "moon"}, {"sure": ""}, {"device": ""}, {"device": str(cast.spare_id)}):
        assert amina.submit(path, {**sent, **wrong}).status_code == 422
    done = amina.submit(path, sent)
    page = text_of(amina, done.location)
    assert "discharged from A1" in page
    assert "A1" not in beds(site)
    assert amina.get(f"/patients/{who.patient_id}").status_code == 404


def test_an_undo_that_is_refused_says_why(
    site: Site, cast: Cast, nurse: Actor, amina: CheckedClient, njeri: str
) -> None:
    done = discharge(nurse, cast.achieng.patient_id, seen=cast.achieng.bed_id)
    admit(nurse, new_patient("Kamau"), cast.achieng.ward_id, cast.achieng.bed_id)
    answer = amina.submit(f"/moves/{done.move.act_id}/undo")
    assert answer.status_code == 422
    assert "Somebody lies in this bed already" in answer.get_data(as_text=True)


def test_only_of_ones_own_ward(site: Site, cast: Cast, nurse: Actor, people: People) -> None:
    done = discharge(nurse, cast.achieng.patient_id, seen=cast.achieng.bed_id)
    bruno = site.browser()
    bruno.sign_in(people.bruno, PASSWORD)
    for act in ("transfer", "swap", "discharge"):
        assert bruno.get(f"/patients/{cast.baraka.patient_id}/{act}").status_code == 404
        assert bruno.submit(f"/patients/{cast.baraka.patient_id}/{act}").status_code == 404
    assert bruno.submit(f"/moves/{done.move.act_id}/undo").status_code == 404
    assert bruno.submit("/ward/a/admission", {"bed": "home"}).status_code == 404


def test_where_a_patient_lay(site: Site, cast: Cast, nurse: Actor, amina: CheckedClient) -> None:
    page = text_of(amina, f"/patients/{cast.achieng.patient_id}/place")
    assert "until now" in page
    assert "SW-1" in page
    assert f"/patients/{cast.achieng.patient_id}/discharge" in page


def test_boards_hear_of_moves(site: Site, cast: Cast, nurse: Actor) -> None:
    from silverwatch.domain.records.facts import PatientsMoved

    told: list[object] = []
    db.on_commit(lambda facts: told.extend(fact for _, fact in facts))
    act = admit(nurse, new_patient(), cast.achieng.ward_id, bed := new_bed(cast.achieng.ward_id))
    (moved,) = [fact for fact in told if isinstance(fact, PatientsMoved)]
    assert moved.bed_ids == (bed,)
    assert moved.ward_ids == (cast.achieng.ward_id,)
    assert act is not None


def test_the_place_at_home_goes_from_the_board(site: Site, cast: Cast, nurse: Actor) -> None:
    from silverwatch.domain.alerts import queries

    ward = cast.achieng.ward_id

    def places() -> tuple[int, list[str]]:
        with db.transaction() as session:
            board = queries.boards(session, [ward], clock.now() + timedelta(seconds=1))[ward]
            counts = queries.counts(session, [ward], clock.now() + timedelta(seconds=1))[ward]
        assert counts.places == board.counts.places == len(board.tiles)
        return counts.places, [tile.bed_label for tile in board.tiles]

    before = places()
    patient = new_patient("Wambui")
    admit(nurse, patient, ward)
    assert places() == (before[0] + 1, [*before[1], "Home 1"])
    home = site.row("SELECT id FROM bed WHERE kind = 'home'")[0]
    discharge(nurse, patient, seen=home)
    assert places() == before
