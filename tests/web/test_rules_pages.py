"""The pages of house rules: what stands there, the form that grows, who may change what, replay and history."""

from typing import Any
from uuid import UUID

import pytest

from silverwatch.blueprints.caregiver import rule_form
from silverwatch.domain.alerts.conditions import All, AnyOf, NoData, Points, Rise, Score, Slope, Value
from silverwatch.domain.alerts.house_rule import Rule, Schedule, problems
from silverwatch.domain.alerts.rule_words import differences, sentence
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.jobs.posting import held, judge, post

FAST: dict[str, Any] = {
    "name": "Fast and breathless", "layer": "site", "priority": "medium", "action": "notify", "hold_s": "10",
    "start": "", "end": "", "enabled": "yes", "reason": "asked for by ward A",
    "joiner": ["and", "and"], "vital": ["heart_rate", "respiratory_rate"], "test": [">", ">="], "number": ["100", "22"],
    "minutes": ["", ""], "back": ["5", ""], "do": "save",
}  # fmt: skip


def enter(site: Site, email: str) -> Any:
    client = site.browser()
    assert client.sign_in(email, PASSWORD).status_code == 303
    return client


def made(site: Site, client: Any, **changes: Any) -> UUID:
    """A rule through the form; gives its id."""
    answer = client.submit("/alerts/rules", FAST | changes)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return UUID(answer.headers["Location"].split("/")[-1].partition("?")[0])


def test_the_list_says_what_makes_noise(site: Site, cast: Cast, people: People) -> None:
    post(site, cast.achieng.key, held("respiratory_rate", 26, seconds=70))
    post(site, cast.achieng.key, held("oxygen_saturation", 93, seconds=70))
    judge()
    page = enter(site, people.amina).get("/alerts/rules").get_data(as_text=True)
    assert "NEWS2 of 5 or more" in page
    assert "NEWS2 7 or more for 60 s" in page
    assert "0% acted on" in page
    assert page.count('class="deactivated"') == 2
    other = enter(site, people.bruno).get("/alerts/rules").get_data(as_text=True)
    assert "acted on" not in other


