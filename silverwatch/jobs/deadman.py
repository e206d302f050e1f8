"""Tell somebody outside, once a minute, that everything works: when the calls stop, they call you.

What watches from inside dies with the machine. `DEADMAN_URL` names a service that expects a call and raises an alarm of
its own when none comes; it gets no call either while a part of the system is down.
"""

import logging
import threading
from typing import Final
from urllib.parse import urlsplit

from silverwatch import clock, db
from silverwatch.adapters import outbound
from silverwatch.adapters.outbound import OutboundError, Rules
from silverwatch.domain.alerts import parts

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
TIMEOUT_S: Final = 10.0


def rules_for(url: str) -> Rules:
    """The operator's own setting: this one host, wherever it is."""
    return outbound.fixed([urlsplit(url).hostname or ""])


def run(url: str, stop: threading.Event) -> None:
    """Call `url` once a minute while everything works, until told to stop."""
    while not stop.wait(EVERY_S):
        try:
            ping(url, rules=rules_for(url))
        except Exception:
            log.exception("deadman: the look at the parts failed: no call")


def ping(url: str, *, rules: Rules) -> bool:
    """One call, if every part works; says whether it was made and taken."""
    try:
        with db.transaction(read_only=True) as session:
            down = [part.name for part in parts.look(session, now=clock.now()) if part.state == "down"]
    except db.UNAVAILABLE as error:
        down = [f"database ({type(error).__name__})"]
    if down:
        log.error("deadman: no call, because this does not work: %s", ", ".join(down))
        return False
    try:
        answer = outbound.post(url, body=b"", headers={}, timeout_s=TIMEOUT_S, rules=rules)
    except OutboundError as error:
        log.warning("deadman: the call was not taken: %s", error)
        return False
    if answer.status >= 300:
        log.warning("deadman: the call was answered with %d", answer.status)
    return answer.status < 300
