"""NEWS2 explained: each part with its band, source and age; and when the next set is due."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from silverwatch import clock, db
from silverwatch.domain.access import Actor, Role
from silverwatch.domain.alerts import decisions
from silverwatch.domain.alerts.due import due
from silverwatch.domain.alerts.news_card import CardPart, NewsCard, news_card
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.readings.news2 import Band, band_of, points
from silverwatch.web.audience import Audience
from silverwatch.web.templating import environment
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import judge, post

DEVICE = {"heart_rate": 112, "respiratory_rate": 22, "oxygen_saturation": 94}
BY_HAND = {"systolic_bp": "104", "diastolic_bp": "62", "temperature": "38.4", "supplemental_oxygen": "2",
           "consciousness": "A"}  # fmt: skip


def read(patient_id: UUID, **later: float) -> NewsCard:
    """The card now, or `hours` later."""
    with db.transaction(read_only=True) as session:
        return news_card(session, patient_id, now=clock.now() + timedelta(**later))


def parts(card: NewsCard) -> dict[str, CardPart]:
    """By name."""
    return {part.name: part for part in card.parts}


def drawn(card: NewsCard) -> str:
    """The card as a page draws it."""
    macro = (
        environment("en")
        .get_template("components/news2_card.html")
        .make_module({"audience": Audience("caregiver")})
    )
    return str(macro.news2_card(card))  # type: ignore[attr-defined]


def account(site: Site, email: str) -> Actor:
    """The caregiver of that address."""
    found: UUID = site.row("SELECT id FROM account WHERE email = %s", email)[0]
    return Actor(account_id=found, role=Role.CAREGIVER, name="Amina")


def whole_set(site: Site, cast: Cast, people: People, **changed: Any) -> None:
    """A set by hand beside what the device says."""
    post(site, cast.achieng.key, [(1, DEVICE)])
    site.client.sign_in(people.amina, PASSWORD)
    fields = {**BY_HAND, **changed}
    assert site.client.submit(f"/patients/{cast.achieng.patient_id}/observations", fields).status_code == 303
    judge()


def test_each_part_says_its_band_its_source_and_its_age(site: Site, cast: Cast, people: People) -> None:
    whole_set(site, cast, people)
    card = read(cast.achieng.patient_id)
    found = parts(card)
    assert {name: part.points for name, part in found.items()} == {
        "respiratory_rate": 2, "oxygen_saturation": 1, "supplemental_oxygen": 2, "systolic_bp": 1, "heart_rate": 2,
        "consciousness": 0, "temperature": 1,
    }  # fmt: skip
    assert (card.score, card.risk, card.partial, card.at_least) == (9, "high", False, 9)
    assert found["respiratory_rate"].band == Band(21, 24, 2)
    assert (found["respiratory_rate"].device, found["respiratory_rate"].by) == ("SW-1", None)
    assert (found["temperature"].device, found["temperature"].by) == (None, "Amina")
    assert card.due.why == "chart"
    text = drawn(card)
    for words in ("21 to 24 scores 2", "SW-1", "Amina", "oxygen scores 2", "Emergency response (7 or more)",
                  "© Royal College of Physicians 2017", "High risk"):  # fmt: skip
        assert words in text


def test_what_is_too_old_is_hollow_and_the_score_is_never_lowered(
    site: Site, cast: Cast, people: People
) -> None:
    whole_set(site, cast, people)
    card = read(cast.achieng.patient_id, minutes=20)
    found = parts(card)
    assert (card.score, card.partial, card.risk_now) == (9, True, "high")
    assert card.at_least == 4
    assert found["heart_rate"].stale
    assert found["heart_rate"].value == 112
    text = drawn(card)
    for words in ("Incomplete: at least 4", "too old to score", "Last complete score 9"):
        assert words in text


def test_a_pulse_of_the_oximeter_says_so(site: Site, cast: Cast, people: People) -> None:
    post(site, cast.achieng.key, [(1, {"pulse_rate": 88})])
    found = parts(read(cast.achieng.patient_id))["heart_rate"]
    assert (found.vital, found.value, found.points, found.device) == ("pulse_rate", 88, 0, "SW-1")


def test_nobody_under_sixteen_is_scored(site: Site, cast: Cast, people: People) -> None:
    whole_set(site, cast, people)
    with site.cursor() as cur:
        cur.execute("UPDATE patient SET born_on = now() - interval '15 years 364 days'")
    card = read(cast.achieng.patient_id)
    assert (card.applies, card.parts, card.due.at) == (False, (), None)
    assert "not for patients under 16" in drawn(card)
    assert "NEWS2 is not for patients under 16" in site.client.get("/ward/a").get_data(as_text=True)


def test_without_any_value_nothing_is_said_to_be_zero(site: Site, cast: Cast) -> None:
    card = read(cast.achieng.patient_id)
    assert (card.score, card.partial, card.at_least, card.due.why) == (None, True, 0, "first")
    assert "missing is never 0" in drawn(card)


def test_a_clinician_s_interval_goes_before_the_chart_until_it_ends(
    site: Site, cast: Cast, people: People
) -> None:
    whole_set(site, cast, people, supplemental_oxygen="0", temperature="37.0")
    patient_id, now, amina = cast.achieng.patient_id, clock.now(), account(site, people.amina)
    with db.transaction() as session:
        by_chart = due(session, [patient_id], now=now)[patient_id]
        until = now + timedelta(hours=6)
        decisions.decide_interval(
            session, amina, patient_id, minutes=15, until=until, because="After the transfusion", now=now
        )
        own = due(session, [patient_id], now=now)[patient_id]
        assert (by_chart.why, by_chart.interval_s) == ("chart", 3600)
        assert (own.why, own.interval_s, own.by, own.because) == (
            "decision", 900, "Amina", "After the transfusion",
        )  # fmt: skip
        assert due(session, [patient_id], now=until)[patient_id].why == "chart"
        late = due(session, [patient_id], now=now + timedelta(minutes=20))[patient_id]
        set_at = own.set_at
        assert set_at is not None
        assert late.at == set_at + timedelta(minutes=15)
        assert late.overdue_s > 299
    assert "After the transfusion" in drawn(read(patient_id))
    with db.transaction() as session:
        assert decisions.end_interval(session, amina, patient_id, now=clock.now())
        assert not decisions.end_interval(session, amina, patient_id, now=clock.now())
        assert due(session, [patient_id], now=clock.now())[patient_id].why == "chart"


def test_the_other_scale_is_a_decision_and_is_judged_again(site: Site, cast: Cast, people: People) -> None:
    whole_set(site, cast, people)
    patient_id, amina = cast.achieng.patient_id, account(site, people.amina)
    with db.transaction() as session:
        decisions.decide_scale(
            session, amina, patient_id, scale=2, because="Hypercapnic failure, target 88-92", now=clock.now()
        )
    assert site.row("SELECT unjudged_since IS NOT NULL FROM vital_state WHERE patient_id = %s", patient_id)[0]
    judge()
    card = read(patient_id)
    # 94 % on oxygen is 1 on either scale; the band is another one.
    assert parts(card)["oxygen_saturation"].band == Band(93, 94, 1)
    assert (card.scale.scale, card.scale.by) == (2, "Amina")
    assert "Hypercapnic failure" in drawn(card)
    with pytest.raises(ConflictError), db.transaction() as session:
        decisions.decide_scale(session, amina, patient_id, scale=2, because="Again, again", now=clock.now())


@pytest.mark.parametrize(
    ("name", "value", "more", "band"),
    [
        ("respiratory_rate", 8.4, {}, Band(None, 8, 3)),
        ("respiratory_rate", 9, {}, Band(9, 11, 1)),
        ("temperature", 36.05, {}, Band(36.1, 38, 0)),
        ("temperature", 39.1, {}, Band(39.1, None, 2)),
        ("oxygen_saturation", 93, {"scale": 2}, Band(88, None, 0)),
        ("oxygen_saturation", 97, {"scale": 2, "on_oxygen": True}, Band(97, None, 3)),
    ],
)
def test_bands_in_words(name: str, value: float, more: dict[str, Any], band: Band) -> None:
    found = band_of(name, value, **more)
    assert found == band
    assert found.points == points(name, value, **more)
