"""Jinja without a request: the same template draws the page, the fragment and the push on the socket."""

import hashlib
import json
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from silverwatch.domain.accounts.profile import LANGUAGES
from silverwatch.domain.alerts import rule_words
from silverwatch.web import alarm_chart, charts, filters
from silverwatch.web.audience import Audience
from silverwatch.web.views import Page
from silverwatch.web.words import words

ROOT = Path(str(files("silverwatch")))
STATIC = ROOT / "static"

REGION_URLS = {
    "pairing": "/pairings/{id}/panel",
    "tile": "/beds/{id}/tile",
    "trend": "/beds/{id}/trend",
    "counts": "/wards/{id}/counts",
    "alarm-bar": "/wards/{id}/alarm-bar",
    "board": "/wards/{id}/board",
    "alarm-strip": "/patients/{id}/alarm-strip",
    "latest": "/patients/{id}/latest",
    "news2": "/patients/{id}/news2",
    "timeline": "/patients/{id}/timeline",
    "shift": "/accounts/{id}/shift",
    "rounds": "/accounts/{id}/rounds",
    "ward-rounds": "/wards/{id}/rounds",
    "wards": "/accounts/{id}/wards",
    "alarm-list": "/wards/{id}/alarm-list",
    "my-alarms": "/accounts/{id}/alarms",
    "alarm-detail": "/alerts/{id}/detail",
    "alarm-badge": "/accounts/{id}/alarm-badge",
    "notice-badge": "/accounts/{id}/notice-badge",
    "notices": "/accounts/{id}/notices",
    "staff-bar": "/accounts/{id}/staff-bar",
    "fleet-counts": "/accounts/{id}/fleet-counts",
    "fleet": "/accounts/{id}/fleet",
    "faults": "/accounts/{id}/faults",
}
"""Where each live region is read: the address answers the same fragment that the socket pushes."""

VITAL_LABELS = {
    "heart_rate": "HR",
    "oxygen_saturation": "SpO₂",
    "blood_pressure": "BP",
    "respiratory_rate": "RR",
    "temperature": "Temp",
    "systolic_bp": "Systolic BP",
    "diastolic_bp": "Diastolic BP",
    "mean_bp": "Mean BP",
    "pulse_rate": "Pulse",
    "supplemental_oxygen": "O₂",
    "glucose": "Glucose",
    "weight": "Weight",
    "pain": "Pain",
    "steps": "Steps",
}


def render(template: str, audience: Audience, **data: object) -> str:
    """A partial of a live region, drawn from its reader and its data alone (plus `now`, aware UTC)."""
    return environment(audience.language).get_template(template).render(audience=audience, **data)


def render_page(template: str, audience: Audience, *, page: Page, **data: object) -> str:
    """A whole page."""
    return render(template, audience, page=page, **data)


@cache
def environment(language: str) -> Environment:
    """The one Jinja environment of a language."""
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    own = words(language)
    env.install_gettext_translations(own.gettext, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(filters.of(own.said))
    env.globals.update(
        region=region,
        region_url=region_url,
        static_url=static_url,
        icon=icon,
        draw=charts.draw,
        draw_alarm=alarm_chart.draw_alarm,
        time_zone=filters.time_zone,
        rule_sentence=partial(rule_words.sentence, say=own.say),
        rule_words=partial(rule_words.condition_words, say=own.say),
        rule_differences=partial(rule_words.differences, say=own.say),
        vital_labels={vital: own.said(label) for vital, label in VITAL_LABELS.items()},
        language=language,
        languages=LANGUAGES,
        # For texts that come from Python: `_` would take a % in them for a placeholder.
        said=own.said,
    )
    return env


def region(name: str, identity: UUID) -> str:
    """The DOM id of a live region: tile-<uuid>."""
    return f"{name}-{identity}"


def region_url(name: str, identity: UUID) -> str:
    """Where a live region is read."""
    return REGION_URLS[name].format(id=identity)


@cache
def static_url(path: str) -> str:
    """The address of a static file with a hash of its content, so that it can be cached for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()
    return f"/static/{path}?v={digest[:12]}"


@cache
def _icons() -> dict[str, list[str]]:
    icons: dict[str, list[str]] = json.loads((STATIC / "vendor/tabler/icons.json").read_text("utf-8"))
    return icons


@cache
def icon(name: str, size: str = "") -> Markup:
    """An icon as inline SVG, hidden from screen readers: words beside it carry the meaning."""
    paths = Markup("").join(Markup('<path d="{}"/>').format(path) for path in _icons()[name])
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>').format(
        f"icon {size}".strip(), paths
    )
