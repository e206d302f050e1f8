"""Things to name in addresses: some that a visitor may reach, and the same kinds of things that belong to others."""

import json
from datetime import timedelta
from typing import Final
from uuid import UUID

from silverwatch import clock
from silverwatch.blueprints.caregiver.observation_list import micros
from silverwatch.domain.devices import pairing_codes
from tests.cast import Cast, People, Worn
from tests.conftest import Site
from tests.security.routes import Visitor

OWN: Final = "own"
ELSEWHERE: Final = "elsewhere"
DUE_MS: Final = clock.epoch_ms(clock.now())
"""A time chooses among doses, and belongs to nobody: everywhere the same."""


def belongings(
    site: Site, cast: Cast, people: People, who: str, relation: str, visitor: Visitor
) -> dict[str, object]:
    """Placeholder (or "rule placeholder") to value. The visitor belongs to ward A; elsewhere is ward B.

    What a person owns by themselves (sessions, contacts, photo) is theirs, or else somebody's in ward B.
    """
    worn = cast.achieng if relation == OWN else cast.chebet
    mine = site.rows("SELECT id FROM account WHERE email = %s", visitor.email or people.amina)[0][0]
    holder = mine if relation == OWN else site.row("SELECT id FROM account WHERE email = %s", people.bruno)[0]
    found: dict[str, object] = {
        "slug": "a" if relation == OWN else "b",
        "patient_id": worn.patient_id,
        "alert_id": _alert(site, worn.patient_id),
        "subject_id": worn.ward_id,
        "account_id": _account(site, worn.ward_id),
        "/patients/<uuid:patient_id>/care-team/<uuid:account_id>/removal account_id": _colleague(site, worn),
        "/accounts/<uuid:account_id>/photo account_id": _photo(site, holder if who != "display" else mine),
        "session_id": _session(site, holder),
        "contact_id": _contact(site, holder),
        "display_id": _display(site, worn.ward_id, by=mine),
        "key_id": _key(site, worn.ward_id, by=mine),
        "access_id": _emergency(site, holder, worn.patient_id),
        "ward_id": worn.ward_id,
        "pause_id": _pause(site, worn.patient_id, by=mine),
        "incident_id": _incident(site, worn.patient_id, worn.ward_id),
        "shift_id": _shift(site, worn.ward_id, by=mine),
        "address_id": _address(site, holder),
        "priority": "high",
        "rule_id": _rule(site, worn, who),
        "check_id": _check(site, worn.device_id, by=mine),
        "device_id": _device(site, worn.ward_id),
        "filename": "css/base.css",
        "task_id": _task(site, worn.patient_id, by=holder),
        "assessment_id": _assessment(site, worn.patient_id, by=holder),
        "instrument": "falls",
        "place_id": worn.bed_id,
        "/admin/places/<kind>/<uuid:place_id> kind": "bed",
        "/admin/places/<kind>/<uuid:place_id>/closing kind": "bed",
        "/admin/places/<kind>/<uuid:place_id>/opening kind": "bed",
        **_goal(site, worn.patient_id, by=holder),
        "handover_id": _handover(site, worn.ward_id, by=holder),
        "note_id": _note(site, worn.patient_id, by=holder),
        "fluid_id": _fluid(site, worn.patient_id, by=holder),
        "due_ms": DUE_MS,
        "pairing_id": _pairing(site, worn, by=mine),
        "kind": "allergy",
        "entry_id": _entry(site, worn.patient_id, by=holder),
        "binding_id": site.row("SELECT id FROM binding WHERE device_id = %s", worn.device_id)[0],
        "act_id": _move(site, worn, by=holder),
    }
    found["medication_id"], found["dose_id"] = _medication(site, worn.patient_id, by=holder)
    found["source_id"], found["micros"] = _reading(site, worn.patient_id, by=holder)
    found["fault_id"] = _fault(site, worn)
    found["/pairings/<uuid:subject_id>/panel subject_id"] = found["pairing_id"]
    found["/alerts/<uuid:subject_id>/detail subject_id"] = found["alert_id"]
    for part in ("alarm-badge", "notice-badge", "notices", "staff-bar", "alarms"):
        found[f"/accounts/<uuid:subject_id>/{part} subject_id"] = holder
    for part in ("tile", "trend"):
        found[f"/beds/<uuid:subject_id>/{part} subject_id"] = worn.bed_id
    for part in ("shift", "rounds", "wards", "fleet", "fleet-counts", "faults"):
        found[f"/accounts/<uuid:subject_id>/{part} subject_id"] = holder
    for part in ("alarm-strip", "latest", "news2", "timeline"):
        found[f"/patients/<uuid:subject_id>/{part} subject_id"] = worn.patient_id
    return found


