"""The site on a port, for clients that speak HTTP; it can be taken away and brought back at the same address."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tests.conftest import Site


class Served:
    """The site's application, served by threads."""

    def __init__(self, site: Site) -> None:
        self._site, self._server = site, None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    _server: BaseWSGIServer | None

    def start(self) -> None:
        """Listen."""
        self._server = make_server(
            "127.0.0.1", self.port, self._site.app, threaded=True, request_handler=_Quiet
        )
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Be gone: nobody listens."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def serving(site: Site) -> Iterator[Served]:
    """The site on a port, as long as the block lasts."""
    served = Served(site)
    try:
        yield served
    finally:
        served.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
