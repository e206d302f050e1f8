"""What of the alarm inbox is shown: `?priority=&kind=&bed=`, and the style sheet that does it, `/alerts/filter.css`.

The list itself is the same for everybody, so that page, fragment and push stay one thing; a screen leaves out what its
reader does not want to see, and says how much that is.
"""

from flask import Blueprint, Response, make_response, request

from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import inbox_filter
from silverwatch.domain.alerts.inbox_filter import Wanted
from silverwatch.web import gates


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/alerts/filter.css", view_func=filter_style)


def wanted() -> Wanted:
    """What the address of this request asks for."""
    asked = request.args
    return inbox_filter.read(asked.get("priority", ""), asked.get("kind", ""), asked.get("bed", ""))


@gates.need(Permission.TAKE_ALARMS, passive=True)
def filter_style() -> Response:
    """Hide the rows that are not asked for. It knows no alarm: the same address says the same for ever."""
    answer = make_response(inbox_filter.style(wanted()))
    answer.headers["Content-Type"] = "text/css; charset=utf-8"
    return answer
