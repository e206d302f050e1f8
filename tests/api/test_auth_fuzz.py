"""Never a 5xx, whatever is sent to the five endpoints."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from tests.api.forging import part
from tests.cast import PASSWORD, People
from tests.conftest import Site

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["\0", "\ud800", "amina@a.example", PASSWORD, "swr_", "000000", "A" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
fields = st.sampled_from(["email", "password", "otp", "refresh", "name", "role", "x"])
bodies = st.one_of(
    st.dictionaries(fields, anything, max_size=5).map(lambda sent: json.dumps(sent).encode()),
    anything.map(lambda sent: json.dumps(sent).encode()),
    st.binary(max_size=60),
)
# What a server takes in a header: no line ends, and bytes as latin-1.
words = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
tokens_sent = st.one_of(
    words,
    st.tuples(*[st.binary(max_size=40)] * 3).map(lambda parts: "Bearer " + ".".join(map(part, parts))),
    st.builds(lambda head, body: f"Bearer {part(head)}.{part(body)}.AAAA", anything, anything),
    words.map(lambda text: f"Bearer {text}"),
    words.map(lambda text: f"Bearer swk_{text}"),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip
@given(
    st.sampled_from(["register", "login", "refresh", "logout", "me"]),
    bodies,
    st.lists(tokens_sent, max_size=2),
    st.sampled_from(["application/json", "application/json; charset=x", "text/plain", ""]),
    words,
)
def test_whatever_is_sent_there_is_an_answer(
    site: Site, people: People, path: str, body: bytes, sent: list[str], kind: str, agent: str
) -> None:
    answer = site.browser().open(
        f"/api/auth/{path}/", method="GET" if path == "me" else "POST", data=body, content_type=kind,
        headers=Headers([*(("Authorization", token) for token in sent), ("User-Agent", agent)]),
    )  # fmt: skip
    assert answer.status_code in {200, 202, 400, 401, 403, 413, 415, 422, 429}, answer.get_data(as_text=True)
    assert answer.status_code < 300 or answer.content_type == "application/problem+json"
