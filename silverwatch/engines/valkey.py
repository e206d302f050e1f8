"""Valkey (or Redis) of our own: keeps what it is told across kill -9, and asks everyone for a password."""

from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from silverwatch.engines import binaries, processes
from silverwatch.engines.errors import EngineError
from silverwatch.engines.state import State, write_private
from silverwatch.engines.supervisor import Supervisor

NAME: Final = "valkey"


def start_valkey(supervisor: Supervisor, state: State, *, for_tests: bool = False) -> str:
    """Start Valkey on the state's data folder; its URL. Raises EngineError.

    Keys survive the death of the process; a loss of power may take the last second (`for_tests`: the last half
    minute) with it.
    """
    server = binaries.find_valkey()
    folder = state.folder / NAME
    folder.mkdir(mode=0o700, exist_ok=True)
    password = state.passwords.valkey
    while True:
        port = processes.free_port(state.ports.get(NAME))
        settings = _settings(folder, port, password=password, for_tests=for_tests)
        # In a file and not on the command line, which every user of the machine can read.
        write_private(folder / "valkey.conf", settings)
        try:
            supervisor.start(
                NAME,
                [str(server), str(folder / "valkey.conf")],
                ready=lambda port=port: _answers(port, password, folder=folder),  # type: ignore[misc]
            )
        except EngineError:
            if processes.is_free(port):
                raise
            continue
        state.ports[NAME] = port
        state.save()
        return f"redis://:{password}@127.0.0.1:{port}/0"


def _settings(folder: Path, port: int, *, password: str, for_tests: bool) -> str:
    lines = {
        "bind": "127.0.0.1",
        "port": str(port),
        "protected-mode": "yes",
        "requirepass": password,
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "appendfsync": "no" if for_tests else "everysec",
        "save": '""',
        # The command line stays as it was started, so that a later supervisor knows an orphan as its own.
        "set-proc-title": "no",
    }
    return "".join(f"{key} {value}\n" for key, value in lines.items())


def _answers(port: int, password: str, *, folder: Path) -> bool:
    """Is it our server, on our folder, that answers on this port?"""
    client = redis.Redis(
        host="127.0.0.1",
        port=port,
        password=password,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    try:
        return Path(str(client.config_get("dir").get("dir"))) == folder
    except redis.RedisError:
        return False
    finally:
        client.close()
