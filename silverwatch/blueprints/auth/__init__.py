"""Pages of everybody: getting in, staying in, one's own account, how the screen looks."""

from flask import Blueprint

from silverwatch.blueprints.auth import channels, display, factors, joining, profile, sessions, signing, walls

blueprint = Blueprint("auth", __name__)
for part in (signing, factors, joining, profile, sessions, walls, display, channels):
    part.register(blueprint)

__all__ = ["blueprint"]
