"""The scheduler process: guard, housekeeping, letters and notices, each a thread with its own connections."""

import signal
import threading

from silverwatch.config import Config
from silverwatch.jobs import deadman, housekeeping, notify, send_letters
from silverwatch.jobs.boot import boot
from silverwatch.jobs.guard import Guard


def run(config: Config) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    guard = Guard(boot(config, pool_size=16))
    threads = [
        threading.Thread(target=guard.run, args=(stop,), name="guard"),
        threading.Thread(target=housekeeping.run, args=(config, stop), name="housekeeping"),
        # A mail server may take its time: the guard must not wait for it.
        threading.Thread(target=send_letters.run, args=(stop,), name="letters"),
        threading.Thread(target=notify.run, args=(stop,), name="notices"),
    ]
    if config.deadman_url:
        threads.append(threading.Thread(target=deadman.run, args=(config.deadman_url, stop), name="deadman"))
    for thread in threads:
        thread.start()
    # A guard that has died must not look alive: the process ends with it and its parent starts it again.
    while not stop.wait(1.0) and all(thread.is_alive() for thread in threads):
        pass
    stop.set()
    for thread in threads:
        thread.join(timeout=10)
