"""Labels to stick on devices: serial number and QR code of its page, 24 on a sheet of A4. `/devices/labels.pdf`"""

from typing import Final

from flask import Blueprint, Response, current_app, make_response

from silverwatch import clock, db
from silverwatch.adapters import pdf
from silverwatch.blueprints.technician.devices import wanted
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import fleet
from silverwatch.web import errors, gates, login
from silverwatch.web.audience import Audience
from silverwatch.web.factor_views import qr_code
from silverwatch.web.templating import ROOT, render

URL: Final = "/devices/labels.pdf"
ON_A_SHEET: Final = 24
MOST: Final = 20 * ON_A_SHEET


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule(URL, view_func=device_labels)


@gates.need(Permission.SEE_DEVICES)
def device_labels() -> Response:
    """The labels of the devices that the list shows, in the order of their serial numbers."""
    with db.transaction(read_only=True) as session:
        found = fleet.fleet(session, login.actor(), wanted(), now=clock.now(), most=MOST)
    rows = sorted(found.rows, key=lambda row: row.serial)
    base = current_app.extensions["config"].base_url
    labels = [(row, qr_code(f"{base}/devices/{row.id}")) for row in rows]
    sheets = [labels[first : first + ON_A_SHEET] for first in range(0, len(labels), ON_A_SHEET)]
    markup = render("print/labels.html", Audience(role=login.actor().role.value), sheets=sheets)
    style = (ROOT / "templates/print/labels.css").read_text("utf-8")
    try:
        drawn = pdf.render(markup, style)
    except pdf.PdfMissingError as missing:
        return errors.answer(503, str(missing))
    answer = make_response(drawn)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = 'inline; filename="device-labels.pdf"'
    return answer
