"""The traps of JSON, one by one. Pure: no database."""

import contextlib
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import strict_json


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "brackets"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b"-Infinity", "-Infinity is not JSON"),
        (b'{"a": 1, "a": 1}', "duplicate key 'a'"),
        (b'{"a": {"b": 1, "c": 2, "\\u0062": 3}}', "duplicate key 'b'"),
        (b"[" * 17 + b"]" * 17, "nested deeper"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"\\udc00": 1}', "lone surrogate"),
        (b'["x\\u0000y"]', "U\\+0000"),
        (b'["x\x00y"]', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"01", "not JSON"),
        (b"1 2", "not JSON"),
    ],
)
def test_refused(body: bytes, why: str) -> None:
    with pytest.raises(strict_json.StrictJsonError, match=why):
        strict_json.decode(body)


def test_sixteen_levels_are_fine_and_brackets_in_strings_are_no_levels() -> None:
    strict_json.decode(b"[" * 16 + b"]" * 16)
    assert strict_json.decode(b'["' + b"[" * 50 + b'\\"{{{"]') == ["[" * 50 + '"{{{']
    assert strict_json.decode(b'["\\ud83d\\ude00"]') == ["\U0001f600"]


def test_numbers_that_fit_no_type_are_infinite_or_huge_but_no_error() -> None:
    assert strict_json.decode(b"1e999") == math.inf
    assert strict_json.decode(b"1" + b"0" * 30) == 10**30
    assert strict_json.decode(b'{"a": ' + b"9" * 6000 + b"}") == {"a": math.inf}


def test_lines_are_numbered_as_sent_and_blank_ones_skipped() -> None:
    assert list(strict_json.lines(b'{"a":1}\r\n\n {} \n')) == [(1, b'{"a":1}'), (3, b"{}")]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab[{\"\\", max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(plain, st.booleans())
def test_what_is_plain_json_comes_out_as_it_is(value: object, ascii_only: bool) -> None:
    assert strict_json.decode(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text('[]{}",:\\u0daN1e+-. ', max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_refused(body: bytes) -> None:
    with contextlib.suppress(strict_json.StrictJsonError):
        strict_json.decode(body)
