"""What `silverwatch mqtt-bridge` is asked with. Secrets come from files or the environment, never as arguments."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

from silverwatch.bridge.errors import BridgeError
from silverwatch.domain.devices.kinds import KINDS

LONGEST_SESSION_S = 7 * 86_400


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """The parser of the command."""
    bridge = commands.add_parser(
        "mqtt-bridge",
        help="take sensor/data and device/status/<id> from an MQTT broker to the ingest endpoint",
        description="The key of a gateway is read from --key-file or SILVERWATCH_KEY,"
        " the password of the broker from MQTT_PASSWORD.",
    )
    say = bridge.add_argument
    say("--broker", required=True, metavar="URL", help="mqtt://host:1883 or mqtts://host:8883")
    say("--url", required=True, help="address of the Silver Watch server")
    say("--key-file", type=Path, metavar="FILE", help="holds the key of a gateway")
    say("--username", help="who we are to the broker")
    say(
        "--ca-file",
        metavar="FILE",
        help="who signed the broker's certificate (default: whom the system trusts)",
    )
    say("--client-id", default="", help="name of the session at the broker (default: silverwatch-<gateway>)")
    say(
        "--session", type=_seconds, default=300, metavar="SECONDS",
        help="how long the broker keeps messages while the bridge is away (default: 300)",
    )  # fmt: skip
    for what in ("blood-pressure", "temperature"):
        say(
            f"--refuse-{what}", action="append", default=[], metavar="TYPE",
            help=f"do not believe the {what.replace('-', ' ')} of this type of device, such as wearable",
        )  # fmt: skip
    return bridge


def run_command(options: argparse.Namespace, *, stop: Event, say: Callable[[str], None]) -> None:
    """Run until `stop` is set. Raises BridgeError."""
    from silverwatch.bridge import run
    from silverwatch.bridge.broker import Address
    from silverwatch.bridge.messages import Refused

    for kind in (*options.refuse_blood_pressure, *options.refuse_temperature):
        if kind not in KINDS:
            raise BridgeError(f"{kind} is no type of device: use one of {', '.join(KINDS)}")
    address = Address(
        url=options.broker,
        client_id=options.client_id,
        username=options.username,
        password=os.environ.get("MQTT_PASSWORD"),
        ca_file=options.ca_file,
        session_s=options.session,
    )
    refused = Refused(tuple(options.refuse_blood_pressure), tuple(options.refuse_temperature))
    run.run(url=options.url, key=_key(options.key_file), address=address, refused=refused, stop=stop, say=say)


def _key(file: Path | None) -> str:
    try:
        key = (file.read_text() if file else os.environ.get("SILVERWATCH_KEY", "")).strip()
    except (OSError, ValueError) as error:
        raise BridgeError(f"{file} cannot be read: {error}") from None
    if not key or not key.isascii() or not key.isprintable():
        raise BridgeError("give the key of a gateway with --key-file or in SILVERWATCH_KEY")
    return key


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LONGEST_SESSION_S:
        raise argparse.ArgumentTypeError(f"{text!r}: use 0 to {LONGEST_SESSION_S} seconds")
    return int(text)
