"""A test client that reads every HTML answer like a browser would: what is not valid fails the test."""

from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

LABELLED = {"input", "select", "textarea"}


class CheckedClient(FlaskClient):
    """Checks each HTML answer, signs people in, and sends the token of the page it looks at."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.get_data():
            check(response.get_data(as_text=True))
        return response

    def token(self) -> str:
        """The CSRF token of this session."""
        page = self.get("/login", follow_redirects=True).get_data(as_text=True)
        return page.split('name="csrf_token" value="')[1].split('"')[0]

    def submit(self, path: str, fields: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Post a form with the token."""
        return self.post(path, data={"csrf_token": self.token(), **(fields or {})}, **kwargs)

    def sign_in(self, email: str, password: str) -> TestResponse:
        """Sign in with the form."""
        return self.submit("/login", {"email": email, "password": password})


def check(markup: str) -> None:
    """Valid HTML; of a page also: one h1, no id twice, every field labelled, every form with a target."""
    is_page = markup.lstrip().lower().startswith("<!doctype")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    if not is_page:
        parser.parseFragment(markup.replace("hx-partial", "div"))
        return
    root: ET.Element = parser.parse(markup)
    ids = Counter(element.get("id") for element in root.iter() if element.get("id"))
    assert not [name for name, times in ids.items() if times > 1], "an id stands twice"
    assert len(list(root.iter("h1"))) == 1, "a page has one h1"
    labels = {label.get("for") for label in root.iter("label")}
    inside = {id(field) for label in root.iter("label") for field in label.iter()}
    for element in root.iter():
        if element.tag in LABELLED and element.get("type") not in {"hidden", "submit"}:
            named = element.get("id") in labels or element.get("aria-label") or id(element) in inside
            assert named, f"a field without a label: {element.attrib}"
        if element.tag == "form" and element.get("id") != "act" and element.get("method") != "dialog":
            assert element.get("action"), "a form without an action"
