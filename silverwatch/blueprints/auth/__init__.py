"""Sign in, sign out, and how the screen looks."""

from silverwatch.blueprints.auth.views import blueprint

__all__ = ["blueprint"]
