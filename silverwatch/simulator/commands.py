"""What the commands `simulate` and `replay` do, with plain arguments."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from silverwatch import clock
from silverwatch.simulator import replay, traffic
from silverwatch.simulator.client import DeviceClient
from silverwatch.simulator.errors import SimulatorError
from silverwatch.simulator.traffic import PostObservation, Totals, TrafficDevice
from silverwatch.simulator.ward import cast

Say = Callable[[str], None]
AHEAD_S: Final = 0.05
"""A replay at `original_time` ends this long before now, so that rounding never puts its last row in the
future."""


def simulate_command(
    *,
    base_url: str,
    keys: Mapping[str, str],
    seed: int | str = 1,
    speed: float = 1.0,
    stop: Event | None = None,
    say: Say,
    start: datetime | None = None,
    post_observation: PostObservation | None = None,
) -> Totals:
    """Drive every device of the cast whose serial is in `keys` (serial -> device key) until `stop` is set.

    Raises SimulatorError when no key fits, or as traffic.run.
    """
    beds = [bed for ward in cast() for bed in ward.beds if bed.device and bed.device.serial in keys]
    devices = [TrafficDevice(bed=bed, key=keys[bed.device.serial]) for bed in beds if bed.device]
    if not devices:
        raise SimulatorError("none of the keys is that of a device of the demo wards")
    say(f"{len(devices)} devices post to {base_url}")
    return traffic.run(
        base_url, devices, seed=seed, stop=stop or Event(), speed=speed, start=start,
        post_observation=post_observation, say=say,
    )  # fmt: skip


def replay_command(
    files: Sequence[Path],
    *,
    base_url: str,
    keys: Sequence[str],
    speed: float = 1.0,
    original_time: bool = False,
    say: Say,
    stop: Event | None = None,
) -> Totals:
    """Send each recording as the device of the key at the same place; all files at the same time.

    Live: a row at offset s is measured and sent at start + s / speed. With `original_time` the rows keep
    their distances, the last one is now, the rest lies back, and all go as fast as the server takes them;
    `speed` has no part in it. Raises SimulatorError before anything is sent for a bad file, and as
    DeviceClient.send.
    """
    if len(files) != len(keys):
        raise SimulatorError(f"{len(files)} files need {len(files)} device keys, {len(keys)} given")
    if speed <= 0:
        raise SimulatorError(f"speed must be above 0, not {speed:g}")
    recordings = [list(replay.read(path)) for path in files]
    if empty := [str(path) for path, rows in zip(files, recordings, strict=True) if not rows]:
        raise SimulatorError(f"{empty[0]}: no row with a value")
    stop, now, failures = stop or Event(), clock.now(), list[SimulatorError]()
    clients = [
        DeviceClient(base_url, key, capacity=len(rows) + 1, say=say)
        for key, rows in zip(keys, recordings, strict=True)
    ]
    senders = [
        Thread(
            target=_send,
            args=(client, rows, failures),
            kwargs=_times(rows, now, speed, original_time, stop),
            daemon=True,
        )
        for client, rows in zip(clients, recordings, strict=True)
    ]
    for sender in senders:
        sender.start()
    while alive := [sender for sender in senders if sender.is_alive()]:
        alive[0].join(0.2)
        if (clock.now() - now).total_seconds() >= traffic.PROGRESS_S:
            now = clock.now()
            say(f"{len(files)} recordings: {traffic.totals(clients)}")
    if failures:
        raise failures[0]
    return traffic.totals(clients)


def _times(
    rows: list[replay.Row], now: datetime, speed: float, original_time: bool, stop: Event
) -> dict[str, object]:
    if original_time:
        return {"start": now - timedelta(seconds=rows[-1][0] + AHEAD_S), "speed": 1.0, "stop": stop}
    return {"start": now, "speed": speed, "stop": stop}


def _send(
    client: DeviceClient,
    rows: list[replay.Row],
    failures: list[SimulatorError],
    *,
    start: datetime,
    speed: float,
    stop: Event,
) -> None:
    """Add each row when its time has come, and post; rows whose time is past go together in batches."""
    try:
        for offset_s, values in rows:
            at = start + timedelta(seconds=offset_s / speed)
            while (wait_s := (at - clock.now()).total_seconds()) > 0 and not stop.is_set():
                sleep_s = client.send() if client.waiting else wait_s
                stop.wait(min(sleep_s, wait_s))
            if stop.is_set():
                break
            client.add(at, values)
        client.drain(stop)
    except SimulatorError as error:
        failures.append(error)
        stop.set()
    finally:
        client.close()
