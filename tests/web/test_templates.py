"""The templates without a request: every region in every state, whole pages, and the tokens of the style."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import html5lib  # type: ignore[import-untyped]
import pytest

from silverwatch.domain.alerts.board import AlarmBar, AlarmLine, NewsBadge
from silverwatch.domain.alerts.device_state import DeviceState
from silverwatch.domain.alerts.fleet import Fleet, FleetRow, Wanted
from silverwatch.domain.alerts.fleet_live import CountsView, FleetView
from silverwatch.web import filters, views
from silverwatch.web.audience import Audience, Names
from silverwatch.web.templating import ROOT, STATIC, render, render_page
from tests.web import board_samples as samples

NOW = datetime(2026, 11, 22, 11, 32, tzinfo=UTC)
NURSE = Audience("caregiver", may_take_alarms=True)
VOID = {"br", "input", "meta", "link", "img", "hr"}
TEMPLATES = ROOT / "templates"
STYLES = sorted((STATIC / "css").glob("*.css"))
TOKENS = (STATIC / "css/tokens.css").read_text("utf-8")


def root_of(markup: str) -> dict[str, str]:
    """The attributes of the only root element of a fragment."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    roots = list(parser.parseFragment(markup))
    assert len(roots) == 1
    assert "None" not in markup
    assert not re.search(r"\sstyle=|hx-on|js:", markup)
    return dict(roots[0].attrib)


def draw_tile(number: int, audience: Audience = NURSE) -> str:
    """The tile of a bed of the sample ward."""
    return render("regions/_tile.html", audience, tile=samples.tile(number, NOW), now=NOW)


def page(**more: object) -> views.Page:
    """What a page needs besides its data."""
    return views.Page(
        title="Ward 4B", path="/ward/4b", csrf_token="t0ken", actor_name="A. Mwangi", actor_initials="AM",
        nav=views.STAFF_NAV["caregiver"], live_url="/ws/live/?r=x", **more,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("names", ["full", "initials", "bed"])
@pytest.mark.parametrize("number", range(1, 13))
def test_tile_has_one_root_in_every_state(number: int, names: Names) -> None:
    markup = draw_tile(number, Audience("caregiver", chosen_names=names, may_take_alarms=True))
    attributes = root_of(markup)
    assert attributes["id"] == f"tile-{samples.bed_id(number)}"
    assert attributes["data-region-url"] == f"/beds/{samples.bed_id(number)}/tile"
    shown = {"full": "HUGHES, Margaret", "initials": "M.H.", "bed": ""}[names]
    if number == 7:
        assert shown in markup
        assert ("HUGHES" in markup) == (names == "full")


@pytest.mark.parametrize("name", ["trend", "counts", "alarm-bar", "board"])
def test_other_regions_have_one_root_and_say_where_they_are_read(name: str) -> None:
    board = samples.board(NOW)
    identity = samples.bed_id(7) if name == "trend" else samples.WARD
    data = {"trend": samples.trend(7), "counts": board.counts, "alarm-bar": board.alarm_bar, "board": board}
    variable = name.replace("-", "_")
    attributes = root_of(render(f"regions/_{variable}.html", NURSE, now=NOW, **{variable: data[name]}))
    assert attributes["id"] == f"{name}-{identity}"
    assert attributes["data-region-url"] == f"/{'beds' if name == 'trend' else 'wards'}/{identity}/{name}"


def test_the_board_holds_the_same_tile_as_the_region() -> None:
    whole = render("regions/_board.html", NURSE, board=samples.board(NOW), now=NOW)
    assert draw_tile(7) in whole


def test_alarm_words_give_value_relation_and_limit() -> None:
    text = re.sub(r"<[^>]+>", "", draw_tile(7))
    assert "SpO₂ 84% below 88 · 0:42" in text
    assert "+2" in text
    assert "DEVICE OFFLINE since 14:09 · 23 min" in re.sub(r"<[^>]+>", "", draw_tile(9))
    assert "STALE · no new data for 14 min" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", draw_tile(5)))
    assert "A. Mwangi 14:28" in draw_tile(11)


def test_a_silent_device_never_shows_an_old_value_as_current() -> None:
    markup = draw_tile(9)
    assert re.findall(r'class="value[^"]*">([^<]*)', markup) == ["– –"] * 5
    assert "14:09 · HR 74" in markup


def test_partial_news_says_at_least() -> None:
    badge = NewsBadge(score=3, at=NOW - timedelta(hours=2), partial=True, at_least=5)
    markup = render("regions/_tile.html", NURSE, tile=replace(samples.tile(1, NOW), news=badge), now=NOW)
    assert "news partial" in markup
    assert "at least 5" in markup
    assert "12:32" in markup


def test_only_who_may_acknowledge_gets_a_button() -> None:
    assert 'formaction="/alerts/' in draw_tile(7)
    assert "<button" not in draw_tile(7, Audience("technician"))
    assert "<button" not in draw_tile(11)


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("sensor_off", {"off_vitals": ("oxygen_saturation",)}, "Sensor off: SpO₂"),
        ("low_battery", {"value": 9.0, "device_serial": "SW-1096"}, "Battery 9% on SW-1096"),
        ("fall", {}, "Fall detected"),
        ("help", {}, "Patient asked for help"),
        ("news2", {"value": 7.0, "limit": 7.0}, "NEWS2 7, 7 or more"),
        ("news2", {"value": 5.0, "limit": 5.0, "partial": True}, "NEWS2 at least 5"),
        ("rule_01980000", {"rule": "Fast <pulse> and breath"}, "Fast &lt;pulse&gt; and breath"),
        ("temperature_low", {"vital": "temperature", "value": 35.0, "limit": 36.0, "relation": "below"},
         "Temp 35.0° below 36.0"),
        ("something_new", {}, "Something new"),
    ],
)  # fmt: skip
def test_words_of_each_kind(kind: str, more: dict[str, object], words: str) -> None:
    line: AlarmLine = samples.line(2, kind, "medium", NOW, **more)  # type: ignore[arg-type]
    bar = AlarmBar(ward_id=samples.WARD, lines=(line,))
    markup = render("regions/_alarm_bar.html", NURSE, alarm_bar=bar, now=NOW)
    assert words in re.sub(r"<[^>]+>", "", markup)


