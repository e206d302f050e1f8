"""The engines on real data folders: they find their data, come back from kill -9, and let no stranger in."""

import contextlib
import os
import shutil
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import make_url

from silverwatch.engines import EngineError, Engines, Supervisor, binaries, discard, start_engines
from silverwatch.engines.postgres import _clear_stale_lock, home_of
from silverwatch.engines.state import State
from tests.engines.parts import Parent, alive, processes, tree, until

Own = tuple[Supervisor, Engines]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up root")


def connect(url: str, **changes: str) -> psycopg.Connection:
    parts = make_url(url).set(drivername="postgresql", **changes)  # type: ignore[arg-type]
    return psycopg.connect(parts.render_as_string(hide_password=False), connect_timeout=2, autocommit=True)


def keys(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, retry=Retry(NoBackoff(), 0))


def answers(action: Callable[[], object]) -> bool:
    with contextlib.suppress(psycopg.OperationalError, redis.RedisError):
        action()
        return True
    return False


def count(url: str) -> int:
    with connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row
    return int(row[0])


def set_key(url: str, name: str) -> None:
    with keys(url) as client:
        client.set(name, "1")


def has_key(url: str, name: str) -> bool:
    with keys(url) as client:
        return bool(client.exists(name))


def test_rows_and_keys_survive_stop_and_start_on_the_same_ports(data_dir: Path) -> None:
    with Supervisor(data_dir) as supervisor:
        first = start_engines(supervisor, data_dir, env={})
        with connect(first.owner_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100)")
            shown = connection.execute(
                "SELECT current_setting('fsync'), current_setting('data_checksums')"
            ).fetchone()
        set_key(first.redis_url, "kept")
    with Supervisor(data_dir) as supervisor:
        second = start_engines(supervisor, data_dir, env={})
        assert second == first
        assert count(second.owner_url) == 100
        assert has_key(second.redis_url, "kept")
    assert shown == ("on", "on")


def test_postgres_is_back_with_every_committed_row_after_kill_9_of_its_tree(own: Own) -> None:
    supervisor, engines = own
    with connect(engines.owner_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 5000)")
    before = supervisor.pid("postgres")
    for pid in tree(before):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: supervisor.pid("postgres") != before)
    took = until(lambda: answers(lambda: connect(engines.owner_url).close()))
    assert count(engines.owner_url) == 5000
    assert took <= 3.0


def test_postgres_is_back_after_kill_9_of_its_leader_alone(own: Own) -> None:
    supervisor, engines = own
    before = supervisor.pid("postgres")
    os.kill(before, signal.SIGKILL)
    until(lambda: supervisor.pid("postgres") != before)
    assert until(lambda: answers(lambda: connect(engines.owner_url).close())) <= 3.0


