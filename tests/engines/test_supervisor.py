"""The supervisor with small programs: order, restarts, orphans, locks."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from silverwatch.engines import EngineError, Supervisor
from silverwatch.engines.processes import command_of
from silverwatch.engines.program import LOG_BYTES
from tests.engines.parts import Parent, alive, tree, until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("on", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGHUP, True)]
)
def test_a_signal_stops_all_in_reverse_order(
    data_dir: Path, parent: Callable[[str], Parent], number: int, group: bool
) -> None:
    asked = parent("programs")
    pids = asked.told["pids"]
    said = asked.end(number, group=group)
    assert asked.process.returncode == 0
    assert said == ""
    assert (data_dir / "order").read_text().split() == ["third", "second", "first"]
    assert not alive(pids)


def test_children_end_with_a_parent_that_is_killed(data_dir: Path, parent: Callable[[str], Parent]) -> None:
    killed = parent("programs")
    killed.end(signal.SIGKILL)
    until(lambda: not alive(killed.told["pids"]), seconds=3)


def test_a_second_parent_on_the_same_folder_is_refused_in_one_line(
    data_dir: Path, parent: Callable[[str], Parent]
) -> None:
    parent("programs")
    refused = parent("programs")
    said = refused.process.communicate(timeout=10)[1]
    assert refused.process.returncode == 1
    assert said == f"Silver Watch already runs on {data_dir}: stop it first, or use another data folder.\n"


def test_a_program_that_dies_starts_again_and_is_logged(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Supervisor(data_dir) as supervisor, caplog.at_level(logging.WARNING):
        first = supervisor.start("sleep", SLEEP)
        os.kill(first, signal.SIGKILL)
        assert until(lambda: supervisor.pid("sleep") != first) < 1
        second = supervisor.pid("sleep")
    assert caplog.messages == ["sleep died with code -9 and starts again in 0.1 s"]
    assert not alive([second])


def test_a_program_that_keeps_dying_starts_later_each_time(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Supervisor(data_dir) as supervisor, caplog.at_level(logging.WARNING):
        supervisor.start("false", ["/bin/false"])
        until(lambda: len(caplog.messages) >= 4)
    assert [message.split()[-2] for message in caplog.messages[:4]] == ["0.1", "0.2", "0.4", "0.8"]


def test_a_program_that_may_end_is_not_started_again(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Supervisor(data_dir) as supervisor, caplog.at_level(logging.WARNING):
        pid = supervisor.start("true", ["/bin/true"], restart=False)
        until(lambda: bool(caplog.messages))
        time.sleep(0.3)
        assert supervisor.pid("true") == pid
    assert caplog.messages == ["true ended with code 0"]


def test_a_program_that_dies_before_it_is_ready_is_an_error_with_its_last_word(data_dir: Path) -> None:
    with Supervisor(data_dir) as supervisor:
        with pytest.raises(EngineError, match="web does not start: port taken"):
            supervisor.start(
                "web", [sys.executable, "-c", "import sys; sys.exit('port taken')"], ready=lambda: False
            )
        supervisor.start("web", SLEEP)


def test_a_program_that_does_not_stop_is_killed_with_its_group(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("silverwatch.engines.supervisor.STOP_S", 0.3)
    with Supervisor(data_dir) as supervisor:
        log = supervisor.log_path("stubborn")
        code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])"
        supervisor.start("stubborn", [sys.executable, "-c", code], ready=lambda: "on" in log.read_text())
        both = tree(supervisor.pid("stubborn"))
        assert len(both) == 2
    until(lambda: not alive(both))


def test_an_orphan_of_this_folder_is_ended_before_the_new_start(data_dir: Path) -> None:
    (data_dir / "run").mkdir(parents=True)
    with subprocess.Popen(SLEEP) as orphan, Supervisor(data_dir) as supervisor:
        (data_dir / "run" / "sleep.json").write_text(json.dumps({"pid": orphan.pid, "argv": SLEEP}))
        until(lambda: command_of(orphan.pid) == " ".join(SLEEP))
        supervisor.start("sleep", SLEEP)
        ended = orphan.poll()
        orphan.kill()
    assert ended == -signal.SIGTERM


def test_a_stranger_with_the_number_of_an_old_program_is_left_alone(data_dir: Path) -> None:
    (data_dir / "run").mkdir(parents=True)
    (data_dir / "run" / "sleep.json").write_text(f'{{"pid": {os.getpid()}, "argv": ["/bin/sleep", "9"]}}')
    with Supervisor(data_dir) as supervisor:
        supervisor.start("sleep", SLEEP)


def test_a_log_that_has_grown_large_is_set_aside_at_the_start(data_dir: Path) -> None:
    with Supervisor(data_dir) as supervisor:
        log = supervisor.log_path("echo")
        log.parent.mkdir()
        log.write_bytes(b"x" * (LOG_BYTES + 1))
        supervisor.start("echo", ["/bin/echo", "hello"], restart=False)
        until(lambda: log.read_text() == "hello\n")
        assert log.with_suffix(".log.1").stat().st_size == LOG_BYTES + 1