def test_no_alarms_is_said() -> None:
    bar = AlarmBar(ward_id=samples.WARD)
    assert "No open alarms." in render("regions/_alarm_bar.html", NURSE, alarm_bar=bar, now=NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3900, "1 h 05"), (-5, "0 s")],
)
def test_ages(seconds: int, text: str) -> None:
    assert filters.age(NOW - timedelta(seconds=seconds), NOW) == text


PAGES: dict[str, dict[str, object]] = {
    "caregiver/ward.html": {"board": samples.board(NOW), "sort": "bed"},
    "caregiver/wall.html": {"board": samples.board(NOW), "sort": "bed"},
    "auth/sign_in.html": {"form": views.SignIn(errors={"email": "Enter your email address."})},
    "errors/error.html": {
        "error": views.ErrorView(status=404, heading="Not here", advice="Check the address.")
    },
    "admin/home.html": {
        "wards": [views.WardCard(slug="4b", name="Ward 4B", description="", beds=12, patients=11)],
        "system": [views.SystemLine(name="Queue", state="late", detail="12 waiting")],
    },
    "technician/home.html": {
        "fleet": FleetView(
            account_id=samples.bed_id(9),
            fleet=Fleet(
                rows=(
                    FleetRow(id=samples.bed_id(1), serial="SW-1047", kind="wearable", state=DeviceState.NEW),
                ),
                total=1,
                page=1,
                pages=1,
                counts={"all": 1, "new": 1, "free": 1},
                kinds=("wearable",),
                firmwares=(),
            ),
            bars={samples.bed_id(1): ("off",) * 48},
            wanted=Wanted(),
            may_keep=True,
        ),
        "fleet_counts": CountsView(account_id=samples.bed_id(9), counts={"all": 1, "new": 1, "free": 1}),
        "is_live": True,
        "wanted": Wanted(),
        "query": "",
        "added": "",
    },
    "patient/home.html": {"readings": [views.PlainReading(vital="heart_rate", value=72, at=NOW)]},
}


@pytest.mark.parametrize("template", PAGES)
def test_pages_are_valid_and_strict(template: str) -> None:
    markup = render_page(template, NURSE, page=page(), now=NOW, **PAGES[template])
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(markup)
    assert len(tree.findall(".//h1")) == 1
    assert len(tree.findall(".//main")) == 1
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert "None" not in markup
    assert not re.search(r"\sstyle=|\son\w+=|hx-on|js:|<style", markup)
    for script in tree.iter("script"):
        assert script.get("src", "").startswith("/static/")
    for field in tree.iter("input"):
        named = tree.findall(f".//label[@for='{field.get('id')}']") or field.get("type") in (
            "hidden",
            "checkbox",
        )
        assert named
    assert all(form.find(".//input[@name='csrf_token']") is not None for form in tree.iter("form")
               if form.get("method") == "post")  # fmt: skip