def test_an_admin_makes_changes_and_retires_a_rule(site: Site, people: People) -> None:
    ada = enter(site, people.ada)
    rule_id = made(site, ada)
    page = ada.get(f"/alerts/rules/{rule_id}").get_data(as_text=True)
    assert "HR above 100 /min (until 5 back) and RR at least 22 /min for 10 s" in page
    changed = FAST | {"reason": "too much noise"}
    changed["number"] = ["110", "22"]
    answer = ada.submit(f"/alerts/rules/{rule_id}", changed | {"version": "1"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    page = ada.get(f"/alerts/rules/{rule_id}").get_data(as_text=True)
    assert "for 10 s -&gt; HR above 110 /min" in page
    assert "too much noise" in page
    stale = ada.submit(f"/alerts/rules/{rule_id}", changed | {"version": "1", "hold_s": "20"})
    assert stale.status_code == 422
    assert "Somebody has changed this rule meanwhile" in stale.get_data(as_text=True)
    assert ada.submit(f"/alerts/rules/{rule_id}/retirement", {"because": ""}).status_code == 422
    assert ada.submit(f"/alerts/rules/{rule_id}/retirement", {"because": "nobody acts"}).status_code == 303
    assert "Fast and breathless" not in ada.get("/alerts/rules").get_data(as_text=True)
    assert "nobody acts" in ada.get(f"/alerts/rules/{rule_id}").get_data(as_text=True)
    actions = [
        row[0] for row in site.rows("SELECT action FROM audit_entry WHERE action LIKE 'rule.%' ORDER BY seq")
    ]
    assert actions == ["rule.made", "rule.changed", "rule.retired"]


def made_before(site: Site) -> None:
    """The rules of the test are older than its readings."""
    for change in (
        "UPDATE alarm_rule_version SET changed_at = changed_at - interval '2 min' WHERE changed_by IS NOT NULL",
        "UPDATE alarm_rule SET created_at = created_at - interval '2 min'",
    ):
        with site.cursor() as cur:
            cur.execute(change)


def test_a_made_rule_holds_from_the_next_reading(site: Site, cast: Cast, people: People) -> None:
    rule_id = made(site, enter(site, people.ada), layer=f"ward:{cast.achieng.ward_id}")
    post(
        site, cast.achieng.key, [(s, {"heart_rate": 110, "respiratory_rate": 24}) for s in range(60, 30, -5)]
    )
    judge()
    assert site.rows("SELECT id FROM alert WHERE rule_id = %s", rule_id) == []
    made_before(site)
    for worn in (cast.achieng, cast.chebet):
        post(site, worn.key, [(s, {"heart_rate": 110, "respiratory_rate": 24}) for s in range(20, -1, -5)])
    judge()
    row = site.row("SELECT patient_id, kind FROM alert WHERE rule_id = %s", rule_id)
    assert tuple(row) == (cast.achieng.patient_id, f"rule_{rule_id}")


def test_the_form_grows_and_shrinks_without_storing(site: Site, people: People) -> None:
    ada = enter(site, people.ada)
    grown = ada.submit("/alerts/rules", FAST | {"do": "add"})
    assert grown.status_code == 200
    assert grown.get_data(as_text=True).count('name="test"') == 3
    shrunk = ada.submit("/alerts/rules", FAST | {"do": "remove-0"}).get_data(as_text=True)
    assert shrunk.count('name="test"') == 1
    assert 'value="22"' in shrunk
    assert site.row("SELECT count(*) FROM alarm_rule")[0] == 4


def test_a_caregiver_keeps_the_rules_of_patients_alone(site: Site, cast: Cast, people: People) -> None:
    amina, bruno = enter(site, people.amina), enter(site, people.bruno)
    form = amina.get(f"/alerts/rules/new?patient={cast.achieng.patient_id}").get_data(as_text=True)
    assert "Achieng" in form
    assert bruno.get(f"/alerts/rules/new?patient={cast.achieng.patient_id}").status_code == 404
    rule_id = made(site, amina, layer=f"patient:{cast.achieng.patient_id}")
    assert "bed A1" in amina.get("/alerts/rules").get_data(as_text=True)
    assert bruno.get(f"/alerts/rules/{rule_id}").status_code == 404
    assert bruno.submit(f"/alerts/rules/{rule_id}/retirement", {"because": "x"}).status_code == 404
    assert enter(site, people.ada).get(f"/alerts/rules/{rule_id}").status_code == 404
    for layer in ("site", f"ward:{cast.achieng.ward_id}", f"patient:{cast.chebet.patient_id}"):
        assert amina.submit("/alerts/rules", FAST | {"layer": layer}).status_code == 404
    site_rule = "01980000-0000-7000-8000-000000000501"
    assert "Save the rule" not in amina.get(f"/alerts/rules/{site_rule}").get_data(as_text=True)
    assert amina.submit(f"/alerts/rules/{site_rule}", FAST).status_code == 404
    who = enter(site, people.ada).submit(
        "/alerts/rules", FAST | {"layer": f"patient:{cast.achieng.patient_id}"}
    )
    assert who.status_code == 404


def test_trying_counts_the_alarms_of_stored_readings(site: Site, cast: Cast, people: People) -> None:
    steps = [(s, {"heart_rate": 110, "respiratory_rate": 24}) for s in range(300, 250, -5)]
    steps += [(s, {"heart_rate": 80, "respiratory_rate": 15}) for s in range(250, 100, -5)]
    steps += [(s, {"heart_rate": 120, "respiratory_rate": 24}) for s in range(100, 0, -5)]
    post(site, cast.achieng.key, steps)
    post(site, cast.chebet.key, steps[:10])
    ada = enter(site, people.ada)
    page = ada.submit("/alerts/rules", FAST | {"do": "24 h"}).get_data(as_text=True)
    assert "It would have raised 3 alarms" in page
    assert "at 2 of 3 patients" in page
    page = ada.submit(
        "/alerts/rules", FAST | {"do": "14 days", "layer": f"ward:{cast.chebet.ward_id}"}
    ).get_data(as_text=True)
    assert "It would have raised 1 alarm<" in page


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"number": ["", "22"]}, "Enter a number, such as 24."),
        ({"number": ["9000", "22"]}, "Enter a bound for HR of 0 to 350 /min."),
        ({"name": ""}, "Give the rule a name"),
        ({"hold_s": "an hour"}, "Enter a duration in seconds"),
        ({"start": "21"}, "Enter both times as 21:00"),
        ({"start": "21:00", "end": "21:00"}, "Enter an end that differs"),
        ({"action": "show"}, "A rule that only shows has low priority"),
        ({"layer": ""}, "Choose for whom the rule is."),
        ({"priority": "loud"}, "Choose one of the three."),
        ({"test": ["no_data", ">="], "minutes": ["5", ""]}, "Put “no value” into a rule of its own"),
        ({"vital": ["mood", "respiratory_rate"]}, "Choose a vital."),
    ],
)
def test_errors_say_what_to_do(site: Site, people: People, changes: dict[str, Any], advice: str) -> None:
    answer = enter(site, people.ada).submit("/alerts/rules", FAST | changes)
    assert answer.status_code == 422
    assert advice in answer.get_data(as_text=True)
    assert site.row("SELECT count(*) FROM alarm_rule")[0] == 4