def test_valkey_is_back_with_every_key_after_kill_9(own: Own) -> None:
    supervisor, engines = own
    for number in range(200):
        set_key(engines.redis_url, f"key-{number}")
    before = supervisor.pid("valkey")
    os.kill(before, signal.SIGKILL)
    until(lambda: supervisor.pid("valkey") != before)
    assert until(lambda: answers(lambda: has_key(engines.redis_url, "x"))) <= 3.0
    assert all(has_key(engines.redis_url, f"key-{number}") for number in range(200))


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t (a int)", "CREATE TEMP TABLE t (a int)", "CREATE DATABASE d"]
)
def test_the_application_role_makes_nothing(own: Own, statement: str) -> None:
    with connect(own[1].database_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_owner_makes_databases_for_tests_and_is_no_superuser(own: Own) -> None:
    with connect(own[1].owner_url, database="postgres") as connection:
        connection.execute("CREATE DATABASE clone TEMPLATE silverwatch")
        connection.execute("DROP DATABASE clone")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")


@pytest.mark.parametrize("password", ["", "guess"])
def test_local_users_without_the_password_stay_out(own: Own, password: str) -> None:
    _, engines = own
    for role in ("postgres", "silverwatch_owner", "silverwatch_app"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(engines.owner_url, username=role, password=password)
    with keys(engines.redis_url.replace(str(make_url(engines.redis_url).password), password)) as client:
        with pytest.raises(redis.AuthenticationError):
            client.ping()


def test_passwords_are_on_no_command_line_and_in_no_file_that_others_read(own: Own) -> None:
    supervisor, _ = own
    state = State.load(supervisor.data_dir)
    secrets = [state.passwords.postgres, state.passwords.owner, state.passwords.app, state.passwords.valkey]
    for name in ("postgres", "valkey"):
        _, _, line = processes()[supervisor.pid(name)]
        assert not any(secret in line for secret in secrets)
    for path in (supervisor.data_dir / "engines.json", supervisor.data_dir / "valkey" / "valkey.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_server_on_the_remembered_ports_is_left_alone(data_dir: Path) -> None:
    data_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        taken = {"postgres": one.getsockname()[1], "valkey": two.getsockname()[1]}
        state = State.load(data_dir)
        state.ports.update(taken)
        state.save()
        with Supervisor(data_dir) as supervisor:
            engines = start_engines(supervisor, data_dir, for_tests=True, env={})
            assert make_url(engines.owner_url).port != taken["postgres"]
            assert make_url(engines.redis_url).port != taken["valkey"]
            assert answers(lambda: connect(engines.database_url).close())
            assert answers(lambda: has_key(engines.redis_url, "x"))


@as_root
def test_a_folder_closed_to_nobody_stays_closed_and_says_where_the_data_is(own: Own) -> None:
    supervisor, _ = own
    closed = next(
        folder for folder in supervisor.data_dir.parents if stat.S_IMODE(folder.stat().st_mode) == 0o700
    )
    home = home_of(supervisor.data_dir)
    assert home.parent == binaries.SHARED
    assert (home / "data" / "PG_VERSION").exists()
    assert not binaries.can("nobody", ["test", "-x", str(closed)])
    assert processes()[supervisor.pid("postgres")][1] == "nobody"


@as_root
def test_programs_that_nobody_cannot_reach_are_copied_with_their_libraries(tmp_path: Path) -> None:
    found = binaries.find_postgres()
    closed, shared = tmp_path / "closed", Path("/var/lib/silverwatch-test-copy")
    closed.mkdir(mode=0o700)
    (closed / "packages").symlink_to(found.parents[2])
    try:
        reached = binaries.for_user(
            closed / "packages" / found.relative_to(found.parents[2]), "nobody", shared=shared
        )
        assert reached.is_relative_to(shared)
        assert binaries.can("nobody", [str(reached / "psql"), "--version"])
        assert binaries.major_version(reached) == binaries.major_version(found)
    finally:
        shutil.rmtree(shared, ignore_errors=True)


def test_after_kill_9_of_the_parent_no_engine_is_left_and_the_rows_are_found(
    data_dir: Path, parent: Callable[[str], Parent]
) -> None:
    killed = parent("engines")
    with connect(killed.told["owner"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 300)")
    left = [each for pid in killed.told["pids"] for each in tree(pid)]
    killed.end(signal.SIGKILL)
    again = parent("engines")
    assert count(again.told["owner"]) == 300
    assert again.told["owner"] == killed.told["owner"]
    until(lambda: not alive(left))


def test_given_addresses_are_used_and_nothing_is_started(data_dir: Path) -> None:
    env = {"DATABASE_URL": "postgres://a:b@db/x", "REDIS_URL": "redis://cache:1/0"}
    with Supervisor(data_dir) as supervisor:
        engines = start_engines(supervisor, data_dir, env=env)
        assert engines.owner_url == engines.database_url == "postgresql+psycopg://a:b@db/x"
        assert engines.redis_url == "redis://cache:1/0"
        assert not list((supervisor.data_dir / "run").glob("*"))


def test_lost_passwords_are_said_in_one_line(data_dir: Path) -> None:
    with Supervisor(data_dir) as supervisor:
        start_engines(supervisor, data_dir, for_tests=True, env={})
    (data_dir / "engines.json").unlink()
    with Supervisor(data_dir) as supervisor, pytest.raises(EngineError, match=r"restore engines\.json"):
        start_engines(supervisor, data_dir, for_tests=True, env={})


def test_a_lock_file_naming_a_process_that_is_no_postgres_is_removed(tmp_path: Path) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getppid()}\n{tmp_path}\n")
    _clear_stale_lock(tmp_path)
    assert not lock.exists()


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with Supervisor(folder) as supervisor:
        start_engines(supervisor, folder, for_tests=True, env={})
        home = home_of(folder)
        with pytest.raises(EngineError, match="already runs"):
            discard(folder)
    discard(folder)
    assert not folder.exists()
    assert not home.exists()
