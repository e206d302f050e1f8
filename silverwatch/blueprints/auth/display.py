"""How the screen looks: `/display`."""

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch.web import gates, pages
from silverwatch.web.audience import NAMES
from silverwatch.web.views import THEMES


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/display", view_func=display, methods=["POST"])


@gates.public
def display() -> Response:
    """Change the theme or how private names are, on this browser."""
    theme, names = pages.display()
    wanted_theme, wanted_names = request.form.get("theme", theme), request.form.get("names", names)
    answer = make_response(redirect(pages.local_path(request.form.get("next")) or "/", 303))
    if wanted_theme in THEMES and wanted_names in NAMES:
        pages.keep(answer, pages.DISPLAY_COOKIE, f"{wanted_theme}.{wanted_names}")
    return answer
