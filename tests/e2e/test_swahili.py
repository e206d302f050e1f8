"""Every page in Swahili: nothing is left in English, nothing is cut and nothing scrolls sideways."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import Page, expect

from silverwatch.web.words import CATALOGUES
from tests.e2e import test_accessible as pages
from tests.e2e.conftest import Open
from tests.e2e.demo import Demo
from tests.e2e.screen import sign_in, until

pytestmark = pytest.mark.e2e

Speak = Callable[[], object]

ENGLISH = """({words, known}) => {
  const english = new Set(words), found = new Set();
  const look = (text, element) => {
    if (element.closest('[translate=no], code, kbd, pre, textarea')) return;
    let own = text.replace(/<[^>]*>|\\S+[@.]\\w\\S*/g, ' ');
    for (const each of known) if (own.includes(each)) own = own.replaceAll(each, ' ');
    const left = own.match(/(?<!\\d)\\p{L}\\p{Ll}+(?!\\d)/gu)?.filter((word) => english.has(word.toLowerCase()));
    if (left?.length) found.add(`${left.join(' ')} in "${text.trim().slice(0, 120)}"`);
  };
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element && !['SCRIPT', 'STYLE'].includes(element.tagName)) look(walker.currentNode.data, element);
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'data-label', 'alt'])
    for (const element of document.querySelectorAll(`[${name}]`)) look(element.getAttribute(name), element);
  return [...found];
}"""
SIDEWAYS = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const beyond = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.vh')
    && e.getBoundingClientRect().right > wide + 1);
  return [`${document.documentElement.scrollWidth - wide} px to the side: ` + beyond
    .filter((e) => !beyond.some((other) => other !== e && e.contains(other))).slice(0, 4)
    .map((e) => `${e.tagName}.${e.getAttribute('class') ?? ''} ${e.textContent.trim().slice(0, 40)}`).join(' | ')];
}"""
OUTSIDE = """() => {
  const found = [...document.querySelectorAll('.icon-button')]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width < 30)
    .map((e) => 'squeezed: ' + e.outerHTML.slice(0, 80));
  const clipped = (e) => e && (getComputedStyle(e).clipPath !== 'none' || clipped(e.parentElement));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, line = document.createRange();
    let box = text.parentElement;
    if (!text.data.trim() || !box.checkVisibility() || clipped(box)) continue;
    if (box.closest('.skip, svg, .latest-now, option')) continue;
    line.selectNodeContents(text);
    const lines = [...line.getClientRects()];
    for (; box !== document.body; box = box.parentElement) {
      const { display, overflowX, position } = getComputedStyle(box), { left, right } = box.getBoundingClientRect();
      if (['inline', 'contents'].includes(display)) continue;
      if (overflowX !== 'visible' || ['absolute', 'fixed'].includes(position)) break;
      if (!lines.some((r) => r.right > right + 2 || r.left < left - 2)) continue;
      found.push(`out of its box: ${box.tagName}.${box.className} ${text.data.trim().slice(0, 50)}`);
      break;
    }
  }
  return found;
}"""
ENDS = [(1280, 720), (320, 700)]
WORD = re.compile(r"[^\W\d_]{2,}")
HOLE = re.compile(r"%\(\w+\)[sd]|</?\w+>|\{\d+\}")
UNITS = {"min"}
"""Signs of units are the same everywhere."""

OF_NOBODY = ["/login", *pages.PUBLIC]
OF_CAREGIVER = [
    "/ward/4b",
    "/ward/4b/wall",
    "/alerts",
    "/alerts/{alert}",
    "/alerts/{alert}/pause",
    "/alerts/{alert}/resolution",
    "/alerts/resolved",
    "/alerts/load",
    "/alerts/rules",
    "/alerts/rules/new",
    "/patients/{patient}/observations/new",
    "/patients/{patient}/observations",
    "/patients/{patient}/observation-interval",
    "/patients/{patient}/news2-scale",
    "/patients/{patient}/fluids",
    "/patients/{patient}/pauses",
    "/patients/{patient}/incidents/new",
    "/incidents",
    *pages.OF_CAREGIVER,
]
OF_TECHNICIAN = [
    "/devices",
    "/devices/new",
    "/devices/pair",
    "/devices/import",
    "/devices/{device}/change",
    "/devices/{device}/diagnostics",
    "/devices/{device}/keys",
    "/devices/{device}/checks",
    "/devices/{device}/pairing",
    "/faults",
    "/checks",
    "/ingest",
    *pages.OF_TECHNICIAN,
]
OF_ADMIN = ["/admin", "/admin/settings/checks", "/alerts/load", "/alerts/rules", *pages.OF_ADMIN]
OF_PATIENT = ["/portal", *pages.OF_PATIENT]