def test_colours_have_names() -> None:
    for style in STYLES:
        if style.name != "tokens.css":
            bare = re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(|oklch\(", style.read_text("utf-8"))
            assert not bare, style.name


def test_nothing_is_smaller_than_11_px() -> None:
    for style in STYLES:
        sizes = re.findall(r"(?:font-size|--t-[a-z-]+):\s*([\d.]+)px", style.read_text("utf-8"))
        assert all(float(size) >= 11 for size in sizes), style.name


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["day", "night"])
@pytest.mark.parametrize(
    ("front", "ground", "least"),
    [
        *((ink, "surface", 4.5) for ink in ("ink", "ink-2", "ink-3", "link", "ok", "high-ink")),
        *((vital, "surface", 4.5) for vital in ("p-hr", "p-spo2", "p-bp", "p-rr", "p-temp")),
        *((f"on-{fill}", fill, 4.5) for fill in ("brand", "high", "medium", "technical", "rail", "rail-2")),
        *((f"on-news-{band}", f"news-{band}", 4.5) for band in ("low", "mid", "hi")),
        *((edge, "bg", 3) for edge in ("high-edge", "medium-edge", "technical-edge", "focus")),
        ("ink-3", "bg", 4.5),
        ("ink-3", "surface-2", 4.5),
        ("on-rail-2", "rail", 4.5),
        ("stale-ink", "stale-a", 4.5),
        ("stale-ink", "stale-b", 4.5),
        ("brand-strong", "brand-tint", 4.5),
        ("line-strong", "surface", 3),
    ],
)
def test_contrast(front: str, ground: str, least: float, theme: int) -> None:
    colours = {
        name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
    }
    light, dark = sorted((luminance(colours[front][theme]), luminance(colours[ground][theme])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_vendored_files_are_what_the_lock_says() -> None:
    vendor = STATIC / "vendor"
    locked = json.loads((vendor / "LOCK.json").read_text("utf-8"))
    for entry in locked:
        digest = base64.b64encode(hashlib.sha384((vendor / entry["file"]).read_bytes()).digest()).decode()
        assert entry["sha384"] == f"sha384-{digest}", entry["file"]
        assert entry["licence"]
    plain = {
        str(path.relative_to(vendor))
        for path in vendor.rglob("*")
        if path.is_file() and path.suffix != ".txt"
    }
    assert plain - {"LOCK.json"} == {entry["file"] for entry in locked}


NOT_ON_A_BOARD = {
    "account", "admin", "audit", "duty", "factors", "fleet", "handover", "inbox", "keypad", "limits", "moves", "news",
    "medications", "observe", "pair", "patient", "quiet", "record", "renewed", "shift",
}  # fmt: skip
"""Sheets of forms and tables, and scripts of one page."""


def test_budgets() -> None:
    style = b"".join(path.read_bytes() for path in STYLES)
    live = b"".join(path.read_bytes() for path in STYLES if path.stem not in NOT_ON_A_BOARD)
    script = b"".join(path.read_bytes() for path in sorted((STATIC / "js").glob("*.js"))
                      if path.stem not in NOT_ON_A_BOARD)  # fmt: skip
    assert len(gzip.compress(live)) <= 12 * 1024
    assert len(gzip.compress(style)) <= 30 * 1024  # no page loads all of it
    assert len(gzip.compress(script)) <= 6_500  # 5,000 and what locks a screen where it stands
    for path in (*STYLES, *(STATIC / "js").glob("*.js")):
        assert len(path.read_text("utf-8").splitlines()) <= 300, path.name


RAW = re.compile(
    r"\{\{ ?(?:[a-z_.]+\.)?errors\[[^\]]+\] ?\}\}|page_head\(page, page\.title|\{\{ error\.(?:heading|advice) \}\}"
)
"""What Python says, put into a page as it is: `said()` asks the catalogue of the reader's language for it."""


def test_texts_that_come_from_python_go_through_the_catalogue() -> None:
    found = {
        str(path.relative_to(TEMPLATES)): match[0]
        for path in sorted(TEMPLATES.rglob("*.html"))
        for match in RAW.finditer(path.read_text("utf-8"))
    }
    assert found == {}
