"""Who tells facts in this web process."""

from typing import cast

from flask import current_app

from silverwatch.flow import Ringer


def ringer() -> Ringer:
    """The ringer that `create_app` made."""
    return cast(Ringer, current_app.extensions["silverwatch"])