def _insert(site: Site, table: str, **values: object) -> UUID:
    new = clock.new_id()
    columns = ", ".join(("id", *values))
    marks = ", ".join(["%s"] * (len(values) + 1))
    with site.cursor() as cur:
        cur.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})".encode(), (new, *values.values()))
    return new


def _reading(site: Site, patient_id: UUID, *, by: UUID) -> tuple[UUID, int]:
    """A set by hand, just saved: its source, and when in microseconds since 1970."""
    source, at = clock.new_id(), clock.now()
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO reading (patient_id, measured_at, source_id, seq, received_at, source_kind, heart_rate)"
            " VALUES (%s, %s, %s, 1, %s, 'manual', 72)",
            (patient_id, at, source, at),
        )
        cur.execute(
            "INSERT INTO observation_entry (patient_id, measured_at, source_id, account_id, entered_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            (patient_id, at, source, by, at),
        )
    return source, micros(at)


def _move(site: Site, worn: Worn, *, by: UUID) -> UUID:
    """A discharge that is too long ago to be undone; its act."""
    act_id = clock.new_id()
    _insert(
        site, "move", act_id=act_id, kind="discharge", patient_id=worn.patient_id, from_bed_id=worn.bed_id,
        at=clock.now() - timedelta(days=1), account_id=by,
    )  # fmt: skip
    return act_id


def _fluid(site: Site, patient_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "fluid", patient_id=patient_id, at=now, kind="oral", ml=200, account_id=by, entered_at=now
    )


def _alert(site: Site, patient_id: UUID) -> UUID:
    now = clock.now()
    with site.cursor() as cur:
        cur.execute("DELETE FROM acknowledgement")
        cur.execute("DELETE FROM notice_attempt")
        cur.execute("DELETE FROM notice")
        cur.execute("DELETE FROM escalation")
        cur.execute("UPDATE drill SET alert_id = NULL")
        cur.execute("DELETE FROM alert")
    return _insert(
        site, "alert", patient_id=patient_id, subject="patient", subject_id=patient_id, kind="heart_rate.high",
        priority="medium", peak_priority="medium", technical=False, live=True, run_from=now, event_at=now, last_at=now,
        raised_at=now,
    )  # fmt: skip


def _account(site: Site, ward_id: UUID) -> UUID:
    """Somebody whom nothing here minds being changed."""
    now = clock.now()
    account_id = _insert(
        site, "account", email=f"{clock.new_id().hex}@spare.example", role="caregiver", name="Spare",
        created_at=now, email_confirmed_at=now, approved_at=now,
    )  # fmt: skip
    with site.cursor() as cur:
        cur.execute("INSERT INTO membership (account_id, ward_id) VALUES (%s, %s)", (account_id, ward_id))
    return account_id


def _colleague(site: Site, worn: Worn) -> UUID:
    """Somebody of the patient's team."""
    account_id = _account(site, worn.ward_id)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO care_team_member (patient_id, account_id, added_at) VALUES (%s, %s, now())",
            (worn.patient_id, account_id),
        )
    return account_id


def _photo(site: Site, account_id: UUID) -> UUID:
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO account_photo (account_id, jpeg, changed_at) VALUES (%s, %s, now()) ON CONFLICT DO NOTHING",
            (account_id, b"\xff\xd8\xff\xd9"),
        )
    return account_id


