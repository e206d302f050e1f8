"""The sentences that Python code says to people, for Babel (`babel.cfg`).

The domain speaks English; a page says it in the language of its reader (`silverwatch.web.words`). A sentence with
values is one message with numbered holes: f"Say it in {MOST} characters." is "Say it in {0} characters.".
"""

import ast
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

OTHER: Final = re.compile(
    r"(SELECT|UPDATE|INSERT|DELETE|WITH|CREATE|GRANT|REVOKE|ALTER|LOCK|SET|WHEN|FROM|AND|OR|NOT|NULL|CAST|EXISTS|RANGE|ARRAY)\b"
    r"|\w+(-\w+)+$|[A-Z]\w*[A-Z]\w*$|\w+/$"
)
"""SQL, headers, names of classes."""
UNREAD: Final = frozenset(
    [
        "ValueError",
        "RuntimeError",
        "TypeError",
        "ConfigError",
        "text",
        "execute",
        "compile",
        "getLogger",
        "Literal",
        "Mapped",
        "TypeVar",
        "add_url_rule",
        "search",
        "startswith",
        "get_json",
        "namedtuple",
        "ImportError",
        "AssertionError",
    ]
)
"""Calls whose words are for whoever reads the code or the log."""
SAYING: Final = frozenset({"say", "marked"})
NAMES: Final = frozenset(
    [
        "Firefox",
        "Chrome",
        "Android",
        "Windows",
        "Linux",
        "Edg",
        "Edge",
        "Opera",
        "Safari",
        "Cookie",
        "Upgrade",
        "Origin",
        "Lax",
        "Cc",
        "Cs",
        "Zl",
        "Zp",
        "Cel",
        "Authorization",
        "Location",
        "English",
        "Kiswahili",
        "Otieno",
        "Wanjiru",
        "Peter",
    ]
)
"""Names of others and words of protocols stay as they are."""


def extract(file: BinaryIO, *_: Any, **__: Any) -> Iterator[tuple[int, None, str, list[str]]]:
    """Each sentence with its line, in the form that Babel asks of an extractor."""
    tree = ast.parse(file.read())
    for node in _told(tree):
        found = _argument(node) if isinstance(node, ast.Call) else message(node)
        if found:
            yield node.lineno, None, found, []
    for phrase in _phrases(tree):
        yield phrase.lineno, None, phrase.value, []


def message(node: ast.Constant | ast.JoinedStr) -> str | None:
    """The message of a string; None where it says nothing to people."""
    parts = [node] if isinstance(node, ast.Constant) else node.values
    text, words, holes = "", "", 0
    for part in parts:
        if isinstance(part, ast.Constant):
            piece = str(part.value)
            text, words = text + piece.replace("{", "{{").replace("}", "}}"), f"{words}{piece}"
        else:
            text, words, holes = f"{text}{{{holes}}}", f"{words} ", holes + 1
    is_said = (
        re.match(r"[A-Z]|\d+\.? [A-Za-z]", text) and re.search(r"[a-z]{2}|^No$", words) and "\n" not in text
    )
    return text if is_said and not OTHER.match(text) and text not in NAMES else None


def _phrases(tree: ast.AST) -> Iterator[ast.Constant]:
    """The words of a table like `VIEWS: Final[Mapping[str, str]] = {"ward": "looked at the ward screen"}`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)):
            continue
        if ast.unparse(node.annotation) == "Final[Mapping[str, str]]":
            for value in node.value.values:
                if (
                    isinstance(value, ast.Constant)
                    and re.match(r"[a-z]+,? ", value.value)
                    and "=" not in value.value
                ):
                    yield value


def _argument(call: ast.Call) -> str | None:
    """What `say` and `marked` are called with: the message itself, with its holes, capital or not."""
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _told(node: ast.AST) -> Iterator[ast.Call | ast.Constant | ast.JoinedStr]:
    """The calls of `say`, and the strings that are no docstring, annotation, log or part of another string."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
        return
    if isinstance(node, ast.Call) and _called(node) in UNREAD:
        return
    if isinstance(node, ast.Call) and _called(node) in SAYING:
        yield node
        for child in node.args[1:]:
            yield from _told(child)
        return
    if isinstance(node, ast.Assign) and any(
        isinstance(to, ast.Name) and to.id == "__all__" for to in node.targets
    ):
        return
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_doc = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not is_doc:
                yield from _told(child)


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        owner = function.value
        return "getLogger" if isinstance(owner, ast.Name) and owner.id == "log" else function.attr
    return function.id if isinstance(function, ast.Name) else ""
