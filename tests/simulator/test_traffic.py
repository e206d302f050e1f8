"""Whole runs over HTTP: the cast, and replays in both ways of telling time."""

from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest

from silverwatch import clock
from silverwatch.simulator.commands import replay_command, simulate_command
from silverwatch.simulator.errors import SimulatorError
from silverwatch.simulator.history import ManualSet
from silverwatch.simulator.ward import cast

SMALL = Path(__file__).parents[1] / "data" / "replay"
KEYS = {bed.device.serial: f"key-{bed.device.serial}" for ward in cast() for bed in ward.beds if bed.device}


def quiet(_line: str) -> None:
    pass


def test_the_whole_cast_posts_and_the_nurse_comes(server: Any) -> None:
    stop, sets, failed = Event(), list[tuple[str, ManualSet]](), list[int]()

    def post(ref: str, manual: ManualSet) -> None:
        if not failed:
            failed.append(1)
            raise OSError("away")
        sets.append((ref, manual))
        stop.set()

    begin = clock.now() - timedelta(hours=1)
    too_long = Timer(60, stop.set)
    too_long.start()
    totals = simulate_command(
        base_url=server.url, keys=KEYS, seed=1, stop=stop, say=quiet, start=begin, post_observation=post
    )
    too_long.cancel()
    assert {key.removeprefix("Bearer ") for key in server.keys} == set(KEYS.values())
    assert totals.waiting == totals.dropped == totals.rejected == 0
    assert totals.stored == len(server.taken) > 3600 / 4 * 14
    times = [datetime.fromisoformat(r["measured_at"]) for body in server.bodies for r in body["readings"]]
    assert max(times) <= clock.now()
    assert min(times) >= begin - timedelta(seconds=2)
    assert failed
    assert {ref for ref, _ in sets} >= {"hughes-margaret"}
    assert "chebet-esther" not in {ref for ref, _ in sets}
    assert all(begin <= manual.at <= clock.now() for _, manual in sets)


def test_replay_live_is_compressed_and_never_in_the_future(server: Any) -> None:
    begin = clock.now()
    files = [SMALL / "minutes.csv", SMALL / "stay.psv"]
    totals = replay_command(files, base_url=server.url, keys=["a", "b"], speed=3600 * 4, say=quiet)
    end = clock.now()
    assert totals.stored == 5
    stay = [
        datetime.fromisoformat(r["measured_at"])
        for key, body in zip(server.keys, server.bodies, strict=True)
        for r in body["readings"]
        if key == "Bearer b"
    ]
    assert [round((at - stay[0]).total_seconds(), 1) for at in stay] == [0, 0.5]
    assert begin - timedelta(seconds=0.01) <= stay[0] < stay[1] <= end


def test_replay_at_original_time_ends_now(server: Any) -> None:
    replay_command([SMALL / "stay.psv"], base_url=server.url, keys=["a"], original_time=True, say=quiet)
    (body,) = server.bodies
    first, last = (datetime.fromisoformat(r["measured_at"]) for r in body["readings"])
    assert (last - first).total_seconds() == pytest.approx(7200, abs=0.002)
    assert 0 < (clock.now() - last).total_seconds() < 5


def test_bad_arguments_send_nothing(server: Any, tmp_path: Path) -> None:
    (tmp_path / "e.psv").write_text("HR|O2Sat|Resp\nNaN|NaN|NaN\n")
    for files, keys, speed, cause in (
        ([SMALL / "stay.psv"], [], 1.0, "1 files need 1"),
        ([SMALL / "stay.psv"], ["a"], 0.0, "speed must be above 0"),
        ([SMALL / "stay.psv", tmp_path / "gone.psv"], ["a", "b"], 1.0, "gone.psv"),
        ([tmp_path / "e.psv"], ["a"], 1.0, "no row with a value"),
    ):
        with pytest.raises(SimulatorError, match=cause):
            replay_command(files, base_url=server.url, keys=keys, speed=speed, say=quiet)
    with pytest.raises(SimulatorError, match="none of the keys"):
        simulate_command(base_url=server.url, keys={"X": "k"}, say=quiet)
    assert server.bodies == []


def test_a_wrong_request_ends_the_run(server: Any) -> None:
    server.answers = [(400, {})]
    with pytest.raises(SimulatorError, match="400"):
        simulate_command(base_url=server.url, keys=KEYS, seed=1, say=quiet)
    server.answers = [(400, {})]
    with pytest.raises(SimulatorError, match="400"):
        replay_command(
            [SMALL / "minutes.csv"], base_url=server.url, keys=["a"], original_time=True, say=quiet
        )
