"""Calls to addresses that people typed in: where they may go, and how they end."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from silverwatch.adapters import outbound
from silverwatch.adapters.outbound import MOST, OutboundError, Rules, check, fixed, is_allowed, post
from tests.jobs.post_office import certificate

HERE = Rules(reach="machine", schemes=frozenset({"http", "https"}), ports=None)


class Server(ThreadingHTTPServer):
    """Answers what `reply` says, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.names: list[str | None] = []
        self.reply: Callable[[BaseHTTPRequestHandler], None] = lambda handler: answer(handler, 200, b"ok")
        super().__init__(("127.0.0.1", 0), Handler)
        if tls is not None:
            tls.sni_callback = lambda _, name, __: self.names.append(name)
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    """Reads the whole request."""

    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.reply(self)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """An ordinary answer."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server on this machine."""
    found = Server()
    yield found
    found.shutdown()
    found.server_close()


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Every name leads to these addresses, with another answer each time; gives the names that were looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if any(host in found for found in answers):
            return real(host, port, *more, **named)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in found
        ]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", look_up)
    return asked


def refused(url: str, rules: Rules = outbound.PUBLIC, **more: Any) -> str:
    """What the caller is told."""
    with pytest.raises(OutboundError) as told:
        post(url, **{"body": b"{}", "headers": {}, "timeout_s": 5.0, **more}, rules=rules)
    return str(told.value)


def test_a_call_arrives_and_its_answer_comes_back(server: Server) -> None:
    got = post(f"{server.url}/a/b?c=d", body=b"\x00{}", headers={"X-Signature": "v1"}, rules=HERE)
    assert (got.status, got.body) == (200, b"ok")
    ((path, headers, body),) = server.asked
    assert (path, body) == ("/a/b?c=d", b"\x00{}")
    assert headers["X-Signature"] == "v1"
    assert headers["Host"] == server.url.removeprefix("http://")


NEAR = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:10.0.0.1",
    "64:ff9b::a00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1",
    "fd12:3456::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1",
    "4000::1", "no address",
]  # fmt: skip


@pytest.mark.parametrize("address", NEAR)
def test_no_call_leaves_for_an_address_that_is_near(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_allowed(address)
    tried: list[Any] = []
    monkeypatch.setattr(outbound.socket, "create_connection", lambda *a, **_: tried.append(a))
    leads_to(monkeypatch, [address])
    assert "not a host on the internet" in refused("https://hooks.example/ward")
    # One good address beside it does not make it better.
    leads_to(monkeypatch, ["8.8.8.8", address])
    assert "not a host on the internet" in refused("https://hooks.example/ward")
    assert tried == []


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"]
)
def test_the_internet_may_be_called(address: str) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "localhost.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "0"],
)
def test_this_machine_is_found_out_however_it_is_written(host: str, server: Server) -> None:
    told = refused(f"http://{host}:{server.server_port}/", Rules(schemes=HERE.schemes, ports=None))
    assert "not a host on the internet" in told or "not known" in told
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.example/", "https://"),
        ("ftp://hooks.example/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("", "web address"),
        ("hooks.example", "https://"),
        ("https://", "host name"),
        ("https:///path", "host name"),
        ("https://[::1", "web address"),
        ("https://a.example:99999/", "web address"),
        ("https://a.example:0/", "ports"),
        ("https://a.example:6379/", "ports"),
        ("https://user:secret@a.example/", "password"),
        ("https://a.example\\@b.example/", "web address"),
        ("https://a.example/\r\nX: y", "web address"),
        ("https://a.example/ x", "web address"),
        ("https://a.example/\x00", "web address"),
        ("https://münchen.example/", "web address"),
        ("https://a%2eexample/", "host name"),
        ("https://" + "a" * 3000, "2000"),
    ],
)
def test_an_address_that_is_no_good_is_told_why(url: str, said: str) -> None:
    with pytest.raises(OutboundError, match=said):
        check(url)


def test_a_name_is_looked_up_once_and_the_judged_address_is_called(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second answer of a name that somebody plays with would lead elsewhere."""
    asked = leads_to(monkeypatch, ["127.0.0.1"], ["127.0.0.9"])
    assert post(f"http://hooks.example:{server.server_port}/", body=b"", headers={}, rules=HERE).status == 200
    assert asked == ["hooks.example"]
    assert server.asked[0][1]["Host"] == f"hooks.example:{server.server_port}"


def test_the_certificate_is_that_of_the_name_and_not_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, trusted = certificate(tmp_path, "hooks.example")
    server = Server(tls)
    try:
        leads_to(monkeypatch, ["127.0.0.1"])
        url = f"https://hooks.example:{server.server_port}/"
        assert "no valid certificate" in refused(url, HERE)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert post(url, body=b"x", headers={}, rules=HERE).body == b"ok"
        assert server.names == ["hooks.example"] * 2
        assert "no valid certificate" in refused(url.replace("hooks", "other"), HERE)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_an_order(server: Server, status: int) -> None:
    server.reply = lambda handler: answer(handler, status, b"", Location=f"{server.url}/elsewhere")
    assert post(server.url, body=b"", headers={}, rules=HERE).status == status
    assert len(server.asked) == 1


def test_an_answer_is_cut(server: Server) -> None:
    server.reply = lambda handler: answer(handler, 200, b"x" * (MOST + 1))
    assert len(post(server.url, body=b"", headers={}, rules=HERE).body) == MOST


def dripping(first: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that goes on for ever, a byte at a time."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(first)
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    return drip


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""])
def test_who_drips_is_cut_off(server: Server, first: bytes) -> None:
    server.reply = dripping(first)
    assert "did not answer within 0.5 seconds" in refused(server.url, HERE, timeout_s=0.5)


def test_who_never_answers_or_shakes_hands_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        for scheme in ("http", "https"):
            told = refused(f"{scheme}://127.0.0.1:{port}/", HERE, timeout_s=0.3)
            assert "did not answer within 0.3 seconds" in told


def test_a_name_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        done.wait(30)
        return []

    monkeypatch.setattr(outbound.socket, "getaddrinfo", look_up)
    assert "not found in time" in refused("https://hooks.example/", timeout_s=0.2)
    done.set()


def test_an_unknown_name_and_a_closed_port_are_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "could not be called: Connection refused" in refused(f"http://127.0.0.1:{port}/", HERE)
    server.reply = lambda handler: handler.wfile.write(b"SSH-2.0\r\n")
    assert "could not be called" in refused(server.url, HERE)
    leads_to(monkeypatch, [])
    assert "is not known" in refused("https://nowhere.example/")


@pytest.mark.parametrize(
    "headers", [{"Host": "b.example"}, {"content-length": "0"}, {"X": "a\r\nY: b"}, {"X\r\nY": "b"}]
)
def test_headers_that_would_change_the_call_are_refused(server: Server, headers: dict[str, str]) -> None:
    refused(server.url, HERE, headers=headers)
    assert server.asked == []


def test_hosts_of_the_administrator_may_be_in_the_house_and_are_the_only_ones() -> None:
    rules = fixed(["Records.hospital.example:8080", "pay.example"])
    assert check("https://records.hospital.example:8080/fhir", rules=rules).port == 8080
    for url in ("https://records.hospital.example/", "https://evil.example/", "http://pay.example/"):
        with pytest.raises(OutboundError):
            check(url, rules=rules)
    assert is_allowed("10.0.0.1", reach=rules.reach)
    assert not is_allowed("127.0.0.1", reach=rules.reach)
    assert not is_allowed("169.254.169.254", reach=rules.reach)
