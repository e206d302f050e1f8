"""Hostile text in every place that keeps text, shown on every page; hostile words in every query and form."""

from itertools import cycle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silverwatch import clock
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.security.routes import Visitor, visits

MARK = "zq9"
HOSTILE = [
    f"<script>{MARK}()</script>",
    f'"><img src=x onerror={MARK}()>',
    f"' autofocus onfocus={MARK}() x='",
    f"</title><svg onload={MARK}()>",
    f"{{{{7*7}}}}{MARK}{{% raw %}}",
    f"javascript:{MARK}()",
    f"&lt;b&gt;{MARK}%252e",
]
TEXTS = {
    "patient": ("family_name", "given_name", "title"),
    "account": ("name", "phone", "department", "specialisation", "licence_number"),
    "ward": ("name", "description"),
    "bed": ("label",),
}
DANGEROUS = (
    f"<script>{MARK}",
    "<img src=x",
    f"<svg onload={MARK}",
    f"onfocus={MARK}() x='",
    'href="javascript:',
)


@pytest.mark.parametrize("turn", [0, 3])
def test_stored_text_is_shown_as_it_was_written(site: Site, cast: Cast, people: People, turn: int) -> None:
    """Each place holds another one of the texts, and the next time yet another."""
    texts = cycle(HOSTILE[turn:] + HOSTILE[:turn])
    with site.cursor() as cur:
        for table, columns in TEXTS.items():
            for column, text in zip(columns, texts, strict=False):
                cur.execute(f"UPDATE {table} SET {column} = %s || right({table}.id::text, 4)", (text,))
        note_id = clock.new_id()
        amina = cur.execute("SELECT id FROM account WHERE email = %s", (people.amina,)).fetchone()[0]  # type: ignore[index]
        cur.execute(
            "INSERT INTO note (id, patient_id, written_at, written_by, struck_at, struck_by, struck_because)"
            " VALUES (%s, %s, now(), %s, now(), %s, %s)",
            (note_id, cast.achieng.patient_id, amina, amina, next(texts)),
        )
        cur.executemany(
            "INSERT INTO note_version (note_id, version, text, at, account_id) VALUES (%s, %s, %s, now(), %s)",
            [(note_id, number, next(texts), amina) for number in (1, 2)],
        )
    shown = 0
    for who in ("caregiver", "admin", "technician", "patient"):
        visitor = Visitor(site, people, who)
        objects = {
            "slug": "a",
            "patient_id": cast.achieng.patient_id,
            "note_id": note_id,
            "/patients/<uuid:subject_id>/timeline subject_id": cast.achieng.patient_id,
            "/beds/<uuid:subject_id>/tile subject_id": cast.achieng.bed_id,
            "/wards/<uuid:subject_id>/board subject_id": cast.achieng.ward_id,
        }
        for route in visits(site.app):
            if "GET" not in route.methods or route.is_socket:
                continue
            answer = visitor.visit(route, "GET", objects)
            if answer.mimetype != "text/html":
                assert answer.headers["X-Content-Type-Options"] == "nosniff", route.rule
                continue
            body = answer.get_data(as_text=True)
            # The checked client has parsed it: an element that should not be there would be one in the tree.
            assert not [bad for bad in DANGEROUS if bad in body], (who, route.rule)
            assert f"49{MARK}" not in body, (who, route.rule)
            shown += MARK in body
    assert shown > 6


words = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["' OR 1=1 --", "%", "_", "\\", "\0", "1; DROP TABLE account", "../../etc/passwd", "%00", "\r\nX: y"]
    ),
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    who=st.sampled_from(["anonymous", "caregiver", "admin", "patient"]),
    word=words,
    number=st.integers(min_value=-(10**30), max_value=10**30),
)
def test_no_query_and_no_form_makes_us_fall_over(
    site: Site, cast: Cast, people: People, who: str, word: str, number: int
) -> None:
    browser = site.browser()
    if who != "anonymous":
        email = {"caregiver": people.amina, "admin": people.ada, "patient": people.patience}[who]
        assert browser.sign_in(email, PASSWORD).status_code == 303
    fields = dict.fromkeys(NAMES, word) | {"page": str(number), "before": str(number)}
    routes = [route for route in visits(site.app) if not route.is_socket and route.rule != "/readyz"]
    for route in routes:
        if "GET" in route.methods:
            answer = browser.get(route.path(_places(cast)), query_string=fields)
            assert answer.status_code < 500, (who, route.rule)
    form = fields | {"wards": word, "photo": word, "csrf_token": browser.token()}
    for route in sorted(routes, key=lambda route: route.rule in ENDING):
        if "POST" in route.methods and not route.rule.startswith("/api/"):
            answer = browser.post(route.path(_places(cast)), data=form)
            assert answer.status_code < 500, (who, route.rule)


def _places(cast: Cast) -> dict[str, object]:
    return {"slug": "a", "patient_id": cast.achieng.patient_id}


ENDING = {
    "/lock", "/unlock", "/login", "/logout", "/login/code", "/reauthenticate", "/wall", "/profile/password",
    "/profile/email", "/emergency-access",
}  # fmt: skip
"""Forms after which the session may be another one, or none: they come last."""

NAMES = (
    "q", "email", "password", "name", "next", "sort", "theme", "names", "code", "pin",
    "role", "ward", "state", "reason",
    "hospital_number", "person", "patient", "action", "outcome", "from", "to", "phone", "language", "relation",
    "heart_rate", "measured_at", "form_id", "consciousness", "current", "new", "idle_minutes", "expires", "wall",
)  # fmt: skip
