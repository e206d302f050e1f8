"""Nobody calls the outside past the adapters: what an import can do, a stored address can be made to do."""

import ast
from pathlib import Path

from silverwatch.schema import MIGRATIONS

ROOT = MIGRATIONS.parent
CLIENTS = {
    "aiohttp", "apprise", "ftplib", "http.client", "httpx", "imaplib", "nntplib", "paho", "poplib", "requests",
    "smtplib", "telnetlib", "urllib.request", "urllib3", "websocket", "xmlrpc.client",
}  # fmt: skip
MAY = {
    "silverwatch/adapters/outbound.py": {"http.client", "create_connection"},
    "silverwatch/adapters/mail.py": {"smtplib"},
    "silverwatch/adapters/notify.py": {"apprise"},
    "silverwatch/demo.py": {"urllib.request"},
}
"""Also the simulator, the bridge and the engines: programs of their own that speak as a device, or start a server."""
OWN_PROGRAMS = (
    "silverwatch/simulator/",
    "silverwatch/bridge/",
    "silverwatch/server_call.py",
    "silverwatch/engines/",
)


def clients(path: Path) -> set[str]:
    """The network clients that a file names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute) and node.attr in {"create_connection", "open_connection"}:
            found.add(node.attr)
        found |= {
            client for name in names for client in CLIENTS if name == client or name.startswith(f"{client}.")
        }
        found |= {name.split(".")[-1] for name in names if name.endswith("_connection") and "socket" in name}
    return found


def test_only_the_adapters_call_the_outside() -> None:
    files = [path for folder in ("silverwatch", "api") for path in (ROOT / folder).rglob("*.py")]
    named = {str(path.relative_to(ROOT)): clients(path) for path in files}
    assert len(named) > 100
    found = {name: found for name, found in named.items() if found and not name.startswith(OWN_PROGRAMS)}
    assert found == MAY
