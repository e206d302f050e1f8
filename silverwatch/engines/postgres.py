"""PostgreSQL of our own: made on the first start, found again on the next, asked for a password by everyone."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from silverwatch.engines import binaries, processes
from silverwatch.engines.errors import EngineError
from silverwatch.engines.state import State, write_private
from silverwatch.engines.supervisor import Supervisor

NAME: Final = "postgres"
DATABASE: Final = "silverwatch"
OWNER: Final = "silverwatch_owner"
APP: Final = "silverwatch_app"
UNPRIVILEGED: Final = "nobody"
"""PostgreSQL refuses to run as root: then it runs as this user."""

SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Values of patients stay out of the log: no statement texts, no key values in details.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
TEST_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresUrls:
    """SQLAlchemy URLs of the role that owns the tables and of the role that only uses them."""

    owner: str
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cluster:
    bin: Path
    home: Path
    user: str | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.home)}


def start_postgres(supervisor: Supervisor, state: State, *, for_tests: bool = False) -> PostgresUrls:
    """Start PostgreSQL on the state's data folder, with its roles and database; raises EngineError.

    `for_tests` switches fsync off: as fast as it gets, and not safe against a loss of power.
    """
    cluster = _cluster(state.folder)
    if cluster.home != state.folder / NAME:
        supervisor.hold(cluster.home)
    if not (cluster.data / "PG_VERSION").exists():
        _initdb(cluster, state.passwords.postgres, sync=not for_tests)
    _clear_stale_lock(cluster.data)
    port = _start(supervisor, state, cluster, settings=SETTINGS | (TEST_SETTINGS if for_tests else {}))
    _prepare(state, port)
    return PostgresUrls(
        owner=f"postgresql+psycopg://{OWNER}:{state.passwords.owner}@127.0.0.1:{port}/{DATABASE}",
        app=f"postgresql+psycopg://{APP}:{state.passwords.app}@127.0.0.1:{port}/{DATABASE}",
    )


def home_of(data_dir: Path) -> Path:
    """The folder of the cluster: inside the data folder, or, for root, where its `where.txt` says."""
    note = data_dir / "where.txt"
    return Path(note.read_text().strip()) if note.exists() else data_dir / NAME


def _cluster(data_dir: Path) -> _Cluster:
    found = binaries.find_postgres()
    if os.geteuid() != 0:
        home = data_dir / NAME
        home.mkdir(mode=0o700, exist_ok=True)
        return _Cluster(bin=found, home=home, user=None)
    entry = pwd.getpwnam(UNPRIVILEGED)
    home = home_of(data_dir)
    if home.parent == data_dir and not binaries.can(UNPRIVILEGED, ["test", "-x", str(data_dir)]):
        # A random name: the cluster of a deleted folder of the same path would refuse the new passwords.
        home = binaries.SHARED / secrets.token_hex(8)
        write_private(data_dir / "where.txt", f"{home}\n")
    binaries.open_folder(home.parent)
    if not home.exists():
        home.mkdir(mode=0o700)
        os.chown(home, entry.pw_uid, entry.pw_gid)
    return _Cluster(bin=binaries.for_user(found, UNPRIVILEGED), home=home, user=UNPRIVILEGED)


def _initdb(cluster: _Cluster, password: str, *, sync: bool) -> None:
    """Make the cluster beside its place and move it there: a start that was killed half-way leaves no half cluster."""
    new = cluster.home / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    entry = pwd.getpwnam(cluster.user) if cluster.user else None
    password_file = _password_file(cluster, password)
    command: list[str | Path] = [cluster.bin / "initdb", "-D", new]
    command += ["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"]
    command += ["--data-checksums", f"--pwfile={password_file}", *_locale(cluster.bin)]
    command += [] if sync else ["--no-sync"]
    try:
        done = subprocess.run(
            command,
            env=cluster.env,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=cluster.user,
            group=entry.pw_gid if entry else None,
            extra_groups=[] if entry else None,
        )
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode:
        raise EngineError(
            f"PostgreSQL cannot make its files in {new}: {' '.join(done.stderr.split())[-300:]}"
        )
    new.rename(cluster.data)


def _password_file(cluster: _Cluster, password: str) -> Path:
    path = cluster.home / f"password-{secrets.token_hex(8)}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(password)
        if cluster.user:
            entry = pwd.getpwnam(cluster.user)
            os.fchown(handle, entry.pw_uid, entry.pw_gid)
    return path


def _locale(folder: Path) -> list[str]:
    if binaries.major_version(folder) >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--locale=C"]


def _clear_stale_lock(data: Path) -> None:
    """Remove postmaster.pid when its process id now belongs to something that is no postgres.

    PostgreSQL sees by itself that a process is gone, but not that its number was given to another one, as happens
    after a reboot and in every container.
    """
    lock = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        command = processes.command_of(int(lock.read_text().split("\n")[0]))
        if command is not None and "postgres" not in command:
            lock.unlink()


def _start(supervisor: Supervisor, state: State, cluster: _Cluster, *, settings: dict[str, str]) -> int:
    """Start the server on the remembered port or another free one; the port."""
    while True:
        port = processes.free_port(state.ports.get(NAME))
        argv = [str(cluster.bin / "postgres"), "-D", str(cluster.data), "-p", str(port)]
        for key, value in settings.items():
            argv += ["-c", f"{key}={value}"]
        try:
            supervisor.start(
                NAME,
                argv,
                env=cluster.env,
                ready=lambda port=port: _answers(port, state.passwords.postgres, data=cluster.data),  # type: ignore[misc]
                user=cluster.user,
                stop_signal=signal.SIGINT,
            )
        except EngineError:
            if processes.is_free(port):
                raise
            continue
        state.ports[NAME] = port
        state.save()
        return port


def _connect(port: int, password: str, *, database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user="postgres",
        password=password,
        dbname=database,
        connect_timeout=5,
        autocommit=True,
        # With scram the server proves that it knows the password too, and a stranger never gets to see it.
        require_auth="scram-sha-256",
    )


def _answers(port: int, password: str, *, data: Path) -> bool:
    """Is it our server, on our data, that takes connections on this port?"""
    try:
        with _connect(port, password) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise EngineError(
                f"PostgreSQL refuses the passwords beside {data}: restore engines.json."
            ) from error
        return False
    return row is not None and Path(row[0]) == data


def _prepare(state: State, port: int) -> None:
    """Make the roles and the database where they are missing; the same on every start."""
    with _connect(port, state.passwords.postgres) as connection:
        for role, password, rights in (
            (OWNER, state.passwords.owner, "CREATEDB"),
            (APP, state.passwords.app, "NOCREATEDB"),
        ):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.Identifier(role), sql.SQL(rights), sql.Literal(password)
                )
            )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        connection.execute(f"REVOKE ALL ON DATABASE {DATABASE}, postgres FROM PUBLIC")
        connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}")
        connection.execute(f"GRANT CONNECT ON DATABASE postgres TO {OWNER}")
    with _connect(port, state.passwords.postgres, database=DATABASE) as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
