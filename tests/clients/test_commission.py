"""Fifty devices from a CSV file to printed labels to first readings by a script that is but a browser and a device."""

import json
import os
import re
import stat
import subprocess
import sys
import zlib
from pathlib import Path

from silverwatch import schema
from silverwatch.adapters import pdf
from silverwatch.web.factor_views import qr_code
from tests.api.posting import reading, send
from tests.cast import PASSWORD, Cast, People
from tests.clients.serving import Served
from tests.conftest import Site, missing

SCRIPT = schema.MIGRATIONS.parent / "examples" / "fleet" / "commission.py"
SERIALS = [f"FIFTY-{number:02}" for number in range(1, 51)]


def run(served: Served, folder: Path, email: str, text: str) -> "subprocess.CompletedProcess[str]":
    """The script, as its text says."""
    (folder / "devices.csv").write_text(text)
    arguments = [f"--{name}={folder / file}" for name, file in
                 (("csv", "devices.csv"), ("labels", "labels.pdf"), ("keys", "keys.json"))]  # fmt: skip
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), f"--url={served.url}", f"--email={email}", *arguments],
        env={**os.environ, "SILVERWATCH_PASSWORD": PASSWORD}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_fifty_devices_from_the_file_to_first_readings(
    site: Site, cast: Cast, people: People, served: Served, tmp_path: Path
) -> None:
    try:
        pdf.render("<p>x</p>", "")
    except pdf.PdfMissingError:
        missing("no pango library: labels cannot be drawn")
    lines = [f"{serial},wearable,Ward A,Shelf 2,4,normal,50\n" for serial in SERIALS]
    head = "serial,type,ward,location,interval_s,sensitivity,sample_rate_hz\n"
    done = run(served, tmp_path, people.tekla, head + "".join(lines))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("is connected") == 50
    keys = json.loads((tmp_path / "keys.json").read_text())
    assert sorted(keys) == SERIALS
    assert len(set(keys.values())) == 50
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    # Nobody wears them yet: their first readings wait, each under its own device.
    kept = site.rows(
        "SELECT d.serial FROM quarantine q JOIN device d ON d.id = q.device_id WHERE q.code = 'unbound' ORDER BY 1"
    )
    assert [row[0] for row in kept] == SERIALS
    assert site.row("SELECT count(*) FROM device_state WHERE last_seen_at IS NOT NULL") == (50,)
    headers = {"Authorization": f"Bearer {keys['FIFTY-07']}"}
    about = site.client.get("/api/devices/self/", headers=headers).get_json()
    said = {
        name: about[name]
        for name in ("serial", "interval_s", "sensitivity", "sample_rate_hz", "settings_version")
    }
    assert said == {"serial": "FIFTY-07", "interval_s": 4, "sensitivity": "normal", "sample_rate_hz": 50,
                    "settings_version": 1}  # fmt: skip
    # Each printed label leads to the page of its device.
    drawn = points((tmp_path / "labels.pdf").read_bytes())
    ids = dict(site.rows("SELECT serial, id FROM device WHERE serial LIKE 'FIFTY-%'"))
    for serial in SERIALS:
        code = qr_code(f"{site.config.base_url}/devices/{ids[serial]}")
        begins = re.findall(r"M(\d+) (\d+)h", code.path)
        assert ";".join(",".join(point) for point in begins) in drawn, serial


def points(drawn: bytes) -> str:
    """Where the figures of a PDF begin, in the order in which they are drawn."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", drawn, re.DOTALL)
    plain = b"\n".join(zlib.decompress(part) for part in packed if part.startswith(b"x"))
    found = re.findall(rb"(?m)^([\d.]+) ([\d.]+) m$", plain)
    return ";".join(f"{float(x):g},{float(y):g}" for x, y in found)


def test_a_row_that_is_refused_stops_it_before_anything_is_stored(
    site: Site, cast: Cast, people: People, served: Served, tmp_path: Path
) -> None:
    before = site.row("SELECT count(*) FROM device")
    done = run(served, tmp_path, people.tekla, "serial,type\nNEW-1,wearable\nNEW-2,toaster\n")
    assert done.returncode == 1
    assert done.stderr.startswith("commission: /devices/import: 422")
    assert site.row("SELECT count(*) FROM device") == before
    assert not (tmp_path / "keys.json").exists()


def test_a_device_learns_how_it_is_set(site: Site, cast: Cast, people: People) -> None:
    from tests.pairing.steps import technician, words

    tekla = technician(site, people.tekla)
    with site.cursor() as cur:
        cur.execute("UPDATE device SET kind = 'wearable' WHERE id = %s", (cast.spare_id,))

    def about() -> dict[str, object]:
        headers = {"Authorization": f"Bearer {cast.spare_key}"}
        found: dict[str, object] = site.client.get("/api/devices/self/", headers=headers).get_json()
        return found

    assert about()["settings_version"] == 1
    fields = {"kind": "wearable", "ward": str(cast.achieng.ward_id), "location": "", "interval_s": "8",
              "sensitivity": "high", "sample_rate_hz": "250"}  # fmt: skip
    assert tekla.submit(f"/devices/{cast.spare_id}/change", fields).status_code == 303
    found = about()
    assert [found[name] for name in ("interval_s", "sensitivity", "sample_rate_hz", "settings_version")] == [
        8, "high", 250, 2]  # fmt: skip
    page = words(tekla, f"/devices/{cast.spare_id}")
    assert "<dt>Version of settings</dt><dd>2</dd>" in page
    assert f"<dt>Version of limits</dt><dd>{found['limits_version']}</dd>" in page
    assert send(site, cast.spare_key, reading(1, heart_rate=70)).status_code == 200
