"""The one HTTP client for addresses that people typed in. It cannot be sent into the hospital's own network.

The name is resolved once, every address of it is judged, and the connection goes to the very address that was
judged (no second look-up that could answer otherwise); the certificate is still that of the name. No redirect
is followed, the answer is cut at 64 KiB, and the whole call ends in time, however slowly the other side drips.
"""

import http.client
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

MOST: Final = 64 * 1024
LONGEST_URL: Final = 2000
PORTS: Final = frozenset({443, 8443})

Reach = Literal["internet", "site", "machine"]
"""How near an address may be: on the internet, also in the site's own networks, also this machine (tests)."""

_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
_URL: Final = re.compile(r"[!-\[\]-~]+")  # visible ASCII, no backslash
_OURS: Final = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"}

# Where `ipaddress` of this Python and the registries of IANA differ, or where IPv4 hides in IPv6.
_SPECIAL: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
_UNICAST: Final = ipaddress.ip_network("2000::/3")
_SITE: Final = tuple(
    ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)


class OutboundError(Exception):
    """The call was not made or got no answer; the message is a sentence for who typed the address in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `body` is its first 64 KiB; a redirect is an answer like any other."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where a call may go. `hosts` (name, or name:port) are the only ones, if given."""

    reach: Reach = "internet"
    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] | None = PORTS
    hosts: frozenset[str] | None = None


PUBLIC: Final = Rules()


def fixed(allowed_hosts: Iterable[str]) -> Rules:
    """Rules for hosts that an administrator set up: also in the site's own networks, but no others."""
    return Rules(reach="site", ports=None, hosts=frozenset(host.lower() for host in allowed_hosts))


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float = 10.0,
    rules: Rules = PUBLIC,
) -> Answer:
    """POST `body` to `url` within `timeout_s`, all in all; raises OutboundError."""
    place = check(url, rules=rules)
    deadline = time.monotonic() + timeout_s
    sent = _headers(place, headers)
    problem: Exception | None = None
    try:
        with _connection(place, rules, deadline) as sock:
            answer = _exchange(sock, place, body, sent)
    except ssl.SSLCertVerificationError as error:
        raise OutboundError(f"{place.host} has no valid certificate: {error.verify_message}.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        problem = error
    # A connection that was cut at the deadline may look like an answer that has ended.
    if time.monotonic() >= deadline:
        raise OutboundError(f"{place.host} did not answer within {timeout_s:g} seconds.") from problem
    if problem is not None:
        why = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        raise OutboundError(f"{place.host} could not be called: {why}.") from problem
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address that was taken apart and found allowed, but for where its name leads."""

    scheme: str
    host: str
    port: int
    target: str


def check(url: str, *, rules: Rules = PUBLIC) -> Place:
    """Take the address apart, without asking the network; raises OutboundError that says what is wrong with it."""
    if len(url) > LONGEST_URL or not _URL.fullmatch(url):
        raise OutboundError(
            "Give a web address of at most 2000 plain letters, like https://hooks.example/ward."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OutboundError("That is not a web address. Give one like https://hooks.example/ward.") from error
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in rules.schemes:
        raise OutboundError("The address must begin with https://.")
    if "@" in parts.netloc:
        raise OutboundError("Take the user name and the password out of the address.")
    if not _HOST.fullmatch(host):
        raise OutboundError("The address has no valid host name. Give one like https://hooks.example/ward.")
    port = (443 if parts.scheme == "https" else 80) if port is None else port
    if rules.ports is not None and port not in rules.ports:
        raise OutboundError("Only the ports 443 and 8443 may be called.")
    if rules.hosts is not None and not {host, f"{host}:{port}"} & rules.hosts:
        raise OutboundError(f"{host} is not one of the hosts that the administrator allowed.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(scheme=parts.scheme, host=host, port=port, target=target)


def is_allowed(address: str, *, reach: Reach = "internet") -> bool:
    """May an address be called? Everything that is not plainly a host on the internet is near, or no host."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if reach == "machine" and ip.is_loopback:
        return True
    if reach != "internet" and any(ip in net for net in _SITE):
        return True
    if ip.version == 6 and ip not in _UNICAST:
        return False
    is_near = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_unspecified
    return ip.is_global and not (
        is_near or ip.is_multicast or ip.is_reserved or any(ip in n for n in _SPECIAL)
    )


def _headers(place: Place, headers: Mapping[str, str]) -> dict[str, str]:
    wrong = [name for name in headers if name.lower() in _OURS]
    if wrong:
        raise OutboundError(f"The header {wrong[0]} is set by us. Take it out.")
    host = f"[{place.host}]" if ":" in place.host else place.host
    usual = place.port == (443 if place.scheme == "https" else 80)
    return {
        "User-Agent": "SilverWatch",
        **headers,
        "Host": host if usual else f"{host}:{place.port}",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _addresses(place: Place, rules: Rules, deadline: float) -> list[str]:
    """Every address of the name, all of them allowed. One that is not spoils them all: somebody plays with us."""
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            found.put(error)

    # The resolver knows no time limit: it may take longer than we wait, in a thread that nobody waits for.
    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        addresses = found.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise OutboundError(f"The name {place.host} was not found in time.") from None
    if isinstance(addresses, Exception) or not addresses:
        raise OutboundError(f"The name {place.host} is not known. Check the address.")
    if not all(is_allowed(address, reach=rules.reach) for address in addresses):
        raise OutboundError(
            f"{place.host} is not a host on the internet. Only public addresses may be called."
        )
    return addresses


@contextmanager
def _connection(place: Place, rules: Rules, deadline: float) -> Iterator[socket.socket]:
    """A connection to a judged address, under TLS for https, that is cut at the deadline whatever it is doing."""
    sock = _connect(_addresses(place, rules, deadline), place.port, deadline)
    try:
        if place.scheme == "https":
            context = ssl.create_default_context()
            sock = context.wrap_socket(sock, server_hostname=place.host, do_handshake_on_connect=False)
        cut = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, args=(sock,))
        cut.daemon = True
        cut.start()
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            yield sock
        finally:
            cut.cancel()
    finally:
        sock.close()


def _connect(addresses: list[str], port: int, deadline: float) -> socket.socket:
    problem: OSError = TimeoutError("timed out")
    for address in addresses[:4]:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            problem = error
    raise problem


def _cut(sock: socket.socket) -> None:
    """End a connection under whoever reads or writes it; TLS's own shutdown would wait for the other side."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _exchange(sock: socket.socket, place: Place, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = http.client.HTTPConnection(place.host, place.port)
    connection.sock = sock
    connection.request("POST", place.target, body=body, headers=dict(headers))
    got = bytearray()
    with connection.getresponse() as response:
        while len(got) < MOST and (part := response.read(min(8192, MOST - len(got)))):
            got += part
    return Answer(status=response.status, body=bytes(got))
