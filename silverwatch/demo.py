"""`silverwatch demo`: one command, one parent, a living ward."""

import json
import os
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from silverwatch import clock, db, schema
from silverwatch.config import ConfigError
from silverwatch.engines import EngineError, Engines, start_engines
from silverwatch.engines.supervisor import Supervisor
from silverwatch.simulator import seed
from silverwatch.simulator.info import read_info
from silverwatch.simulator.ward import cast

INFO: Final = "info.json"
SECRET: Final = "secret"
LETTERS: Final = "letters"
ANCHOR: Final = "audit-anchor.jsonl"
READY_WITHIN_S: Final = 60.0
Say = Callable[[str], None]


def run(
    *, port: int, data_dir: Path, quiet: bool, info_path: Path | None, recordings: Path | None, say: Say
) -> None:
    """Start everything, say where it is, and stay until Ctrl-C. Raises EngineError or ConfigError."""
    data_dir = data_dir.resolve()
    files = _recordings(recordings)
    if info_path is not None:
        # Whoever waits for it must not find the last one's.
        info_path.unlink(missing_ok=True)
    began = time.monotonic()
    with Supervisor(data_dir, catch_signals=True) as supervisor:
        engines = start_engines(supervisor, data_dir)
        say("PostgreSQL and Valkey are up.")
        schema.upgrade(engines.owner_url, app_url=engines.database_url)
        port = _free_port(port)
        info, is_new = _seeded(data_dir, engines, base_url=f"http://127.0.0.1:{port}")
        _start_processes(supervisor, data_dir, engines, port=port)
        _wait_until_ready(info["base_url"], supervisor)
        kept = data_dir / INFO
        _start_traffic(
            supervisor, kept, quiet=quiet, with_past=is_new, files=files, devices=len(info["devices"])
        )
        if info_path is not None:
            _write_private(info_path, info)
        _welcome(say, info, kept, is_new=is_new, took_s=time.monotonic() - began)
        try:
            supervisor.wait()
        finally:
            say("Stopping. The data stays in place.")


