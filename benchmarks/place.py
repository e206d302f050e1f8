"""Where the benchmarks run: the quiet demo with all its processes, wards of our own, and the reference beside it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from benchmarks.measure import children, tree
from silverwatch import clock, db, schema
from silverwatch.domain.access import Role
from silverwatch.domain.accounts.service import create_account
from silverwatch.domain.devices.service import bind, create_device, issue_key
from silverwatch.domain.records.service import create_patient
from silverwatch.domain.records.stays import begin
from silverwatch.domain.wards.models import Bed, Ward
from silverwatch.engines import discard
from silverwatch.engines.processes import command_of

ROOT: Final = Path(__file__).resolve().parent.parent
WARDS: Final = 4
BEDS: Final = 25
PAST: Final = timedelta(days=50)
EMAIL, PASSWORD = "bench@bench.example", "a password of the benchmarks"
POOL: Final = "12"
REFERENCE_TABLE: Final = """CREATE TABLE reference_reading (
 patient_id uuid, measured_at timestamptz, received_at timestamptz, heart_rate float8, respiratory_rate float8,
 oxygen_saturation float8, systolic_bp float8, diastolic_bp float8, temperature float8,
 PRIMARY KEY (patient_id, measured_at))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bedside:
    """A patient in a bed with a device on."""

    ward_id: UUID
    bed_id: UUID
    patient_id: UUID
    serial: str
    key: str


@dataclass(slots=True, kw_only=True)
class Place:
    """The running site. `beds`: WARDS wards of BEDS beds, which nobody else uses. `long`: take more time."""

    info: dict[str, Any]
    demo_pid: int
    beds: list[Bedside]
    long: bool

    @property
    def port(self) -> int:
        """Where the site listens."""
        return int(self.info["base_url"].rsplit(":", 1)[1])

    def pids(self, part: str) -> list[int]:
        """The processes of one part of the site: web, scheduler, alarms, reports, postgres, valkey."""
        words = {
            "web": "gunicorn",
            "scheduler": "cli scheduler",
            "alarms": "worker alarms",
            "reports": "worker reports",
            "postgres": "bin/postgres",
            "valkey": "valkey-server",
        }
        for pid in children(self.demo_pid):
            if words[part] in (command_of(pid) or ""):
                return tree(pid)
        raise LookupError(f"no process {part} below {self.demo_pid}")

    def settings(self) -> dict[str, str]:
        """What PostgreSQL says about the settings that make a commit cheap or dear."""
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        with psycopg.connect(libpq(self.info["owner_url"])) as connection:
            return {name: str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in names}  # type: ignore[index]


def libpq(url: str, *, database: str | None = None) -> str:
    """A SQLAlchemy URL as psycopg reads it, with another database if given."""
    changed = make_url(url).set(drivername="postgresql")
    return (changed.set(database=database) if database else changed).render_as_string(hide_password=False)


@contextlib.contextmanager
def place(*, long: bool) -> Iterator[Place]:
    """Start the quiet demo in a new folder, add our wards, and take everything away at the end."""
    with tempfile.TemporaryDirectory(prefix="silverwatch-bench-", ignore_cleanup_errors=True) as folder:
        data_dir, info_path = Path(folder) / "data", Path(folder) / "info.json"
        Path(folder).chmod(0o711)
        with (Path(folder) / "demo.log").open("wb") as log:
            demo = subprocess.Popen(
                [sys.executable, "-m", "silverwatch.cli", "demo", "--port", "0", "--data-dir", str(data_dir),
                 "--quiet-ward", "--info", str(info_path)],
                cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"SILVERWATCH_POOL": POOL},
            )  # fmt: skip
        try:
            _wait_for(info_path, demo, log=Path(folder) / "demo.log")
            info = json.loads(info_path.read_text())
            db.configure(info["database_url"])
            yield Place(info=info, demo_pid=demo.pid, beds=_wards(), long=long)
        finally:
            db.dispose()
            demo.terminate()
            demo.wait(60)
            discard(data_dir)


def _wait_for(info: Path, demo: "subprocess.Popen[bytes]", *, log: Path) -> None:
    until = time.monotonic() + 90
    while not info.exists():
        if demo.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the demo does not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


def _wards() -> list[Bedside]:
    found = []
    with db.transaction() as session:
        wards = [
            Ward(id=clock.new_id(), slug=f"bench-{n}", name=f"Bench {n}", description="")
            for n in range(WARDS)
        ]
        session.add_all(wards)
        session.flush()
        create_account(
            session, email=EMAIL, password=PASSWORD, role=Role.CAREGIVER, name="Bench",
            ward_ids=[ward.id for ward in wards],
        )  # fmt: skip
        for ward in wards:
            for position in range(BEDS):
                bed = Bed(id=clock.new_id(), ward_id=ward.id, label=f"B{position:02}", position=position)
                session.add(bed)
                session.flush()
                found.append(new_patient(session, f"{ward.slug}-{position}", interval_s=1, bed=bed))
    return found


def new_patient(session: Any, name: str, *, interval_s: float, bed: Bed | None = None) -> Bedside:
    """A patient with a device on for all of PAST, in the bed if one is given."""
    patient = create_patient(
        session, hospital_number=name, family_name="BENCH", given_name=name, born_on=date(1950, 3, 4), sex="F",
        simulated=True,
    )  # fmt: skip
    since = clock.now() - PAST
    if bed:
        begin(session, patient_id=patient.id, bed_id=bed.id, at=since)
    device = create_device(
        session, serial=name, kind="monitor", interval_s=interval_s, ward_id=bed.ward_id if bed else None
    )
    bind(session, device_id=device.id, patient_id=patient.id, start=since)
    nowhere = UUID(int=0)
    return Bedside(
        ward_id=bed.ward_id if bed else nowhere,
        bed_id=bed.id if bed else nowhere,
        patient_id=patient.id,
        serial=name,
        key=issue_key(session, device.id),
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """The running reference."""

    port: int
    pid: int


@contextlib.contextmanager
def reference(site: Place) -> Iterator[Reference]:
    """Serve benchmarks.reference with the site's own gunicorn settings, on a database of its own."""
    with psycopg.connect(libpq(site.info["owner_url"]), autocommit=True) as connection:
        connection.execute("CREATE DATABASE reference")
    url = libpq(site.info["owner_url"], database="reference")
    with psycopg.connect(url) as connection:
        connection.execute(REFERENCE_TABLE.encode())
    port = site.port - 1 if site.port > 2000 else site.port + 1
    env = os.environ | {
        "SILVERWATCH_BIND": f"127.0.0.1:{port}",
        "SILVERWATCH_POOL": POOL,
        "BENCH_DATABASE_URL": url,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:silverwatch.serving", "benchmarks.reference:app"],
        cwd=ROOT,
        env=env | {"PYTHONPATH": str(schema.MIGRATIONS.parent)},
    )
    try:
        until = time.monotonic() + 30
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the reference does not start")
            time.sleep(0.1)
        yield Reference(port, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
