"""Recorded patients through the real ingest endpoint, and their alerts against the recomputation."""

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from benchmarks.found import Found
from benchmarks.measure import Line
from benchmarks.place import ROOT, Bedside, Place, new_patient
from benchmarks.recompute import Row, alarms, crossings
from benchmarks.waiting import until_judged
from silverwatch import clock, db
from silverwatch.simulator import replay
from silverwatch.simulator.commands import replay_command

TOGETHER: Final = 8
TECHNICAL: Final = "sensor_off"
HOURLY: Final = 24
"""How many of the hourly stays a short run takes."""


def run(site: Place) -> list[Line]:
    """Alarms a patient-day of the minute record and of the hourly stays, and what differs."""
    folder = recordings_folder()
    if not folder.is_dir():
        return [
            Line(part="replay", what=f"no recorded patients in {folder}: set SILVERWATCH_DATA", value="-")
        ]
    minutes = sorted((folder / "mimic2_minute").glob("s*.csv"))
    hours = sorted((folder / "physionet2019_setB").glob("p*.psv"))
    hours += sorted((folder / "artefact_cases").glob("p*.psv"))
    if not site.long:
        hours = hours[:: max(1, len(hours) // HOURLY)]
    lines = _compare(site, minutes, interval_s=60.0, what="minute record", most=5.0)
    return lines + _compare(site, hours, interval_s=3600.0, what="hourly stays")


def recordings_folder() -> Path:
    """Where the recorded patients are, if they are."""
    return Path(os.environ.get("SILVERWATCH_DATA") or ROOT.parent / "shared" / "data") / "replay"


def post(base_url: str, files: Sequence[Path], worn: Sequence[Bedside], *, say: Any = None) -> None:
    """Each recording as the device of the patient at the same place, at its own time scale, ending now."""
    pairs = list(zip(files, worn, strict=True))
    for start in range(0, len(pairs), TOGETHER):
        part = pairs[start : start + TOGETHER]
        sent = replay_command(
            [path for path, _ in part],
            base_url=base_url,
            keys=[patient.key for _, patient in part],
            original_time=True,
            say=say or (lambda _line: None),
        )
        if sent.waiting or sent.dropped or not sent.stored:
            raise RuntimeError(f"the replay was not taken: {sent}")


def stored(patient_id: UUID, rows: Sequence[Row]) -> list[Found]:
    """The alerts of a patient as the site holds them, in seconds since the recording began."""
    with db.transaction(read_only=True) as session:
        first = session.scalar(
            text("SELECT min(measured_at) FROM reading WHERE patient_id = :id AND measured_at > :since"),
            {"id": patient_id, "since": clock.now() - timedelta(days=60)},
        )
        alerts = session.execute(
            text(
                "SELECT kind, run_from, event_at, ended_at, priority, peak_priority FROM alert"
                " WHERE patient_id = :id AND subject = 'patient' AND closed_as IS DISTINCT FROM 'withdrawn'"
                " UNION ALL SELECT kind, run_from, event_at, ended_at, priority, peak_priority FROM alert_episode"
                " WHERE patient_id = :id AND withdrawn_at IS NULL ORDER BY event_at, kind"
            ),
            {"id": patient_id},
        ).all()
    begin = first - timedelta(seconds=rows[0][0])

    def offset_s(at: datetime | None) -> Any:
        return None if at is None else round((at - begin).total_seconds())

    return [
        Found(
            a.kind,
            offset_s(a.run_from),
            offset_s(a.event_at),
            offset_s(a.ended_at),
            a.priority,
            a.peak_priority,
        )
        for a in alerts
    ]


def differences(expected: Iterable[Found], found: Iterable[Found]) -> list[str]:
    """What one list has and the other has not, in words."""
    want, have = Counter(expected), Counter(found)
    return [f"missing {alarm}" for alarm in (want - have).elements()] + [
        f"unexpected {alarm}" for alarm in (have - want).elements()
    ]


def _compare(
    site: Place, files: Sequence[Path], *, interval_s: float, what: str, most: float | None = None
) -> list[Line]:
    with db.transaction() as session:
        worn = [new_patient(session, f"replay-{path.stem}", interval_s=interval_s) for path in files]
    post(site.info["base_url"], files, worn)
    waited_s = until_judged(site, patients=[patient.patient_id for patient in worn])
    recordings = [list(replay.read(path)) for path in files]
    expected = [alarms(rows, interval_s=interval_s) for rows in recordings]
    found = [stored(patient.patient_id, rows) for patient, rows in zip(worn, recordings, strict=True)]
    wrong = list(
        itertools.chain.from_iterable(differences(*pair) for pair in zip(expected, found, strict=True))
    )
    for line in wrong[:10]:
        print(f"  {what}: {line}")
    days = sum(len(rows) for rows in recordings) * interval_s / 86_400
    return _lines(what, recordings, expected, found, wrong=wrong, days=days, waited_s=waited_s, most=most)


def _lines(
    what: str,
    recordings: Sequence[list[Row]],
    expected: Sequence[list[Found]],
    found: Sequence[list[Found]],
    *,
    wrong: Sequence[str],
    days: float,
    waited_s: float,
    most: float | None,
) -> list[Line]:
    def a_day(lists: Sequence[list[Found]], *, technical: bool) -> float:
        return sum((alarm.kind == TECHNICAL) == technical for alarms in lists for alarm in alarms) / days

    ours, theirs = a_day(found, technical=False), a_day(expected, technical=False)
    naive, gated = (sum(crossings(rows, gated=gate) for rows in recordings) / days for gate in (False, True))
    total = sum(map(len, expected))
    return [
        Line(part="replay", what=f"{what}, {days:.1f} patient-days: alarms a day", value=f"{ours:.1f}",
             against=f"{theirs:.1f}", ratio=f"{ours / theirs:.2f}" if theirs else "",
             target=f"<= {most:g}" if most else "", met=ours <= most if most else None),
        Line(part="replay", what=f"{what}: one value enough; sensor-off taken out", value=f"{naive:.1f}; {gated:.1f}"),
        Line(part="replay", what=f"{what}: technical (sensor off) a day",
             value=f"{a_day(found, technical=True):.1f}", against=f"{a_day(expected, technical=True):.1f}"),
        Line(part="replay", what=f"{what}: differences in {total} alarms", value=str(len(wrong)), target="0",
             met=not wrong),
        Line(part="replay", what=f"{what}: judged after the last answer, s", value=f"{waited_s:.1f}"),
    ]  # fmt: skip