def _recordings(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    files = sorted([*folder.glob("*.psv"), *folder.glob("*.csv")])
    if not files:
        raise ConfigError(f"{folder} holds no .psv or .csv recording.")
    return [path.resolve() for path in files]


def _free_port(port: int) -> int:
    """`port` if it is free, any free one for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise EngineError(f"Port {port} is taken. Choose another one with --port (0 for any).") from None
        return int(probe.getsockname()[1])


def _seeded(data_dir: Path, engines: Engines, *, base_url: str) -> tuple[dict[str, Any], bool]:
    """The demo hospital, made at the first start. Its secrets are on disk before the rows are committed."""
    path = data_dir / INFO
    db.configure(engines.database_url)
    try:
        with db.transaction() as session:
            is_new = seed.is_empty(session)
            if not is_new and not path.exists():
                raise EngineError(
                    f"{path} is gone and with it the demo's passwords. Remove {data_dir} to begin anew."
                )
            info = seed.seed(session, cast(), now=clock.now()) if is_new else read_info(path)
            info |= {
                "base_url": base_url,
                "database_url": engines.database_url,
                "owner_url": engines.owner_url,
                "redis_url": engines.redis_url,
            }
            _write_private(path, info)
    finally:
        db.dispose()
    return info, is_new


def _write_private(path: Path, info: Mapping[str, Any]) -> None:
    """Write whole or not at all, readable by the owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(info, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _secret(data_dir: Path) -> str:
    path = data_dir / SECRET
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text("utf-8")


def _start_processes(supervisor: Supervisor, data_dir: Path, engines: Engines, *, port: int) -> None:
    env = {
        **os.environ,
        "DATABASE_URL": engines.database_url,
        "MIGRATION_DATABASE_URL": engines.owner_url,
        "REDIS_URL": engines.redis_url,
        "SECRET_KEY": _secret(data_dir),
        "SILVERWATCH_BIND": f"127.0.0.1:{port}",
        "BASE_URL": f"http://127.0.0.1:{port}",
        # Nobody gets e-mail from a demo: each letter is a file.
        "SMTP_URL": (data_dir / LETTERS).as_uri(),
        "AUDIT_ANCHOR": str(data_dir / ANCHOR),
        # Plain http on the loopback address only: a cookie marked Secure would never come back.
        "SILVERWATCH_PLAIN_HTTP": "1",
        "PYTHONPATH": os.pathsep.join([str(schema.MIGRATIONS.parent), os.environ.get("PYTHONPATH", "")]),
    }
    for name, command in (
        ("web", ["serve"]),
        ("scheduler", ["scheduler"]),
        ("alarm-worker", ["worker", "alarms"]),
        ("report-worker", ["worker", "reports"]),
    ):
        supervisor.start(name, [sys.executable, "-m", "silverwatch.cli", *command], env=env)


ROW_EVERY_S: Final = {".psv": 3600 / 5, ".csv": 60 / 5}
"""How many times as fast as recorded, so that a row comes every 5 s, whatever its distance was."""


def _start_traffic(
    supervisor: Supervisor, info: Path, *, quiet: bool, with_past: bool, files: list[Path], devices: int
) -> None:
    """Patients who post: simulated ones, or recordings over and over, one for each device there is."""
    if quiet:
        return
    command = [sys.executable, "-m", "silverwatch.cli"]
    env = {**os.environ, "PYTHONPATH": str(schema.MIGRATIONS.parent)}
    if not files:
        past = ["--with-past"] if with_past else []
        supervisor.start("traffic", [*command, "simulate", "--info", str(info), *past], env=env)
    used = 0
    for suffix, speed in ROW_EVERY_S.items():
        chosen = [str(path) for path in files if path.suffix == suffix][: devices - used]
        if chosen:
            more = ["--speed", str(speed), "--info", str(info), "--first-device", str(used)]
            supervisor.start(f"replay{suffix}", [*command, "replay", *chosen, *more], env=env)
            used += len(chosen)


def _wait_until_ready(base_url: str, supervisor: Supervisor) -> None:
    until = time.monotonic() + READY_WITHIN_S
    problem = "no answer"
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{base_url}/readyz", timeout=2) as answer:  # noqa: S310 - our own
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            problem = error.read().decode()[:200]
        except OSError as error:
            problem = str(error)
        time.sleep(0.05)
    raise EngineError(f"The demo did not become ready: {problem}. See {supervisor.log_path('web')}.")


def _welcome(say: Say, info: Mapping[str, Any], kept: Path, *, is_new: bool, took_s: float) -> None:
    nurse = next(account for account in info["accounts"] if account["role"] == "caregiver")
    device = info["devices"][0]
    say(f"\nSilver Watch is ready ({took_s:.1f} s): {info['base_url']}\n")
    if is_new:
        for account in info["accounts"]:
            ward = f"ward {account['ward']}" if account["ward"] else "all wards"
            say(f"  {account['role']:<11} {ward:<10} {account['email']:<30} {account['password']}")
        say(f"\nThese passwords are shown once and kept in {kept}")
    else:
        say(f"  Sign in as {nurse['email']}; the passwords are in {kept}")
    say(f"Letters that the site writes (invitations, links) are files in {kept.parent / LETTERS}")
    say("\nBe a device (the time is now, the patient that of bed 1):\n")
    say(
        f"  curl -X POST {info['base_url']}/api/readings/ -H 'Authorization: Bearer {device['key']}'"
        " -H 'Content-Type: application/json'"
        ' -d \'{"measured_at": "\'$(date -u +%Y-%m-%dT%H:%M:%SZ)\'", "oxygen_saturation": 78}\''
    )
    say("\nPatients are simulated. A secondary display, not a medical device. Ctrl-C stops everything.\n")
