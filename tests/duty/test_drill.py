"""`silverwatch drill`: from the row to the person, and what it says when a part of the way is missing."""

import subprocess
import sys
import threading
from datetime import timedelta

from silverwatch import clock, db
from silverwatch.domain.notices import drills
from silverwatch.jobs import notify
from silverwatch.web import outgoing
from tests.cast import Cast, People
from tests.conftest import Site
from tests.duty.crew import accept, actor_of, join
from tests.jobs.post_office import open_office, use


def command(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    return subprocess.run(
        [sys.executable, "-m", "silverwatch.cli", "drill", *arguments],
        env=site.env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_a_drill_follows_the_alarm_to_the_person(site: Site, cast: Cast, people: People) -> None:
    ward = cast.achieng.ward_id
    accept(actor_of(people.amina), ward)
    outgoing.configure(site.config)
    with open_office() as office:
        use(site, office.url)
        stop = threading.Event()

        def guard() -> None:
            while not stop.is_set():
                notify.take_steps()
                notify.drain("email")
                with db.transaction() as session:
                    drills.watch(session, now=clock.now())
                stop.wait(0.2)

        thread = threading.Thread(target=guard)
        thread.start()
        try:
            done = command(site, "--ward", "a", "--wait", "15")
        finally:
            stop.set()
            thread.join()
        assert done.returncode == 0, done.stdout + done.stderr
        assert [letter["Subject"] for letter in office.letters] == [
            "DRILL: High alarm: Ward A: test alarm, nothing to do but acknowledge it"
        ]
    lines = done.stdout.splitlines()
    assert lines[0] == "DRILL in Ward A"
    assert any("email to Amina" in line and line.strip().startswith("ok") for line in lines)
    assert lines[-1] == "Ward A: passed"
    assert site.row("SELECT passed FROM drill")[0] is True
    assert site.row("SELECT closed_as FROM alert WHERE kind = 'drill'")[0] == "ended"


def test_without_a_scheduler_and_without_a_ward_it_fails(site: Site, cast: Cast, people: People) -> None:
    done = command(site, "--ward", "a", "--wait", "1")
    assert done.returncode == 1
    assert "No step of the chain was taken." in done.stdout
    unknown = command(site, "--ward", "z")
    assert (unknown.returncode, "there is no ward 'z'" in unknown.stderr) == (1, True)


def test_a_drill_that_nobody_could_be_told_of_fails(site: Site, cast: Cast, people: People) -> None:
    """Nobody is on duty: everybody of the ward is told, and the drill says that this is not as it should be."""
    now = clock.now()
    with db.transaction() as session:
        drill = drills.begin(session, cast.achieng.ward_id, by=None, now=now)
    notify.take_steps()
    with db.transaction() as session:
        session.add(drill)
        lines = drills.look(session, drill, now=now + timedelta(minutes=3))
    assert [(line.what, line.ok) for line in lines][:2] == [("raised", True), ("step", False)]
    assert site.row("SELECT passed FROM drill")[0] is False


def test_the_daily_drill_runs_once_in_its_hour(site: Site, cast: Cast, people: People) -> None:
    join("Ben", cast.achieng.ward_id)
    zone, now = notify.zone(), clock.now()
    hour = now.astimezone(zone).hour
    with db.transaction() as session:
        assert drills.begin_daily(session, hour=(hour + 1) % 24, now=now, zone=zone) == 0
        assert drills.begin_daily(session, hour=hour, now=now, zone=zone) == 2
    with db.transaction() as session:
        drills.watch(session, now=now + timedelta(minutes=3))
        assert drills.begin_daily(session, hour=hour, now=now, zone=zone) == 0