HR = Value(vital="heart_rate", operator=">", bound=100, hysteresis=5)
RR = Value(vital="respiratory_rate", operator="<=", bound=8)


@pytest.mark.parametrize(
    "condition",
    [
        HR,
        All(of=(HR, RR)),
        AnyOf(of=(HR, RR)),
        AnyOf(of=(All(of=(HR, RR)), Score(at_least=5))),
        Slope(vital="heart_rate", direction="falls", by=20, minutes=10),
        NoData(vital="oxygen_saturation", minutes=5),
        Points(part="consciousness", at_least=3),
        Points(part="any", at_least=3),
        Rise(at_least=2),
    ],
)
def test_what_the_form_writes_it_reads(condition: Any) -> None:
    rule = Rule(name="One", condition=condition, hold_s=30, schedule=Schedule(1260, 420))
    assert problems(rule) == {}
    form = rule_form.written(rule, layer="site", number=1)
    assert form is not None
    assert rule_form.rule_of(form) == rule
    assert form.errors == {}


def test_words_and_differences() -> None:
    before = Rule(name="RR", condition=Value(vital="respiratory_rate", operator=">", bound=24), hold_s=60)
    after = Rule(
        name="RR", condition=Value(vital="respiratory_rate", operator=">", bound=26), hold_s=60,
        schedule=Schedule(1260, 420),
    )  # fmt: skip
    assert differences(before, after) == [
        "RR above 24 /min for 60 s -> RR above 26 /min for 60 s, 21:00 to 07:00"
    ]
    assert (
        sentence(before)
        == "RR above 24 /min for 60 s: medium priority, sounds and calls by the escalation chain"
    )
    nested = All(of=(AnyOf(of=(HR, RR)), Score(at_least=5)))
    assert sentence(Rule(name="n", condition=nested)).startswith(
        "(HR above 100 /min (until 5 back) or RR at most 8 /min) and NEWS2 5 or more:"
    )
    assert rule_form.written(Rule(name="n", condition=nested), layer="site", number=1) is None


SITE_NEWS_5 = "01980000-0000-7000-8000-000000000501"
QUIET: dict[str, Any] = {
    **FAST, "name": "NEWS2 of 6 or more", "joiner": ["and"], "vital": ["heart_rate"], "test": ["news2"],
    "number": ["6"], "minutes": [""], "back": [""], "hold_s": "60", "instead_of": SITE_NEWS_5,
}  # fmt: skip


def of_news(site: Site) -> dict[UUID, str]:
    """Patient to the rule by which an open NEWS2 alarm stands."""
    return dict(
        site.rows(
            "SELECT a.patient_id, a.rule_id::text FROM alert a WHERE a.kind = 'news2' AND a.closed_at IS NULL"
        )
    )