def words(text: object) -> set[str]:
    """The words of a text, or of its forms, in small letters."""
    whole = text if isinstance(text, str) else " ".join(text) if isinstance(text, list | tuple) else ""
    return {word.lower() for word in WORD.findall(HOLE.sub(" ", whole))}


def english() -> tuple[set[str], list[str]]:
    """The words that the catalogue turns and Swahili does not have, and the translations that keep one of them."""
    told, kept, own = Counter[str](), Counter[str](), set[str]()
    turned: set[str] = set()
    with (CATALOGUES / "sw/LC_MESSAGES/messages.po").open("rb") as file:
        for each in read_po(file, locale="sw"):
            said, spoken = words(each.id), words(each.string)
            told.update(said)
            kept.update(said & spoken)
            own |= spoken - said
            if each.string != each.id:
                turned |= {piece.strip() for piece in HOLE.split(str(each.string).replace("%%", "%"))}
    found = {word for word in told if word not in own and 2 * kept[word] < told[word]} - UNITS
    return found, [piece for piece in turned if words(piece) & found]


def written(demo: Demo) -> list[str]:
    """What people wrote: names, notes, tasks, as the database holds them. A word in small letters is the code's own."""
    held = demo.rows(
        """SELECT 'SELECT ' || quote_ident(column_name) || ' AS text FROM ' || quote_ident(table_name)
           FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
           WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'character varying')"""
    )
    every = " UNION ".join(query for (query,) in held)
    return [
        text for (text,) in demo.rows(f"SELECT text FROM ({every}) held WHERE text ~ '^[A-Z0-9]|[a-z] [a-z]'")
    ]


@pytest.fixture
def swahili(demo: Demo) -> Iterator[Speak]:
    """From its call on everybody reads Swahili."""
    yield lambda: demo.rows("UPDATE account SET language = 'sw' RETURNING id")
    demo.rows("UPDATE account SET language = 'en' RETURNING id")


def walk(page: Page, demo: Demo, paths: list[str]) -> None:
    """Look at pages in Swahili in one tab: each is loaded once, and shrinks as it stands."""
    vocabulary, turned = english()
    held = [text for text in written(demo) if words(text) & vocabulary]
    asked = [word for path in paths for word in re.findall(r"[?&]q=(\w+)", path)]
    told = {"words": list(vocabulary), "known": sorted([*turned, *held, *asked], key=len, reverse=True)}
    alerts = demo.rows("SELECT id FROM alert WHERE ended_at IS NULL LIMIT 1")
    names = {**pages.named(demo), "alert": alerts[0][0] if alerts else None}
    page.emulate_media(reduced_motion="reduce")
    found: list[str] = []
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 720})
        answer = page.goto(demo.url + path.format(**names))
        assert answer is not None
        assert answer.status == 200, path
        expect(page.locator("html")).to_have_attribute("lang", "sw")
        found += [f"{path} English: {text}" for text in page.evaluate(ENGLISH, told)]
        for width, height in [(1920, 1080)] if path.endswith("b/wall") else ENDS:
            page.set_viewport_size({"width": width, "height": height})
            found += [f"{path} {width} {text}" for text in page.evaluate(SIDEWAYS)]
            found += [f"{path} {width} cut: {text}" for text in page.evaluate(pages.CUT)]
            found += [f"{path} {width} {text}" for text in page.evaluate(OUTSIDE)]
    assert not found, "\n".join(found)


def test_pages_of_nobody(open_context: Open, demo: Demo) -> None:
    walk(open_context(locale="sw-KE").new_page(), demo, OF_NOBODY)


def test_pages_of_a_caregiver(page: Page, demo: Demo, swahili: Speak) -> None:
    sign_in(page, demo)
    pages.every_kind(demo, page)
    page.goto(f"{demo.url}/patients/{demo.device(4)['patient_id']}")
    page.get_by_label("Add a note").fill("Sat upright. O₂ by nasal cannula.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".timeline")).to_contain_text("Sat upright.")
    swahili()
    walk(page, demo, [*OF_CAREGIVER, *pages.OF_MOVES])


@pytest.mark.parametrize(
    ("role", "paths"), [("admin", OF_ADMIN), ("technician", OF_TECHNICIAN), ("patient", OF_PATIENT)]
)
def test_pages_of_others(page: Page, demo: Demo, swahili: Speak, role: str, paths: list[str]) -> None:
    demo.post(1, temperature=36.8, systolic_bp=120, diastolic_bp=71)
    until(page, lambda: demo.rows("SELECT count(*) FROM reading") == [(1,)])
    swahili()
    sign_in(page, demo, role, None if role == "admin" else "4b")
    walk(page, demo, paths)
