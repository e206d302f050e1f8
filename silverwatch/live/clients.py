"""Who holds a socket, and what their screen shows."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from silverwatch.live.places import Where
from silverwatch.live.regions import Key
from silverwatch.live.wire import Connection, encode
from silverwatch.web.audience import Audience


@dataclass(eq=False, slots=True, kw_only=True)
class Client:
    """A socket, who holds it, and the regions it shows with whom each is about."""

    connection: Connection
    session_id: UUID
    account_id: UUID
    audience: Audience
    regions: dict[Key, Where] = field(default_factory=dict)


def lock_frame(audience: Audience) -> bytes:
    """Tells the page whether it is locked: `lock.js` shows the panel that asks for the PIN."""
    return encode(json.dumps({"locked": audience.locked}))
