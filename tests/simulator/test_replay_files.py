"""Recorded files: invented small ones always, the real ones where SILVERWATCH_DATA has them."""

import os
from pathlib import Path

import pytest

from silverwatch.simulator import replay
from silverwatch.simulator.errors import SimulatorError

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "data" / "replay"


@pytest.fixture(scope="module")
def recordings() -> Path:
    folder = Path(os.environ.get("SILVERWATCH_DATA", ROOT.parent / "shared" / "data")) / "replay"
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"no recorded data in {folder}: set SILVERWATCH_DATA")
        pytest.skip(f"NOT TESTED: no recorded data in {folder}; set SILVERWATCH_DATA")
    return folder


def test_stay_has_an_hour_a_row_and_no_oxygen_fraction() -> None:
    assert list(replay.read(SMALL / "stay.psv")) == [
        (
            3600.0,
            {
                "heart_rate": 81.0,
                "oxygen_saturation": 96.5,
                "systolic_bp": 124.0,
                "mean_bp": 88.0,
                "diastolic_bp": 70.0,
                "respiratory_rate": 17.0,
            },
        ),
        (
            10800.0,
            {"heart_rate": 84.0, "oxygen_saturation": 95.0, "temperature": 37.2, "respiratory_rate": 18.5},
        ),
    ]


def test_minutes_keep_zeros_and_leave_the_arterial_line_out() -> None:
    rows = list(replay.read(SMALL / "minutes.csv"))
    assert [offset_s for offset_s, _ in rows] == [0, 60, 180]
    assert rows[0][1] == {"heart_rate": 0, "pulse_rate": 0, "respiratory_rate": 21, "oxygen_saturation": 0}
    cuff = {vital: rows[1][1][vital] for vital in ("systolic_bp", "diastolic_bp", "mean_bp")}
    assert cuff == {"systolic_bp": 128, "diastolic_bp": 72, "mean_bp": 91}
    assert "pulse_rate" not in rows[2][1]


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("a.txt", "HR\n1\n", "not a recording"),
        ("a.psv", "", "column HR, O2Sat, Resp is missing"),
        ("a.psv", "HR|O2Sat|Resp\n80|97|x\n", "a.psv:2: Resp is not a number"),
        ("a.psv", "HR|O2Sat|Resp\n80|97|inf\n", "a.psv:2: Resp is not a number"),
        ("a.psv", "HR|O2Sat|Resp\n80|97\n", "a.psv:2: the row has not as many cells"),
        ("a.psv", "HR|O2Sat|Resp\n80|97|16|1\n", "a.psv:2: the row has not as many cells"),
        ("a.csv", "minute,HR,SpO2\n1,80,97\n1,80,97\n", "a.csv:3: minute does not follow"),
        ("a.csv", "minute,HR,SpO2\n,80,97\n", "a.csv:2: minute does not follow"),
        ("a.csv", "minute,HR,SpO2\n-1,80,97\n", "a.csv:2: minute does not follow"),
    ],
)
def test_bad_files_are_named_in_one_line(name: str, text: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SimulatorError) as caught:
        list(replay.read(path))
    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files_are_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="No such file"):
        list(replay.read(tmp_path / "gone.psv"))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SimulatorError, match=r"b\.csv"):
        list(replay.read(tmp_path / "b.csv"))


def test_every_recorded_stay_is_read(recordings: Path) -> None:
    stays = sorted((recordings / "physionet2019_setB").glob("*.psv"))
    assert len(stays) == 160
    index = (recordings / "physionet2019_setB" / "INDEX.csv").read_text().splitlines()[1:]
    hours = {line.split(",")[0]: int(line.split(",")[1]) for line in index}
    for path in stays:
        rows = list(replay.read(path))
        assert rows
        assert rows[-1][0] <= (hours[path.stem] - 1) * 3600


def test_recorded_minutes_are_read_as_counted(recordings: Path) -> None:
    rows = list(replay.read(next((recordings / "mimic2_minute").glob("*.csv"))))
    assert len(rows) == 1936
    assert sum(values.get("oxygen_saturation") == 0 for _, values in rows) == 363
    assert sum(values.get("heart_rate") == 0 for _, values in rows) == 46
    assert sum("systolic_bp" in values for _, values in rows) == 152


def test_impossible_values_are_kept(recordings: Path) -> None:
    found = [row for path in (recordings / "artefact_cases").glob("*.psv") for row in replay.read(path)]
    assert any(values.get("temperature") == 50 for _, values in found)
