"""Admit, transfer, swap, discharge and undo, against the database."""

from datetime import timedelta
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions import moving
from silverwatch.domain.alerts import limit_versions, pauses
from silverwatch.domain.alerts.limit_cells import Key, Setting
from silverwatch.domain.alerts.limit_proposal import Scope
from silverwatch.domain.errors import ConflictError, NotFoundError
from tests.binding.ward import (
    admit,
    beds,
    discharge,
    new_bed,
    new_patient,
    put_on,
    readings,
    take_back,
    transfer,
    worn,
)
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post


def test_admit_to_a_free_bed_and_only_to_a_free_one(site: Site, cast: Cast, nurse: Actor) -> None:
    ward, njeri = cast.achieng.ward_id, new_patient()
    with pytest.raises(ConflictError, match="Somebody lies in this bed already"):
        admit(nurse, njeri, ward, cast.achieng.bed_id)
    with pytest.raises(ConflictError, match="Transfer them instead"):
        admit(nurse, cast.achieng.patient_id, ward, new_bed(ward))
    admit(nurse, njeri, ward, new_bed(ward, "A8"))
    assert beds(site)["A8"] == "Njeri"
    assert site.row("SELECT kind, account_id FROM move") == ("admission", nurse.account_id)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'patient.admitted'") == (1,)


def test_nobody_admits_to_a_foreign_ward(site: Site, cast: Cast, nurse: Actor) -> None:
    njeri, bed = new_patient(), new_bed(cast.chebet.ward_id)
    for ward in (cast.chebet.ward_id, cast.achieng.ward_id):
        with pytest.raises(NotFoundError):
            admit(nurse, njeri, ward, bed)
    assert beds(site).get("A9") is None


def test_patients_at_home_have_places_of_their_own(site: Site, cast: Cast, nurse: Actor) -> None:
    ward = cast.achieng.ward_id
    first, second = new_patient("Wambui"), new_patient("Otieno")
    admit(nurse, first, ward)
    admit(nurse, second, ward)
    assert {label: name for label, name in beds(site).items() if "Home" in label} == {
        "Home 1": "Wambui",
        "Home 2": "Otieno",
    }
    place = site.row("SELECT id FROM bed WHERE label = 'Home 1'")[0]
    discharge(nurse, first, seen=place)
    admit(nurse, new_patient("Kamau"), ward)
    assert beds(site)["Home 1"] == "Kamau"


def test_a_transfer_asks_of_each_device(site: Site, cast: Cast, nurse: Actor) -> None:
    who, to = cast.achieng, new_bed(cast.chebet.ward_id, "B9")
    with db.transaction() as session, pytest.raises(ConflictError, match="Say of each device"):
        moving.transfer(
            session, nurse, patient_id=who.patient_id, seen=who.bed_id, along=[], left=[], now=clock.now(),
            to=moving.Target(ward_id=cast.chebet.ward_id, bed_id=to),
        )  # fmt: skip
    transfer(nurse, who.patient_id, cast.chebet.ward_id, to, seen=who.bed_id)
    assert (beds(site).get("A1"), beds(site)["B9"], worn(site)["SW-1"]) == (None, "Achieng", "Achieng")


def test_what_stays_behind_is_on_nobody(site: Site, cast: Cast, nurse: Actor) -> None:
    who, to = cast.achieng, new_bed(cast.achieng.ward_id)
    transfer(nurse, who.patient_id, who.ward_id, to, seen=who.bed_id, left=[who.device_id])
    assert "SW-1" not in worn(site)
    assert post(site, who.key, [(0, {"heart_rate": 70})])["rejected"][0]["code"] == "unbound"
    with pytest.raises(ConflictError, match="moved this patient meanwhile"):
        transfer(nurse, who.patient_id, who.ward_id, new_bed(who.ward_id, "A7"), seen=who.bed_id)


def swap(nurse: Actor, cast: Cast) -> UUID:
    """Achieng and Baraka change beds, and keep what they wear."""
    one, other = cast.achieng, cast.baraka
    with db.transaction() as session:
        moves = moving.swap(
            session, nurse, patient_ids=(one.patient_id, other.patient_id), seen=(one.bed_id, other.bed_id),
            along=[one.device_id, other.device_id], left=[], now=clock.now(),
        )  # fmt: skip
    return moves[0].act_id


def test_a_swap_and_back(site: Site, cast: Cast, nurse: Actor) -> None:
    act = swap(nurse, cast)
    assert (beds(site)["A1"], beds(site)["A2"]) == ("Baraka", "Achieng")
    assert worn(site)["SW-1"] == "Achieng"
    take_back(nurse, act)
    assert (beds(site)["A1"], beds(site)["A2"]) == ("Achieng", "Baraka")
    take_back(nurse, act)
    assert site.row("SELECT count(*) FROM stay WHERE upper_inf(during)") == (3,)