def _session(site: Site, account_id: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "login_session", token_hash=clock.new_id().bytes * 2, account_id=account_id, created_at=now,
        expires_at=now.replace(year=now.year + 1), active_at=now,
    )  # fmt: skip


def _contact(site: Site, account_id: UUID) -> UUID:
    return _insert(
        site, "emergency_contact", account_id=account_id, name="Ann", relation="Sister", phone="+254 700 000 000",
        created_at=clock.now(),
    )  # fmt: skip


def _task(site: Site, patient_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "task", patient_id=patient_id, what="Turn", due_at=now, added_at=now, added_by=by,
    )  # fmt: skip


def _assessment(site: Site, patient_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "assessment", patient_id=patient_id, instrument="falls", version=1, at=now, entered_at=now, account_id=by,
        answers="{}", result="",
    )  # fmt: skip


def _goal(site: Site, patient_id: UUID, *, by: UUID) -> dict[str, UUID]:
    now = clock.now()
    goal_id = _insert(site, "goal", patient_id=patient_id, set_at=now, set_by=by)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO goal_version (goal_id, version, what, at, account_id) VALUES (%s, 1, 'Walks', %s, %s)",
            (goal_id, now, by),
        )
    progress_id = _insert(site, "goal_progress", goal_id=goal_id, at=now, account_id=by, text="Two steps.")
    return {"goal_id": goal_id, "progress_id": progress_id}


def _medication(site: Site, patient_id: UUID, *, by: UUID) -> tuple[UUID, UUID]:
    """One that is given as needed, and a dose of it."""
    now = clock.now()
    found = _insert(
        site, "medication", patient_id=patient_id, name="Morphine", added_at=now, added_by=by,
    )  # fmt: skip
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO medication_version (medication_id, version, from_at, at, account_id, dose, route, kind,"
            " reason, least_min, most_24h) VALUES (%s, 1, %s, %s, %s, '5 mg', 'iv', 'as_needed', 'pain', 60, 4)",
            (found, now, now, by),
        )
    return found, _insert(
        site, "medication_dose", medication_id=found, patient_id=patient_id, version=1, outcome="given", at=now,
        account_id=by, entered_at=now,
    )  # fmt: skip


