"""50 tries at once on 50 real connections: the database lets one through, and whoever loses is told why."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import make_url

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.admissions import attaching, moving
from silverwatch.domain.admissions.moving import Target
from silverwatch.domain.errors import ConflictError
from tests.binding.ward import new_bed
from tests.cast import Cast, create_bed, create_device, create_patient
from tests.conftest import Site

TRIES = 50


@contextmanager
def many(site: Site) -> Iterator[list[psycopg.Connection[Any]]]:
    """So many open connections."""
    url = make_url(site.config.database_url).set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(address, autocommit=True)) for _ in range(TRIES)]


def at_once(tries: list[Callable[[], str]]) -> Counter[str]:
    """What becomes of all of them, started together."""
    start, found = threading.Barrier(len(tries)), []

    def one(work: Callable[[], str]) -> None:
        start.wait()
        found.append(work())

    threads = [threading.Thread(target=one, args=(work,)) for work in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == len(tries)
    return Counter(found)


def insert(connection: psycopg.Connection[Any], query: str, params: tuple[object, ...]) -> Callable[[], str]:
    """A bare INSERT, without any lock of ours: the constraint alone must hold."""

    def work() -> str:
        try:
            connection.execute(query.encode(), params)
        except psycopg.errors.ExclusionViolation as error:
            return error.diag.constraint_name or ""
        except psycopg.errors.DeadlockDetected:
            return "deadlock"
        return "in"

    return work


def patients(count: int = TRIES) -> list[UUID]:
    """Patients who lie nowhere."""
    with db.transaction() as session:
        return [create_patient(session, f"Race{n}").id for n in range(count)]


def again(act: Callable[[], object]) -> Callable[[], str]:
    """Do it as a person does: who is told that the database is busy comes again, who is refused reads why."""

    def work() -> str:
        for _ in range(20):
            try:
                act()
            except ConflictError as error:
                return str(error)
            except db.UNAVAILABLE:
                continue
            return "in"
        return "busy"

    return work


STAY = "INSERT INTO stay (id, patient_id, bed_id, during) VALUES (gen_random_uuid(), %s, %s, tstzrange(now(), NULL))"
BINDING = (
    "INSERT INTO binding (id, device_id, device_kind, patient_id, during)"
    " VALUES (gen_random_uuid(), %s, 'wearable', %s, tstzrange(now(), NULL))"
)


def test_two_patients_in_one_bed(site: Site, cast: Cast) -> None:
    bed = new_bed(cast.achieng.ward_id)
    with many(site) as connections:
        tries = [
            insert(connection, STAY, (patient, bed))
            for connection, patient in zip(connections, patients(), strict=True)
        ]
        found = at_once(tries)
    assert found["in"] == 1
    assert set(found) <= {"in", "ex_stay_bed", "deadlock"}
    assert site.row("SELECT count(*) FROM stay WHERE bed_id = %s", bed) == (1,)


@pytest.mark.parametrize("same", ["patient", "device"])
def test_two_devices_of_a_kind_and_two_wearers_of_a_device(site: Site, cast: Cast, same: str) -> None:
    with db.transaction() as session:
        devices = [create_device(session, f"R-{n}", kind="wearable").id for n in range(TRIES)]
    people = patients()
    pairs = [(device, people[0]) if same == "patient" else (devices[0], person)
             for device, person in zip(devices, people, strict=True)]  # fmt: skip
    with many(site) as connections:
        found = at_once([insert(c, BINDING, pair) for c, pair in zip(connections, pairs, strict=True)])
    constraint = "ex_binding_patient_kind" if same == "patient" else "ex_binding_device"
    assert found["in"] == 1
    assert set(found) <= {"in", constraint, "deadlock"}


@pytest.fixture
def crowd(site: Site) -> Iterator[None]:
    """The services with 50 connections of their own."""
    db.configure(site.config.database_url, pool_size=TRIES)
    yield
    db.dispose()


def test_fifty_admissions_to_one_bed_end_with_one_and_49_words(
    site: Site, cast: Cast, nurse: Actor, crowd: None
) -> None:
    bed, people = new_bed(cast.achieng.ward_id), patients()
    to = Target(ward_id=cast.achieng.ward_id, bed_id=bed)

    def admit(patient_id: UUID) -> None:
        with db.transaction() as session:
            moving.admit(session, nurse, patient_id=patient_id, to=to, now=clock.now())

    found = at_once([again(partial(admit, person)) for person in people])
    assert found == {"in": 1, "Somebody lies in this bed already. Choose a free one.": TRIES - 1}
    assert site.row("SELECT count(*) FROM move") == (1,)


def test_fifty_admissions_of_one_patient(site: Site, cast: Cast, nurse: Actor, crowd: None) -> None:
    ward = cast.achieng.ward_id
    with db.transaction() as session:
        beds = [create_bed(session, ward, label=f"R{n}", position=n).id for n in range(TRIES)]
    (person,) = patients(1)

    def admit(bed: UUID) -> None:
        with db.transaction() as session:
            to = Target(ward_id=ward, bed_id=bed)
            moving.admit(session, nurse, patient_id=person, to=to, now=clock.now())

    found = at_once([again(partial(admit, bed)) for bed in beds])
    assert found == {"in": 1, "This patient lies in a bed already. Transfer them instead.": TRIES - 1}


def test_fifty_patients_at_home_have_fifty_places(site: Site, cast: Cast, nurse: Actor, crowd: None) -> None:
    ward = cast.achieng.ward_id

    def admit(patient_id: UUID) -> None:
        with db.transaction() as session:
            moving.admit(session, nurse, patient_id=patient_id, to=Target(ward_id=ward), now=clock.now())

    assert at_once([again(partial(admit, person)) for person in patients()]) == {"in": TRIES}
    assert site.row("SELECT count(DISTINCT label) FROM bed WHERE kind = 'home'") == (TRIES,)


@pytest.mark.parametrize("same", ["patient", "device"])
def test_fifty_put_on_at_once_end_with_one_and_49_words(
    site: Site, cast: Cast, nurse: Actor, crowd: None, same: str
) -> None:
    ward, wanted = cast.achieng.ward_id, range(TRIES)
    with db.transaction() as session:
        devices = [create_device(session, f"R-{n}", kind="wearable", ward_id=ward).id for n in wanted]
        beds = [create_bed(session, ward, label=f"R{n}", position=n).id for n in wanted]
        people = [create_patient(session, f"Race{n}", bed_id=bed).id for n, bed in enumerate(beds)]

    def put_on(device_id: UUID, patient_id: UUID) -> None:
        with db.transaction() as session:
            attaching.attach(
                session, nurse, device_id=device_id, patient_id=patient_id, since=None, now=clock.now()
            )

    pairs = [
        (d, people[0]) if same == "patient" else (devices[0], p) for d, p in zip(devices, people, strict=True)
    ]
    tries = [again(partial(put_on, *pair)) for pair in pairs]
    words = {
        "patient": "The patient wears another device of this type at that time. Take that one off first.",
        "device": "The device is on somebody else at that time. Take it off there first.",
    }
    assert at_once(tries) == {"in": 1, words[same]: TRIES - 1}
