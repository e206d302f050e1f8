"""Pages and their parts: what htmx asks for and how it wants to be answered."""

from collections.abc import Iterable

from flask import Response, make_response, redirect, request


def is_htmx() -> bool:
    """Did htmx send this request?"""
    return request.headers.get("HX-Request") == "true"


def wants_fragment() -> bool:
    """Does htmx ask for a part of a page? Boosted and history requests want the page."""
    return is_htmx() and request.headers.get("HX-Request-Type") == "partial"


def html(body: str, status: int = 200) -> Response:
    """An HTML answer. What it says depends on the htmx headers, so caches must know."""
    answer = make_response(body, status)
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.vary.update(("HX-Request", "HX-Request-Type", "Cookie"))
    return answer


def see(target: str) -> Response:
    """On to a page, after a form was done."""
    return make_response(redirect(target, 303))


def partials(fragments: Iterable[tuple[str, str]]) -> Response:
    """Several regions at once: (element id, fragment) each morphs the element of that id."""
    body = "".join(
        f'<hx-partial hx-target="#{target}" hx-swap="outerMorph">{fragment}</hx-partial>'
        for target, fragment in fragments
    )
    return html(body)


def local_path(target: str | None) -> str | None:
    """A path of this site, or None: never another host, whatever tricks the text plays."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target:
        return target if target.isprintable() else None
    return None
