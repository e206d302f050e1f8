"""A region is the same bytes in the page, from its own address and on the socket; and so is the page after an act."""

import json
import re
from typing import cast

import pytest
from playwright.sync_api import Page, expect

from silverwatch.live.regions import ALL
from tests.e2e.demo import Demo
from tests.e2e.screen import board, has, sign_in, tile

pytestmark = pytest.mark.e2e

LISTEN = """([url, wanted]) => new Promise((resolve, reject) => {
  const found = {}, socket = new WebSocket(url);
  socket.onmessage = ({ data }) => {
    const { target, content } = JSON.parse(data);
    if (target) found[target.slice(1)] = content;
    if (Object.keys(found).length < wanted) return;
    resolve(found);
    socket.close();
  };
  socket.onclose = ({ code }) => reject(`closed: ${code}`);
})"""
REGIONS = """() => Object.fromEntries([...document.querySelectorAll('[data-region-url]')].map(
  (e) => [e.id, e.outerHTML]))"""


ELSEWHERE: set[str] = {"alarm-list", "ward-rounds"}
"""Regions of beds and wards that other pages show."""


def same(markup: str) -> str:
    """A fragment without what time alone changes: ages, and the marks that htmx leaves on elements."""
    markup = re.sub(
        r"(<time data-(?:age|since|left)|<time class=\"age\")([^>]*)>[^<]*</time>", r"\1\2></time>", markup
    )
    return re.sub(r' data-htmx-powered="true"| class=""', "", markup).strip()


def prepare(demo: Demo) -> None:
    """A high alarm, a calm bed with a manual-like value, and beds without any data."""
    demo.post(3, calm=True, oxygen_saturation=79, systolic_bp=120, diastolic_bp=70)
    demo.post(4, heart_rate=130, temperature=39.0)


@pytest.mark.parametrize("path", ["/ward/4b", "/ward/4b/wall"])
def test_page_address_and_socket_give_the_same_regions(page: Page, demo: Demo, path: str) -> None:
    prepare(demo)
    board(page, demo)
    has(page, tile(page, 3), "high")
    has(page, tile(page, 4), "medium")
    page.goto(f"{demo.url}/login")
    page.goto(f"{demo.url}{path}")
    ids = page.evaluate(
        "[...document.querySelectorAll('[data-region-url]')].map((e) => [e.id, e.dataset.regionUrl])"
    )
    # The badges in the rail are of the person, not of the ward.
    assert {name[:-37] for name, _ in ids} - {"alarm-badge", "notice-badge"} == {
        n for n, region in ALL.items() if region.subject in ("bed", "ward")
    } - ELSEWHERE
    wall = "&wall=1" if path.endswith("wall") else ""
    address = f"{demo.url.replace('http', 'ws')}/ws/live/?" + "&".join(f"r={name}" for name, _ in ids) + wall
    pushed = page.evaluate(LISTEN, [address, len(ids)])
    whole = same(page.request.get(demo.url + path).text())
    for name, url in ids:
        fragment = same(page.request.get(f"{demo.url}{url}?{wall[1:]}").text())
        assert fragment == same(pushed[name]), name
        assert fragment in whole, name


def test_the_page_after_an_acknowledgement_is_the_page_reloaded(page: Page, demo: Demo) -> None:
    prepare(demo)
    board(page, demo)
    has(page, tile(page, 3), "high")
    has(page, tile(page, 4), "medium")
    page.keyboard.press("a")
    has(page, tile(page, 3), "acknowledged")
    expect(page.locator(".alarm.acknowledged")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    after = {name: same(markup) for name, markup in page.evaluate(REGIONS).items()}
    page.reload()
    reloaded = {name: same(markup) for name, markup in page.evaluate(REGIONS).items()}
    assert after.keys() == reloaded.keys()
    for name, markup in after.items():
        assert markup == reloaded[name], name


def test_no_region_of_another_ward_is_pushed(page: Page, demo: Demo) -> None:
    sign_in(page, demo, ward="5a")
    theirs = demo.rows("SELECT b.id FROM bed b JOIN ward w ON w.id = b.ward_id WHERE w.slug = '4b' LIMIT 1")[
        0
    ][0]
    address = f"{demo.url.replace('http', 'ws')}/ws/live/?r=tile-{theirs}"
    answer = page.evaluate(f"({LISTEN})({json.dumps([address, 1])}).catch(String)")
    assert cast(str, answer) == "closed: 1008"
    assert page.request.get(f"{demo.url}/beds/{theirs}/tile").status == 404
