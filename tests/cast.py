"""The people and things of the tests: plain functions on a session, and a cast with names."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Role
from silverwatch.domain.accounts.models import Account, Membership
from silverwatch.domain.alerts.models import JudgeState
from silverwatch.domain.devices import service as devices
from silverwatch.domain.devices.models import Binding, Device
from silverwatch.domain.readings.models import VitalState
from silverwatch.domain.records import service as records
from silverwatch.domain.records import stays
from silverwatch.domain.records.models import Patient
from silverwatch.domain.settings import service as settings
from silverwatch.domain.wards.models import Bed, Ward

LONG_AGO = timedelta(days=3)


def create_ward(session: Session, slug: str, *, name: str | None = None) -> Ward:
    """A ward."""
    ward = Ward(id=clock.new_id(), slug=slug, name=name or f"Ward {slug.upper()}", description="")
    session.add(ward)
    session.flush()
    return ward


def create_bed(session: Session, ward_id: UUID, *, label: str, position: int = 1) -> Bed:
    """A bed of the ward."""
    bed = Bed(id=clock.new_id(), ward_id=ward_id, label=label, position=position)
    session.add(bed)
    session.flush()
    return bed


def create_patient(session: Session, family_name: str, *, given_name: str = "Test", bed_id: UUID | None = None,
                   since: datetime | None = None) -> Patient:  # fmt: skip
    """A patient with the rows that hold the present state, in the bed if one is given."""
    patient = records.create_patient(
        session,
        hospital_number=f"H-{clock.new_id().hex}",
        family_name=family_name,
        given_name=given_name,
        born_on=date(1950, 3, 4),
        sex="F",
        simulated=True,
    )
    session.add_all([VitalState(patient_id=patient.id), JudgeState(patient_id=patient.id)])
    if bed_id is not None:
        stays.begin(session, patient_id=patient.id, bed_id=bed_id, at=since or clock.now() - LONG_AGO)
    session.flush()
    return patient


def create_device(session: Session, serial: str, *, kind: str = "monitor", interval_s: float = 1,
                  ward_id: UUID | None = None) -> Device:  # fmt: skip
    """A device with its state."""
    return devices.create_device(session, serial=serial, kind=kind, interval_s=interval_s, ward_id=ward_id)


def create_key(session: Session, device_id: UUID) -> str:
    """A key of the device, as the device knows it."""
    return devices.issue_key(session, device_id)


def create_binding(session: Session, device_id: UUID, *, patient_id: UUID, start: datetime | None = None,
                   end: datetime | None = None) -> Binding:  # fmt: skip
    """The device speaks about the patient, for three days already unless told otherwise."""
    return devices.bind(
        session, device_id=device_id, patient_id=patient_id, start=start or clock.now() - LONG_AGO, end=end
    )


@dataclass(frozen=True)
class Worn:
    """A patient in a bed with a device on, and its key."""

    ward_id: UUID
    bed_id: UUID
    patient_id: UUID
    device_id: UUID
    serial: str
    key: str


@dataclass(frozen=True)
class Cast:
    """Ward A with Achieng and Baraka, ward B with Chebet; a gateway in ward A and one for the whole site;
    a spare device in ward A that nobody wears."""

    achieng: Worn
    baraka: Worn
    chebet: Worn
    gateway_a: str
    gateway_site: str
    spare_id: UUID
    spare_serial: str
    spare_key: str


def wear(session: Session, ward: Ward, *, family_name: str, serial: str, label: str) -> Worn:
    """A patient in a new bed of the ward, with a new device on."""
    bed = create_bed(session, ward.id, label=label)
    patient = create_patient(session, family_name, bed_id=bed.id)
    device = create_device(session, serial, ward_id=ward.id)
    create_binding(session, device.id, patient_id=patient.id)
    key = create_key(session, device.id)
    return Worn(ward.id, bed.id, patient.id, device.id, serial, key)


def everybody(session: Session) -> Cast:
    """The whole cast."""
    ward_a, ward_b = create_ward(session, "a"), create_ward(session, "b")
    gateway_a = create_device(session, "GW-A", kind="gateway", ward_id=ward_a.id)
    gateway_site = create_device(session, "GW-SITE", kind="gateway")
    spare = create_device(session, "SW-SPARE", kind="patch", ward_id=ward_a.id)
    return Cast(
        achieng=wear(session, ward_a, family_name="Achieng", serial="SW-1", label="A1"),
        baraka=wear(session, ward_a, family_name="Baraka", serial="SW-2", label="A2"),
        chebet=wear(session, ward_b, family_name="Chebet", serial="SW-3", label="B1"),
        gateway_a=create_key(session, gateway_a.id),
        gateway_site=create_key(session, gateway_site.id),
        spare_id=spare.id,
        spare_serial=spare.serial,
        spare_key=create_key(session, spare.id),
    )


PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class People:
    """E-mail addresses: a caregiver of ward A, one of ward B who must see nothing of ward A, and the others."""

    amina: str = "amina@a.example"
    bruno: str = "bruno@b.example"
    tekla: str = "tekla@a.example"
    patience: str = "patience@a.example"
    ada: str = "ada@site.example"


@cache
def password_hash() -> str:
    """A hash of PASSWORD as cheap as argon2id can be: to verify true ones would be most of the time of all tests.

    What is made by the product itself has its true cost (tests/unit/test_passwords.py).
    """
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def sign_up(session: Session, cast: Cast) -> People:
    """Everybody's account, on a site that asks for no second factor."""
    now = clock.now()
    settings.set_security(session, settings.Security(require_second_factor=False), by=None, now=now)
    found = People()
    a, b = cast.achieng.ward_id, cast.chebet.ward_id
    for email, role, wards, patient_id in (
        (found.amina, Role.CAREGIVER, [a], None),
        (found.bruno, Role.CAREGIVER, [b], None),
        (found.tekla, Role.TECHNICIAN, [a], None),
        (found.patience, Role.PATIENT, [], cast.achieng.patient_id),
        (found.ada, Role.ADMIN, [a, b], None),
    ):
        account = Account(
            id=clock.new_id(), email=email, password_hash=password_hash(), role=role.value, patient_id=patient_id,
            name=email.split("@")[0].capitalize(), created_at=now, email_confirmed_at=now, approved_at=now,
            password_changed_at=now,
        )  # fmt: skip
        session.add(account)
        session.flush()
        session.add_all(Membership(account_id=account.id, ward_id=ward_id) for ward_id in wards)
    return found
