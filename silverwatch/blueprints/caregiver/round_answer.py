"""What a button of a shift or a round answers: the region that it stands in, as a reload would show it."""

from urllib.parse import urlsplit

from flask import Response, request

from silverwatch import clock, db
from silverwatch.domain.alerts import rounds
from silverwatch.live.regions import ALL
from silverwatch.web import login, pages
from silverwatch.web.hypermedia import partials


def shown() -> Response:
    """The region of the page that the button stood on, as a reload would show it."""
    actor, now = login.actor(), clock.now()
    place = urlsplit(request.headers.get("HX-Current-URL", "")).path
    with db.transaction(read_only=True) as session:
        slug = place.removeprefix("/rounds/") if place.startswith("/rounds/") else None
        wards = rounds.wards_by_slug(session, actor) if slug else {}
        name = "ward-rounds" if slug in wards else "rounds" if place.startswith("/rounds") else "shift"
        subject_id = wards[slug] if slug and slug in wards else actor.account_id
        region = ALL[name]
        view = region.load(session, [subject_id], now)[subject_id]
    drawn = region.draw(view, audience=pages.audience(login.session_of_view()), now=now)
    return partials([(region.dom_id(subject_id), drawn)])
