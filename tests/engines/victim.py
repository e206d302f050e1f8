"""A parent to be killed by the tests: starts what it is told in a data folder, prints its state, and waits.

`python victim.py DATA_DIR engines|programs`
"""

import json
import sys
from pathlib import Path

from silverwatch.engines import EngineError, Supervisor, start_engines

RECORD = """
import signal, sys, time
def leave(number, frame):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
while True:
    time.sleep(1)
"""


def main(data_dir: Path, what: str) -> None:
    with Supervisor(data_dir, catch_signals=True) as supervisor:
        told: dict[str, object] = {}
        if what == "engines":
            engines = start_engines(supervisor, data_dir, for_tests=True, env={})
            told = {"owner": engines.owner_url, "app": engines.database_url, "redis": engines.redis_url}
            told["pids"] = [supervisor.pid("postgres"), supervisor.pid("valkey")]
        else:
            names = ["first", "second", "third"]
            for name in names:
                log = supervisor.log_path(name)
                supervisor.start(
                    name,
                    [sys.executable, "-c", RECORD, str(data_dir / "order"), name],
                    ready=lambda log=log: "ready" in log.read_text(),  # type: ignore[misc]
                )
            told["pids"] = [supervisor.pid(name) for name in names]
        print(json.dumps(told), flush=True)
        supervisor.wait()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except EngineError as error:
        sys.exit(str(error))
