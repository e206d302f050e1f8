"""What the tests of moves and bindings share: free beds, acts in transactions of their own, who lies where."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions import leaving, moving, undo
from silverwatch.domain.admissions.moving import Target
from silverwatch.domain.alerts import rebinding
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.wearing import worn_by
from silverwatch.domain.records import stays
from tests.cast import create_bed, create_patient
from tests.conftest import Site


def new_bed(ward_id: UUID, label: str = "A9") -> UUID:
    """A free bed."""
    with db.transaction() as session:
        return create_bed(session, ward_id, label=label, position=9).id


def new_patient(name: str = "Njeri") -> UUID:
    """A patient who lies nowhere."""
    with db.transaction() as session:
        return create_patient(session, name).id


def admit(actor: Actor, patient_id: UUID, ward_id: UUID, bed_id: UUID | None = None) -> UUID:
    """Admit; gives the act."""
    with db.transaction() as session:
        to = Target(ward_id=ward_id, bed_id=bed_id)
        return moving.admit(session, actor, patient_id=patient_id, to=to, now=clock.now()).act_id


def transfer(
    actor: Actor, patient_id: UUID, ward_id: UUID, bed_id: UUID, *, seen: UUID, left: Collection[UUID] = ()
) -> UUID:
    """Transfer; what is not left goes along."""
    now = clock.now()
    with db.transaction() as session:
        worn = {item.device_id for item in worn_by(session, [patient_id], at=now)}
        to = Target(ward_id=ward_id, bed_id=bed_id)
        move = moving.transfer(
            session,
            actor,
            patient_id=patient_id,
            seen=seen,
            to=to,
            along=worn - set(left),
            left=left,
            now=now,
        )
        return move.act_id


def discharge(actor: Actor, patient_id: UUID, *, seen: UUID, because: str = "home") -> leaving.Discharged:
    """Discharge, with all that the patient wears."""
    now = clock.now()
    with db.transaction() as session:
        worn = [item.device_id for item in worn_by(session, [patient_id], at=now)]
        return leaving.discharge(
            session, actor, patient_id=patient_id, seen=seen, because=because, devices_seen=worn, now=now
        )


def take_back(actor: Actor, act_id: UUID, *, now: datetime | None = None) -> None:
    """Undo."""
    with db.transaction() as session:
        undo.undo(session, actor, act_id, now=now or clock.now())


def put_on(
    actor: Actor, device_id: UUID, patient_id: UUID, *, start: datetime, end: datetime | None = None
) -> None:
    """Bind, as whoever attaches does."""
    with db.transaction() as session:
        stays.lock_patients(session, [patient_id])
        with rebinding.changing(session, actor, [device_id], now=clock.now()):
            devices.bind(session, device_id=device_id, patient_id=patient_id, start=start, end=end)


def take_off(actor: Actor, device_id: UUID, *, at: datetime) -> None:
    """Unbind."""
    with db.transaction() as session, rebinding.changing(session, actor, [device_id], now=clock.now()):
        devices.unbind(session, device_id=device_id, at=at)


def beds(site: Site) -> dict[str, str]:
    """Label of a bed to the name of who lies in it now."""
    query = (
        "SELECT b.label, p.family_name FROM stay s JOIN bed b ON b.id = s.bed_id JOIN patient p ON p.id = s.patient_id"
        " WHERE s.during @> now()"
    )
    return dict(site.rows(query))


def worn(site: Site) -> dict[str, str]:
    """Serial number to the name of who wears it now."""
    query = (
        "SELECT d.serial, p.family_name FROM binding b JOIN device d ON d.id = b.device_id"
        " JOIN patient p ON p.id = b.patient_id WHERE b.during @> now()"
    )
    return dict(site.rows(query))


def readings(site: Site, patient_id: UUID) -> list[float]:
    """The heart rates of a patient in order of time."""
    query = "SELECT heart_rate FROM reading WHERE patient_id = %s ORDER BY measured_at"
    return [row[0] for row in site.rows(query, patient_id)]


def kept(site: Site) -> list[str]:
    """What waits in the quarantine, as it came."""
    query = "SELECT item FROM quarantine WHERE decided_at IS NULL ORDER BY measured_at"
    return [row[0] for row in site.rows(query)]


def latest(site: Site, patient_id: UUID) -> dict[str, Any]:
    """Vital to its present value."""
    found = site.row("SELECT latest FROM vital_state WHERE patient_id = %s", patient_id)[0]
    return {name: entry[0] for name, entry in found.items()}
