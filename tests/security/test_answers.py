"""What stands on every answer, whoever asks and whatever goes wrong."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from silverwatch.app import create_app
from tests.cast import PASSWORD, People
from tests.conftest import Site
from tests.security.routes import Visitor, visits


def every_answer(site: Site, visitor: Visitor) -> Iterator[tuple[str, TestResponse]]:
    """Every route with every method that it knows and one that it does not."""
    for route in visits(site.app):
        if route.is_socket:
            continue  # An upgrade has no answer of its own; its refusals stand in test_forgery.py.
        for method in (*sorted(route.methods), "TRACE"):
            answer = visitor.visit(route, method)
            yield f"{method} {route.rule}", answer
            answer.close()


@pytest.mark.parametrize("who", ["anonymous", "patient", "technician", "caregiver", "admin"])
def test_headers_of_every_route(site: Site, people: People, who: str) -> None:
    visitor = Visitor(site, people, who)
    for name, answer in every_answer(site, visitor):
        headers = answer.headers
        assert answer.status_code < 500 or name == "GET /readyz", name
        assert "default-src 'none'" in headers["Content-Security-Policy"], name
        assert "unsafe" not in headers["Content-Security-Policy"], name
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert headers["Referrer-Policy"] == "no-referrer", name
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert "Access-Control-Allow-Origin" not in headers, name
        if answer.get_data() and answer.status_code != 304:
            assert headers["Content-Type"], name
            if headers["Content-Type"].startswith("text/"):
                assert "charset=utf-8" in headers["Content-Type"], name
        if not name.endswith("<path:filename>"):
            assert "no-store" in headers["Cache-Control"], name


def test_trace_is_refused(site: Site) -> None:
    assert site.client.open("/login", method="TRACE").status_code == 405


def test_errors_carry_the_headers_too(site: Site) -> None:
    for path, method, status in (
        ("/nothing", "GET", 404),
        ("/login", "PUT", 405),
        ("/api/nothing/", "GET", 404),
        ("/login", "POST", 400),
    ):
        answer = site.client.open(path, method=method)
        assert answer.status_code == status
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_that_is_too_large_is_refused_with_words(site: Site) -> None:
    answer = site.client.post("/login", data={"email": "x" * (7 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "too large" in answer.get_data(as_text=True)


def test_over_https_the_cookie_is_bound_to_the_host(site: Site) -> None:
    app = create_app(replace(site.config, secure_cookies=True))
    answer = app.test_client().get("/login", base_url="https://ward.example")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-sw="))
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    missing = app.test_client().get("/nothing", base_url="https://ward.example")
    assert "max-age=31536000" in missing.headers["Strict-Transport-Security"]


def test_no_cookie_is_set_that_a_script_may_read(site: Site, people: People) -> None:
    answers = [site.client.get("/login"), site.client.sign_in(people.amina, PASSWORD)]
    answers.append(site.client.submit("/display", {"theme": "night"}))
    cookies = [c for a in answers for c in a.headers.getlist("Set-Cookie")]
    assert cookies
    assert all("httponly" in c.lower() and "samesite=lax" in c.lower() for c in cookies)


def test_leaving_clears_what_the_browser_kept(site: Site, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    assert "cache" in site.client.submit("/logout").headers["Clear-Site-Data"]