def test_a_discharge_ends_what_belongs_to_the_stay(site: Site, cast: Cast, nurse: Actor) -> None:
    who = cast.achieng
    scope, now = Scope.of_patient(who.patient_id), clock.now()
    post(site, who.key, held("heart_rate", 150, seconds=60))
    judge()
    with db.transaction() as session:
        limit_versions.change(
            session, scope, {Key("heart_rate", "high"): Setting(115.0)}, by=nurse.account_id,
            reason="Watched", now=now,
        )  # fmt: skip
        pauses.begin(
            session, nurse, scope="patient", subject_id=who.patient_id, reason="xray",
            ends_at=now + timedelta(hours=1), now=now,
        )  # fmt: skip
    assert [row[2] for row in alerts(site, who.patient_id)] == [True]
    done = discharge(nurse, who.patient_id, seen=who.bed_id)
    assert (done.devices, done.alarms, done.pauses) == (1, 1, 1)
    judge()
    assert alerts(site, who.patient_id) == [("heart_rate_high", "high", False, True)]
    assert site.row("SELECT resolution, resolved_by FROM alert") == ("discharged", nurse.account_id)
    assert site.rows("SELECT 1 FROM pause WHERE ended_at IS NULL") == []
    assert site.row("SELECT cells FROM limit_version WHERE superseded_at IS NULL") == ({},)
    assert "SW-1" not in worn(site)
    take_back(nurse, done.move.act_id)
    judge()
    assert beds(site)["A1"] == "Achieng"
    assert worn(site)["SW-1"] == "Achieng"
    assert site.row("SELECT cells <> '{}' FROM limit_version WHERE superseded_at IS NULL") == (True,)
    assert alerts(site, who.patient_id) == [("heart_rate_high", "high", True, True)]


def test_what_came_meanwhile_is_the_patients_after_an_undone_discharge(
    site: Site, cast: Cast, nurse: Actor
) -> None:
    who = cast.achieng
    post(site, who.key, [(5, {"heart_rate": 70})])
    done = discharge(nurse, who.patient_id, seen=who.bed_id)
    post(site, who.key, [(0, {"heart_rate": 71})])
    assert readings(site, who.patient_id) == [70]
    take_back(nurse, done.move.act_id)
    assert readings(site, who.patient_id) == [70, 71]


def test_an_undo_that_contradicts_is_refused(site: Site, cast: Cast, nurse: Actor) -> None:
    who, njeri = cast.achieng, new_patient()
    done = discharge(nurse, who.patient_id, seen=who.bed_id)
    admission = admit(nurse, njeri, who.ward_id, who.bed_id)
    with pytest.raises(ConflictError, match="Somebody lies in this bed"):
        take_back(nurse, done.move.act_id)
    put_on(nurse, who.device_id, njeri, start=clock.now())
    with pytest.raises(ConflictError, match="wears a device"):
        take_back(nurse, admission)
    with pytest.raises(ConflictError, match="for 10 minutes"):
        take_back(nurse, admission, now=clock.now() + timedelta(minutes=11))
    assert beds(site)["A1"] == "Njeri"


def test_a_late_reading_leaves_the_end_that_a_discharge_gave(site: Site, cast: Cast, nurse: Actor) -> None:
    who, ended = cast.achieng, "SELECT ended_at, ended_at = closed_at, resolution FROM alert"
    now = clock.now()
    post(site, who.key, held("heart_rate", 150, seconds=60, ending=10), until=now)
    judge()
    discharge(nurse, who.patient_id, seen=who.bed_id)
    before = site.row(ended)
    assert before[1:] == (True, "discharged")
    # Worse than what was known: the alarm says so, and still ends with the stay.
    post(site, who.key, [(32, {"heart_rate": 190}), (7, {"heart_rate": 150})], until=now)
    judge()
    assert site.row(ended) == before
    assert site.row("SELECT worst FROM alert") == (190,)


def test_a_late_reading_of_a_discharged_patient_sounds_nowhere(site: Site, cast: Cast, nurse: Actor) -> None:
    who = cast.achieng
    discharge(nurse, who.patient_id, seen=who.bed_id)
    post(site, who.key, held("heart_rate", 180, seconds=60, ending=5))
    judge()
    assert alerts(site, who.patient_id) == [("heart_rate_high", "high", False, False)]


def test_a_patients_own_rules_go_along(site: Site, cast: Cast, nurse: Actor) -> None:
    from silverwatch.domain.alerts.rule_book import in_force

    who = cast.achieng
    rule_id = clock.new_id()
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO alarm_rule (id, patient_id, version, created_at) VALUES (%s, %s, 1, now())",
            (rule_id, who.patient_id),
        )
        cur.execute(
            "INSERT INTO alarm_rule_version (rule_id, number, changed_at, rule, reason)"
            " SELECT %s, 1, now(), rule, '' FROM alarm_rule_version LIMIT 1",
            (rule_id,),
        )
    transfer(nurse, who.patient_id, who.ward_id, new_bed(who.ward_id), seen=who.bed_id)
    with db.transaction() as session:
        rules = in_force(session, [who.patient_id], now=clock.now())[who.patient_id]
    assert str(rule_id) in {key for key, _ in rules}