def five_points(site: Site, cast: Cast) -> None:
    """Both patients have 5 points, all of them from what a device sends."""
    for worn in (cast.achieng, cast.chebet):
        steps = [
            (s, {"respiratory_rate": 26, "oxygen_saturation": 93, "heart_rate": 80})
            for s in range(70, -1, -5)
        ]
        post(site, worn.key, steps)
    judge()


def test_a_ward_has_its_own_rule_instead_of_the_sites(site: Site, cast: Cast, people: People) -> None:
    ada = enter(site, people.ada)
    begun = ada.get(f"/alerts/rules/new?instead_of={SITE_NEWS_5}").get_data(as_text=True)
    assert "Stands instead of NEWS2 of 5 or more" in begun
    assert 'value="site"' not in begun
    layer = f"ward:{cast.achieng.ward_id}"
    assert ada.submit("/alerts/rules", QUIET | {"layer": layer, "reason": ""}).status_code == 422
    made(site, ada, **QUIET | {"layer": layer})
    second = ada.submit("/alerts/rules", QUIET | {"layer": layer})
    assert second.status_code == 422
    assert "has its own rule here already" in second.get_data(as_text=True)
    assert ada.submit("/alerts/rules", QUIET | {"layer": "site"}).status_code == 404
    shown = ada.get("/alerts/rules").get_data(as_text=True)
    assert "instead of: NEWS2 of 5 or more" in shown
    assert "otherwise in Ward A" in shown
    made_before(site)
    five_points(site, cast)
    assert of_news(site) == {cast.chebet.patient_id: SITE_NEWS_5}


def test_a_patients_own_rule_wins_and_ends_with_it(site: Site, cast: Cast, people: People) -> None:
    ada, amina = enter(site, people.ada), enter(site, people.amina)
    made(site, ada, **QUIET | {"layer": f"ward:{cast.achieng.ward_id}"})
    own = made(
        site, amina,
        **QUIET | {
            "layer": f"patient:{cast.achieng.patient_id}", "name": "NEWS2 of 5, watched", "number": ["5"],
            "instead_of": site.row("SELECT id::text FROM alarm_rule WHERE ward_id IS NOT NULL")[0],
            "reason": "Went down fast last time",
        },
    )  # fmt: skip
    page = amina.get(f"/patients/{cast.achieng.patient_id}/limits").get_data(as_text=True)
    for words in (
        "NEWS2 of 5, watched",
        "Went down fast last time",
        "until discharge",
        "instead of: NEWS2 of 5",
    ):
        assert words in page
    assert "NEWS2 of 6 or more" not in page
    other = enter(site, people.bruno).get(f"/patients/{cast.chebet.patient_id}/limits").get_data(as_text=True)
    assert "NEWS2 of 5 or more" in other
    assert "watched" not in other
    made_before(site)
    five_points(site, cast)
    assert of_news(site) == {cast.achieng.patient_id: str(own), cast.chebet.patient_id: SITE_NEWS_5}
    # It cannot be switched off where nobody at the bed would see it.
    off = QUIET | {"enabled": "no", "version": "1", "reason": "too loud"}
    refused = amina.submit(f"/alerts/rules/{own}", off)
    assert refused.status_code == 422
    assert "cannot be off" in refused.get_data(as_text=True)
    # Another one beside it is refused; one of another ward's patient is not there.
    again = QUIET | {"layer": f"patient:{cast.achieng.patient_id}", "instead_of": SITE_NEWS_5}
    assert amina.submit("/alerts/rules", again).status_code == 422
    theirs = QUIET | {"layer": f"patient:{cast.chebet.patient_id}"}
    assert amina.submit("/alerts/rules", theirs).status_code == 404
    assert amina.submit(f"/alerts/rules/{own}/retirement", {"because": "stable"}).status_code == 303
    page = amina.get(f"/patients/{cast.achieng.patient_id}/limits").get_data(as_text=True)
    assert "NEWS2 of 6 or more" in page
