"""The command line: one parser, each command a few lines."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from silverwatch import __version__
from silverwatch.config import Config, ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it did what it was asked, 1 with one line on stderr when it could not."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from silverwatch.bridge.errors import BridgeError
    from silverwatch.engines.errors import EngineError
    from silverwatch.simulator.errors import SimulatorError

    try:
        code: int = options.run(options) or 0
        return code
    except (BridgeError, ConfigError, EngineError, SimulatorError) as error:
        print(f"silverwatch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from silverwatch.bridge import command

    parser = argparse.ArgumentParser(
        prog="silverwatch",
        description="An open ward monitor. A secondary, informational display; not a medical device.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="a living ward on this machine, with everything it needs")
    demo.add_argument("--port", type=_port, default=8000)
    demo.add_argument("--data-dir", type=Path, default=Path(".demo"))
    demo.add_argument("--quiet-ward", action="store_true", help="no simulated traffic")
    demo.add_argument("--info", type=Path, help="write addresses, accounts and keys here as JSON when ready")
    demo.add_argument("--replay", type=Path, metavar="DIR", help="replay the recordings in DIR instead")
    demo.set_defaults(run=_demo)
    for name, text, run in (
        ("serve", "the web process (gunicorn)", _serve),
        ("scheduler", "the guard and the housekeeping", _scheduler),
        ("migrate", "bring the database to this version", _migrate),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    worker = commands.add_parser("worker", help="run jobs of one queue")
    worker.add_argument("queue", choices=("alarms", "notices", "reports"))
    worker.set_defaults(run=_worker)
    _traffic_parsers(commands)
    command.add_parser(commands).set_defaults(run=_mqtt_bridge)
    drill = commands.add_parser("drill", help="a test alarm, followed to the people; exit 1 if it failed")
    drill.add_argument("--ward", metavar="SLUG", help="this ward only (default: each one)")
    drill.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for it")
    drill.set_defaults(run=_drill)
    audit = commands.add_parser("audit", help="the chain of who did and saw what")
    verify = audit.add_subparsers(dest="what", required=True).add_parser(
        "verify", help="walk the whole chain; exit 1 if anything was changed, removed or put in"
    )
    verify.add_argument(
        "--anchors", type=Path, metavar="FILE", help="the anchor file (default: AUDIT_ANCHOR)"
    )
    verify.set_defaults(run=_verify_audit)
    admin = commands.add_parser("create-admin", help="the first account; the password is asked for")
    admin.add_argument("--email", required=True)
    admin.add_argument("--name", required=True)
    admin.set_defaults(run=_create_admin)
    make = commands.add_parser("make-migration", help="write a migration from the models")
    make.add_argument("name")
    make.set_defaults(run=_make_migration)
    return parser


def _traffic_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    simulate = commands.add_parser("simulate", help="traffic of the demo's patients, from its info file")
    simulate.add_argument("--info", type=Path, required=True)
    simulate.add_argument("--speed", type=float, default=1.0)
    simulate.add_argument("--with-past", action="store_true", help="tell the last day first")
    simulate.set_defaults(run=_simulate)
    replay = commands.add_parser("replay", help="post recorded rows through the ingest endpoint")
    replay.add_argument("files", type=Path, nargs="+", metavar="FILE", help="PhysioNet .psv or minute .csv")
    replay.add_argument("--speed", type=float, default=1.0, help="how many times as fast as recorded")
    replay.add_argument(
        "--original-time", action="store_true", help="keep the recorded distances, ending now, sent at once"
    )
    replay.add_argument("--info", type=Path, help="the demo's info file, for its address and device keys")
    replay.add_argument("--first-device", type=int, default=0, help="skip so many devices of the info file")
    replay.add_argument("--url", help="address of the server")
    replay.add_argument("--key", action="append", default=[], help="a device key, one for each file")
    replay.set_defaults(run=_replay)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use 0 (any free one) to 65535")
    return int(text)


def _demo(options: argparse.Namespace) -> None:
    from silverwatch import demo

    demo.run(
        port=options.port,
        data_dir=options.data_dir,
        quiet=options.quiet_ward,
        info_path=options.info,
        recordings=options.replay,
        say=print,
    )


def _serve(_: argparse.Namespace) -> None:
    Config.from_env()
    os.execv(
        sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:silverwatch.serving", "wsgi:app"]
    )


def _scheduler(_: argparse.Namespace) -> None:
    from silverwatch.jobs import scheduler

    scheduler.run(Config.from_env())


def _migrate(_: argparse.Namespace) -> None:
    from silverwatch import schema

    config = Config.from_env()
    schema.upgrade(config.owner_url, app_url=config.database_url)
    print(f"The database is at {schema.head()}.")


def _drill(options: argparse.Namespace) -> int:
    from silverwatch.jobs import drill

    return drill.run(Config.from_env(), ward=options.ward, wait_s=options.wait, say=print)


def _verify_audit(options: argparse.Namespace) -> int:
    import psycopg

    from silverwatch import keys
    from silverwatch.domain.audit import verifying

    config = Config.from_env()
    path = options.anchors or config.audit_anchor
    try:
        verdict = verifying.verify(config.database_url, keys=keys.of_audit(config), anchor_file=path)
    except psycopg.Error as error:
        raise ConfigError(f"the audit cannot be read: {str(error).strip()}") from error
    print("\n".join(verifying.lines(verdict, anchor_file=path)))
    return 0 if verdict.sound else 1


def _create_admin(options: argparse.Namespace) -> None:
    from silverwatch import admin_account

    config = Config.from_env()
    password = admin_account.read_password()
    url = admin_account.create(config, email=options.email, name=options.name, password=password)
    print(f"The account is ready. Sign in at {url}.")


def _worker(options: argparse.Namespace) -> None:
    from silverwatch.adapters import job_queue
    from silverwatch.domain.alerts import parts
    from silverwatch.jobs import heart
    from silverwatch.jobs.boot import boot

    config = Config.from_env()
    boot(config)
    heart.start(parts.ALARM_WORKER if options.queue == job_queue.ALARMS else parts.REPORT_WORKER)
    job_queue.work(config.redis_url, queue=options.queue)


def _simulate(options: argparse.Namespace) -> None:
    from silverwatch.simulator import demo
    from silverwatch.simulator.info import read_info

    demo.run(
        read_info(options.info), stop=_stop(), say=print, speed=options.speed, with_past=options.with_past
    )


def _replay(options: argparse.Namespace) -> None:
    from silverwatch.simulator.commands import replay_command
    from silverwatch.simulator.info import read_info

    info = read_info(options.info) if options.info else {}
    url = options.url or info.get("base_url")
    keys = (
        options.key
        or [device["key"] for device in info.get("devices", [])[options.first_device :]][: len(options.files)]
    )
    if not url or not keys:
        raise ConfigError("say where to: --info FILE of a running demo, or --url and a --key for each file")
    totals = replay_command(
        options.files,
        base_url=url,
        keys=keys,
        speed=options.speed,
        original_time=options.original_time,
        say=print,
        stop=_stop(),
    )
    print(f"done: {totals}")


def _mqtt_bridge(options: argparse.Namespace) -> None:
    from silverwatch.bridge import command

    command.run_command(options, stop=_stop(), say=print)


def _make_migration(options: argparse.Namespace) -> None:
    from silverwatch import schema

    schema.make_migration(options.name, owner_url=Config.from_env().owner_url)


def _stop() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
