"""The demo hospital as rows: wards, beds, patients, devices with keys, people with random passwords."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain.access import Role
from silverwatch.domain.accounts.models import Account
from silverwatch.domain.accounts.service import create_account
from silverwatch.domain.alerts.limit_cells import Key, Setting
from silverwatch.domain.alerts.limit_proposal import Scope
from silverwatch.domain.alerts.limit_versions import change
from silverwatch.domain.devices.service import bind, create_device, issue_key
from silverwatch.domain.records.service import create_patient
from silverwatch.domain.records.stays import begin
from silverwatch.domain.settings.service import Security, set_security
from silverwatch.domain.wards.models import Bed, Duty, PlannedShift, Ward
from silverwatch.domain.wards.shifts import DutyRole, pattern_at, span
from silverwatch.simulator import medications
from silverwatch.simulator.ward import BedCast, PatientCast, WardCast
from silverwatch.web import filters

PAST: Final = timedelta(hours=25)
"""How long everybody has been there when the demo begins, so that there is a past to show."""

NAMES: Final = {
    ("4b", Role.CAREGIVER): "A. Mwangi",
    ("4b", Role.TECHNICIAN): "J. Otieno",
    ("5a", Role.CAREGIVER): "L. Achieng",
    ("5a", Role.TECHNICIAN): "P. Kiptoo",
}

OWN_LIMITS: Final = {
    Key("oxygen_saturation", "low"): Setting(86.0),
    Key("oxygen_saturation", "low_critical"): Setting(82.0),
}
"""Of the patient with COPD: lower ones, not to alarm on what is wanted, and still the more urgent level above 80."""

Info = dict[str, Any]
"""accounts [{role, ward, email, password}], devices [{serial, key, ward, bed, patient_id}], gateway_key."""


def is_empty(session: Session) -> bool:
    """Is there no ward yet?"""
    return session.scalar(select(func.count()).select_from(Ward)) == 0


def seed(session: Session, wards: Sequence[WardCast], *, now: datetime) -> Info:
    """Add the cast to an empty database; gives the secrets, which are stored nowhere else."""
    # Whoever tries the demo has no authenticator at hand; a new site asks its staff for one.
    set_security(session, Security(require_second_factor=False), by=None, now=now)
    info: Info = {"accounts": [], "devices": [], "gateway_key": ""}
    ward_ids: dict[str, UUID] = {}
    for cast in wards:
        ward = Ward(id=clock.new_id(), slug=cast.slug, name=f"Ward {cast.name}", description=cast.description)
        session.add(ward)
        session.flush()
        ward_ids[cast.slug] = ward.id
        patients = [
            _bed(session, info, ward, bed, position=position, now=now)
            for position, bed in enumerate(cast.beds, start=1)
        ]
        lying = [found for found in patients if found]
        nurse = _accounts(session, info, ward, patients=lying)
        _own_limits(session, lying, now=now)
        refs = {person.ref: patient_id for patient_id, person in lying}
        medications.seed(session, refs, nurse.id, since=now - PAST, now=now)
    _duty(session, info, ward_ids, now=now)
    _account(
        session, info, role=Role.ADMIN, ward=None, name="Administrator", ward_ids=list(ward_ids.values())
    )
    gateway = create_device(session, serial="SW-GATEWAY", kind="gateway", interval_s=60)
    info["gateway_key"] = issue_key(session, gateway.id)
    return info


def _bed(
    session: Session, info: Info, ward: Ward, cast: BedCast, *, position: int, now: datetime
) -> tuple[UUID, PatientCast] | None:
    bed = Bed(id=clock.new_id(), ward_id=ward.id, label=cast.label, position=position)
    session.add(bed)
    session.flush()
    if cast.patient is None:
        return None
    patient = create_patient(
        session,
        hospital_number=f"{ward.slug.upper()}-{position:04d}",
        family_name=cast.patient.family.upper(),
        given_name=cast.patient.given,
        born_on=_born_on(cast.patient, now=now),
        sex=cast.patient.sex,
        spo2_scale=cast.patient.spo2_scale,
        simulated=True,
    )
    begin(session, patient_id=patient.id, bed_id=bed.id, at=now - PAST)
    if cast.device is not None:
        device = create_device(
            session,
            serial=cast.device.serial,
            kind=cast.device.kind,
            interval_s=cast.device.interval_s,
            ward_id=ward.id,
        )
        bind(session, device_id=device.id, patient_id=patient.id, start=now - PAST)
        info["devices"].append(
            {
                "serial": device.serial,
                "key": issue_key(session, device.id),
                "ward": ward.slug,
                "bed": bed.label,
                "patient_id": str(patient.id),
            }
        )
    return patient.id, cast.patient


def _born_on(patient: PatientCast, *, now: datetime) -> date:
    """A birthday some months ago, always the same for the same patient."""
    return (now - timedelta(days=int(365.25 * patient.age) + 30 + len(patient.ref) * 9)).date()


def _accounts(
    session: Session, info: Info, ward: Ward, *, patients: list[tuple[UUID, PatientCast]]
) -> Account:
    """The people of a ward; its nurse."""
    nurse, _ = (
        _account(
            session, info, role=role, ward=ward, ward_ids=[ward.id],
            name=NAMES.get((ward.slug, role), f"{role.value.capitalize()} {ward.name}"),
        )
        for role in (Role.CAREGIVER, Role.TECHNICIAN)
    )  # fmt: skip
    if patients:
        patient_id, cast = patients[0]
        name = f"{cast.given} {cast.family.capitalize()}"
        _account(session, info, role=Role.PATIENT, ward=ward, name=name, patient_id=patient_id)
    return nurse


CREW: Final = (
    ("charge-nurse", "S. Wanjiru", DutyRole.CHARGE_NURSE),
    ("doctor", "Dr J. Otieno", DutyRole.DOCTOR),
)
"""Who else is on duty, in the first ward: named after their duty, so that the first caregiver stays the nurse."""


def _duty(session: Session, info: Info, ward_ids: Mapping[str, UUID], *, now: datetime) -> None:
    """The nurse of each ward is on duty, and in the first one a charge nurse and a doctor too."""
    for place, (slug, ward_id) in enumerate(ward_ids.items()):
        nurse = session.scalars(
            select(Account).where(Account.email == f"caregiver-{slug}@demo.example")
        ).one()
        crew = [(nurse, DutyRole.NURSE)]
        ward = session.get_one(Ward, ward_id)
        for mark, name, role in CREW if place == 0 else ():
            account = _account(
                session, info, role=Role.CAREGIVER, ward=ward, name=name, ward_ids=[ward_id], mark=mark
            )
            account.duty_role = role.value
            crew.append((account, role))
        session.flush()
        for account, role in crew:
            session.add(
                Duty(
                    id=clock.new_id(),
                    ward_id=ward_id,
                    account_id=account.id,
                    role=role.value,
                    accepted_at=now,
                )
            )
            _plan(session, account, ward_id, role=role, now=now)


PLANNED_DAYS: Final = 5


def _plan(session: Session, account: Account, ward_id: UUID, *, role: DutyRole, now: datetime) -> None:
    """They come in the same shift for some days, from the one that runs now."""
    zone = ZoneInfo(filters.time_zone())
    day, pattern = pattern_at(now, zone=zone)
    for number in range(PLANNED_DAYS):
        on = day + timedelta(days=number)
        starts_at, ends_at = span(on, pattern, zone=zone)
        session.add(
            PlannedShift(
                id=clock.new_id(),
                ward_id=ward_id,
                account_id=account.id,
                role=role.value,
                day=on,
                pattern=pattern,
                starts_at=starts_at,
                ends_at=ends_at,
                planned_at=now,
            )
        )


def _own_limits(session: Session, patients: Sequence[tuple[UUID, PatientCast]], *, now: datetime) -> None:
    """Who is watched for too much oxygen as for too little has limits of their own since they came."""
    for patient_id, cast in patients:
        if cast.spo2_scale == 2:
            change(
                session,
                Scope.of_patient(patient_id),
                OWN_LIMITS,
                by=session.scalar(select(Account.id).where(Account.name == NAMES["4b", Role.CAREGIVER])),
                reason="COPD, target 88 to 92 %",
                until=now + timedelta(days=6),
                now=now - PAST,
            )


def _account(
    session: Session,
    info: Info,
    *,
    role: Role,
    ward: Ward | None,
    name: str,
    ward_ids: Sequence[UUID] = (),
    patient_id: UUID | None = None,
    mark: str = "",
) -> Account:
    """An account whose address begins with its role, or with `mark`."""
    first = mark or role.value
    email = f"{first}-{ward.slug}@demo.example" if ward else f"{first}@demo.example"
    password = secrets.token_urlsafe(12)
    account = create_account(
        session,
        email=email,
        password=password,
        role=role,
        name=name,
        ward_ids=ward_ids,
        patient_id=patient_id,
    )
    info["accounts"].append(
        {"role": role.value, "ward": ward.slug if ward else None, "email": email, "password": password}
    )
    return account
