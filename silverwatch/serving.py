"""Settings of gunicorn. Sockets hold a thread each, so threads = sockets + room for requests."""

import gc
import os
import signal
import threading
from types import FrameType
from typing import Any

sockets = int(os.environ.get("SILVERWATCH_SOCKETS", "250"))

bind = os.environ.get("SILVERWATCH_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = sockets + 24
graceful_timeout = 4
keepalive = 15
timeout = 60
control_socket_disable = True
# Loaded once, before the fork: nothing here opens a connection or a thread at import.
preload_app = True
limit_request_line = 8190
loglevel = "warning"
accesslog = None


def post_worker_init(worker: Any) -> None:
    """When this worker is told to stop, its sockets are told first: they would hold it until the timeout."""
    # What was loaded stays to the end: the collector need not look through all of it again and again.
    gc.collect()
    gc.freeze()
    stop = signal.getsignal(signal.SIGTERM)
    watch = getattr(worker.wsgi, "extensions", {}).get("hub")
    if watch is not None:
        # Also without a screen: who else would miss a scheduler that has died?
        watch.start()

    def stop_sockets_first(number: int, frame: FrameType | None) -> None:
        hub = worker.wsgi.extensions.get("hub")
        if hub is not None:
            # In a thread of its own: a signal handler must not wait for a lock that its own thread holds.
            threading.Thread(target=hub.close_all, daemon=True).start()
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, stop_sockets_first)
