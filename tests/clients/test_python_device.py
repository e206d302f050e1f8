"""The example in Python, run as its README says, against the real server."""

import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from silverwatch import schema
from tests.cast import Cast, People
from tests.clients.serving import Served
from tests.conftest import Site
from tests.pairing.steps import code_for, state_on, technician, words

DEVICE = schema.MIGRATIONS.parent / "examples" / "python" / "device.py"


def run(served: Served, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run(command(served, folder, *arguments), capture_output=True, text=True, timeout=60)


def command(served: Served, folder: Path, *arguments: str) -> list[str]:
    """As an operator types it; -I: nothing of ours is on its path."""
    return [sys.executable, "-I", str(DEVICE), "--url", served.url, "--folder", str(folder), *arguments]


def until(condition: Callable[[], Any]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_from_the_code_to_readings(
    site: Site, cast: Cast, people: People, served: Served, tmp_path: Path
) -> None:
    tekla = technician(site, people.tekla)
    with site.cursor() as cur:
        cur.execute("UPDATE device SET interval_s = 0.1 WHERE id = %s", (cast.spare_id,))
    code, panel = code_for(tekla, cast.spare_id)
    first = run(served, tmp_path, "--code", code, "--count", "5")
    assert (first.returncode, first.stderr) == (0, "")
    assert "paired as SW-SPARE" in first.stdout
    assert state_on(tekla, panel) == "connected"
    assert "First reading: HR" in words(tekla, panel)
    assert stat.S_IMODE((tmp_path / "device.json").stat().st_mode) == 0o600
    assert site.row("SELECT count(*) FROM quarantine WHERE code = 'unbound'") == (5,)
    again = run(served, tmp_path, "--code", code)
    assert again.returncode == 1
    assert again.stderr == (
        "device: not paired (409): This code was used already: a code works once. Make a new one.\n"
    )


def test_an_outage_loses_nothing_and_stores_nothing_twice(
    site: Site, cast: Cast, served: Served, tmp_path: Path
) -> None:
    with site.cursor() as cur:
        cur.execute("UPDATE device SET interval_s = 0.1 WHERE id = %s", (cast.achieng.device_id,))
    state = {"serial": "SW-1", "key": cast.achieng.key, "interval_s": 0.1}
    (tmp_path / "device.json").write_text(json.dumps(state))
    count = "SELECT count(*) FROM reading"
    device = subprocess.Popen(command(served, tmp_path, "--count", "40"))
    until(lambda: site.row(count)[0] >= 3)
    served.stop()
    # It measures on, and is killed in the middle: what waits is on its disk.
    time.sleep(1)
    device.kill()
    device.wait()
    served.start()
    before = site.row(count)[0]
    rest = run(served, tmp_path, "--count", "1")
    assert (rest.returncode, rest.stderr) == (0, "")
    total, apart = site.row(
        "SELECT count(*), max(gap) FROM (SELECT extract(epoch FROM measured_at - lag(measured_at)"
        " OVER (ORDER BY measured_at)) AS gap FROM reading) AS g WHERE gap < 0.6"
    )
    assert total >= before + 5
    assert apart < 0.6
    assert site.row("SELECT count(*) FROM quarantine") == (0,)


def test_what_only_a_person_can_put_right_is_one_line(
    site: Site, cast: Cast, served: Served, tmp_path: Path
) -> None:
    unpaired = run(served, tmp_path, "--count", "1")
    assert (unpaired.returncode, unpaired.stderr.count("\n")) == (1, 1)
    assert "pair the device first" in unpaired.stderr
    (tmp_path / "device.json").write_text('{"serial": "SW-1", "key": "swd_revoked", "interval_s": 0.1}')
    revoked = run(served, tmp_path, "--count", "3")
    assert (revoked.returncode, revoked.stderr.count("\n")) == (1, 1)
    assert "the server answers 401" in revoked.stderr