def _handover(site: Site, ward_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    sheet = {
        "ward_id": str(ward_id), "ward_slug": "a", "ward_name": "Ward", "since": now.isoformat(), "at": now.isoformat(),
        "on_duty": [], "lines": [], "empty_beds": [],
    }  # fmt: skip
    return _insert(site, "handover", ward_id=ward_id, at=now, accepted_by=by, sheet=json.dumps(sheet))


def _display(site: Site, ward_id: UUID, *, by: UUID) -> UUID:
    return _insert(site, "display", ward_id=ward_id, name="Corridor", created_by=by, created_at=clock.now())


def _key(site: Site, ward_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "api_key", name="Lab", key_hash=clock.new_id().bytes * 2, hint="abcd", scopes=["alerts.read"],
        ward_ids=[ward_id], created_by=by, created_at=now, expires_at=now.replace(year=now.year + 1),
    )  # fmt: skip


def _shift(site: Site, ward_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "planned_shift", ward_id=ward_id, account_id=by, role="nurse", day=now.date(), pattern="early",
        starts_at=now, ends_at=now + timedelta(hours=8), planned_at=now, planned_by=by,
    )  # fmt: skip


def _address(site: Site, account_id: UUID) -> UUID:
    return _insert(
        site, "notice_address", account_id=account_id, channel="sms", address=f"+2547{clock.new_id().int % 10**8:08}",
        added_at=clock.now(),
    )  # fmt: skip


def _device(site: Site, ward_id: UUID) -> UUID:
    device_id = _insert(
        site, "device", serial=f"X-{clock.new_id().hex}", kind="wearable", interval_s=4, ward_id=ward_id,
        created_at=clock.now(),
    )  # fmt: skip
    with site.cursor() as cur:
        cur.execute("INSERT INTO device_state (device_id) VALUES (%s)", (device_id,))
    return device_id


def _check(site: Site, device_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    with site.cursor() as cur:
        cur.execute("DELETE FROM device_check")
    return _insert(
        site, "device_check", device_id=device_id, kind="battery", due_at=now, added_at=now, added_by=by
    )


def _fault(site: Site, worn: Worn) -> UUID:
    """An open alarm about the device."""
    now = clock.now()
    return _insert(
        site, "alert", patient_id=worn.patient_id, subject="device", subject_id=worn.device_id, kind="low_battery",
        device_id=worn.device_id, priority="low", peak_priority="low", technical=True, live=True, run_from=now,
        event_at=now, last_at=now, raised_at=now,
    )  # fmt: skip


def _rule(site: Site, worn: Worn, who: str) -> UUID:
    """An alarm rule of a ward; for a caregiver one of a patient, which is what a caregiver may change."""
    now = clock.now()
    whose = {"ward_id": worn.ward_id} if who == "admin" else {"patient_id": worn.patient_id}
    rule_id = _insert(site, "alarm_rule", version=1, created_at=now, **whose)
    rule = '{"name": "Fast", "condition": {"type": "value", "vital": "heart_rate", "operator": ">", "bound": 100}}'
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO alarm_rule_version (rule_id, number, rule, changed_at) VALUES (%s, 1, %s, %s)",
            (rule_id, rule, now),
        )
    return rule_id


def _pairing(site: Site, worn: Worn, *, by: UUID) -> UUID:
    """An open code of the device."""
    with site.cursor() as cur:
        cur.execute("DELETE FROM pairing")
    new, now = clock.new_id(), clock.now()
    key = pairing_codes.keys_of(site.config)[0]
    said = pairing_codes.secrets_of(new, key=key)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO pairing (id, device_id, ward_id, kind, interval_s, handle, code_hash, token_hash, made_by,"
            " made_at, expires_at) VALUES (%s, %s, %s, 'monitor', 1, %s, %s, %s, %s, %s, %s)",
            (new, worn.device_id, worn.ward_id, said.handle, pairing_codes.hash_of(said.code, key=key),
             pairing_codes.hash_of(said.token, key=key), by, now, now + timedelta(minutes=10)),
        )  # fmt: skip
    return new


def _emergency(site: Site, account_id: UUID, patient_id: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "emergency_access", account_id=account_id, patient_id=patient_id, reason="No pulse, ward B is empty",
        begun_at=now, ends_at=now, ended_at=now,
    )  # fmt: skip


def _note(site: Site, patient_id: UUID, *, by: UUID) -> UUID:
    note_id = _insert(site, "note", patient_id=patient_id, written_at=clock.now(), written_by=by)
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO note_version (note_id, version, text, at, account_id) VALUES (%s, 1, 'Sat up.', now(), %s)",
            (note_id, by),
        )
    return note_id


def _entry(site: Site, patient_id: UUID, *, by: UUID) -> UUID:
    return _insert(
        site, "record_entry", patient_id=patient_id, kind="allergy", what=f"Latex {clock.new_id()}",
        added_at=clock.now(), added_by=by,
    )  # fmt: skip


def _pause(site: Site, patient_id: UUID, *, by: UUID) -> UUID:
    now = clock.now()
    with site.cursor() as cur:
        cur.execute("DELETE FROM pause")
    return _insert(
        site, "pause", scope="patient", patient_id=patient_id, reason="xray", started_at=now, started_by=by,
        ends_at=now + timedelta(hours=1),
    )  # fmt: skip


def _incident(site: Site, patient_id: UUID, ward_id: UUID) -> UUID:
    now = clock.now()
    return _insert(
        site, "incident", kind="fall", patient_id=patient_id, ward_id=ward_id, at=now, opened_at=now
    )
