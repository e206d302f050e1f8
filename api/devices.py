"""What a device may ask about itself."""

from datetime import datetime

import msgspec
from flask import Response

from api import bp, keys
from silverwatch import clock, db
from silverwatch.domain.devices import queries
from silverwatch.web import gates


class Settings(msgspec.Struct):
    """How a device is expected to behave. `time` is the server's, for its clock."""

    serial: str
    interval_s: float
    time: datetime


@bp.get("/api/devices/self/")
@gates.machine_key
def get_own_settings() -> Response:
    """The settings of the device whose key it is."""
    key_hash = keys.presented()
    with db.cursor() as cur:
        speaker = queries.authenticate(cur, key_hash)
    if speaker is None:
        keys.note(keys.UNKNOWN, sender=key_hash.hex())
        raise keys.unauthorized()
    settings = Settings(speaker.serial, speaker.interval_s, clock.now())
    return Response(msgspec.json.encode(settings), content_type="application/json")
