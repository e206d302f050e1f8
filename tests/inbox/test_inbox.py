"""The alarm inbox: what is open, whose it is, what was done, and what other wards must not see."""

import re
from datetime import datetime, timedelta

from sqlalchemy import event

from silverwatch import clock, db
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site
from tests.inbox.alarms import raised

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://localhost/alerts"}


def text_of(markup: str) -> str:
    """What a reader sees, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))


def groups(markup: str) -> list[str]:
    """The headings of the list with their numbers."""
    return [text_of(found).strip() for found in re.findall(r"<h3>(<b>.*?)</h3>", markup)]


def test_the_list_goes_from_what_nobody_has_to_what_is_done(site: Site, cast: Cast, people: People) -> None:
    now = clock.now()
    a, b = cast.achieng, cast.baraka
    raised(
        site,
        a,
        "oxygen_saturation_low",
        priority="high",
        value=84,
        limit=88,
        escalate_at=now + timedelta(seconds=78),
    )
    raised(site, b, "respiratory_rate_high", value=26, limit=24, escalated_at=now)
    raised(site, b, "device_silent", technical=True, vital=None)
    raised(site, a, "heart_rate_high", value=130, limit=120, muted_by="standby")
    taken = raised(site, a, "temperature_high", value=39.2, limit=38.5)
    raised(site, b, "heart_rate_low", value=48, limit=50, closed_at=now, ended_at=now, closed_as="ended")
    site.client.sign_in(people.amina, PASSWORD)
    site.client.submit(f"/alerts/{taken}/acknowledgement")
    page = site.client.get("/alerts").get_data(as_text=True)
    assert groups(page) == [
        "2 Nobody has taken these",
        "1 Technical",
        "1 Quiet for a while",
        "1 Acknowledged",
        "1 Resolved in the last hour",
    ]
    said = text_of(page)
    assert "SpO₂ 84% below 88" in said
    assert re.search(r"Escalates\s+1:1\d", said)
    assert "✓ Amina" in said
    assert "Quiet: standby" in said
    assert 'aria-label="Selected alarm"' in page


def test_priority_goes_before_age_in_a_group(site: Site, cast: Cast, people: People) -> None:
    old = raised(site, cast.achieng, "heart_rate_high", ago=timedelta(hours=1))
    older = raised(site, cast.baraka, "heart_rate_high", ago=timedelta(hours=2))
    # Told to somebody else and still nobody's: no less urgent than what came just now.
    high = raised(site, cast.baraka, "oxygen_saturation_low", priority="high", escalated_at=clock.now())
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/alerts").get_data(as_text=True)
    assert re.findall(r'data-row="([^"]+)"', page) == [str(high), str(older), str(old)]
    assert f'data-detail="{high}"' in page


def test_another_wards_alarm_is_as_missing_as_none(site: Site, cast: Cast, people: People) -> None:
    theirs = raised(site, cast.chebet, "heart_rate_high")
    site.client.sign_in(people.amina, PASSWORD)
    answers = [site.client.get(f"/alerts/{alert_id}") for alert_id in (theirs, clock.new_id())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert "CHEBET" not in site.client.get("/alerts?scope=all").get_data(as_text=True)
    assert "CHEBET" not in site.client.get("/alerts?scope=b").get_data(as_text=True)
    chosen = {"alert": str(theirs)}
    assert site.client.submit("/alerts/acknowledgements", chosen).status_code == 404
    assert site.row("SELECT count(*) FROM acknowledgement")[0] == 0


def test_the_second_one_is_told_whose_it_is(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast.achieng, "oxygen_saturation_low", priority="high")
    site.client.sign_in(people.amina, PASSWORD)
    site.client.submit(f"/alerts/{alert_id}/acknowledgement")
    with site.cursor() as cur:
        cur.execute(
            "UPDATE acknowledgement SET account_id = (SELECT id FROM account WHERE email = %s)", (people.ada,)
        )
    answer = site.client.submit(f"/alerts/{alert_id}/acknowledgement", headers=HTMX)
    assert answer.status_code == 200
    assert re.search(r"Ada acknowledged this \d+ s ago\.", answer.get_data(as_text=True))
    plain = site.client.submit(f"/alerts/{alert_id}/acknowledgement", {"next": "/alerts"})
    assert plain.location == f"/alerts/{alert_id}?taken=1"
    assert re.search(
        r"Ada acknowledged this \d+ s ago\.", site.client.get(plain.location).get_data(as_text=True)
    )


def test_resolving_needs_a_reason_while_it_is_true(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast.achieng, "oxygen_saturation_low", priority="high")
    site.client.sign_in(people.amina, PASSWORD)
    assert site.client.submit(f"/alerts/{alert_id}/resolution").status_code == 422
    assert site.client.submit(f"/alerts/{alert_id}/resolution", {"reason": "boredom"}).status_code == 422
    answer = site.client.submit(f"/alerts/{alert_id}/resolution", {"reason": "treated"}, headers=HTMX)
    assert f'hx-target="#alarm-detail-{alert_id}"' in answer.get_data(as_text=True)
    assert tuple(site.row("SELECT closed_as, resolution FROM alert")) == ("resolved", "treated")
    assert "Amina: Treated" in text_of(site.client.get("/alerts/resolved").get_data(as_text=True))


def test_what_somebody_did_stands_in_what_happened(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast.achieng, "oxygen_saturation_low", priority="high")
    site.client.sign_in(people.amina, PASSWORD)
    assert site.client.submit(f"/alerts/{alert_id}/action", {"what": "dance"}).status_code == 400
    assert site.client.submit(f"/alerts/{alert_id}/action", {"what": "sensor"}).status_code == 303
    page = text_of(site.client.get(f"/alerts/{alert_id}").get_data(as_text=True))
    assert re.search(r"Amina\s*: Sensor moved", page)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'alert.answered'")[0] == 1


def test_technical_alarms_are_taken_together_and_others_are_not(
    site: Site, cast: Cast, people: People
) -> None:
    ids = [
        raised(site, worn, "device_silent", technical=True, vital=None)
        for worn in (cast.achieng, cast.baraka)
    ]
    clinical = raised(site, cast.achieng, "heart_rate_high")
    site.client.sign_in(people.amina, PASSWORD)
    assert 'form="bulk"' in site.client.get("/alerts").get_data(as_text=True)
    together = {"alert": [str(ids[0]), str(clinical)]}
    assert site.client.submit("/alerts/acknowledgements", together).status_code == 409
    assert site.client.submit("/alerts/acknowledgements", {"alert": "nonsense"}).status_code == 400
    assert site.client.submit("/alerts/acknowledgements").status_code == 400
    assert site.row("SELECT count(*) FROM acknowledgement")[0] == 0
    answer = site.client.submit("/alerts/acknowledgements", {"alert": [str(item) for item in ids]})
    assert (answer.status_code, answer.location) == (303, "/alerts")
    assert site.row("SELECT count(*) FROM acknowledgement")[0] == 2


def test_what_comes_often_asks_for_a_look_at_the_limit(site: Site, cast: Cast, people: People) -> None:
    for number in range(4):
        done = clock.now() - timedelta(minutes=10 + number)
        raised(site, cast.achieng, "heart_rate_high", ago=timedelta(hours=1 + number / 2), closed_at=done,
               ended_at=done, closed_as="ended")  # fmt: skip
    alert_id = raised(site, cast.achieng, "heart_rate_high")
    site.client.sign_in(people.amina, PASSWORD)
    page = text_of(site.client.get(f"/alerts/{alert_id}").get_data(as_text=True))
    assert "5 times in 4 h" in page
    assert "Review the limit" in page


def test_an_untaken_high_alarm_is_on_every_page(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    assert "HIGH)" not in site.client.get("/profile").get_data(as_text=True)
    alert_id = raised(site, cast.achieng, "oxygen_saturation_low", priority="high", value=84, limit=88)
    raised(site, cast.chebet, "oxygen_saturation_low", priority="high", value=83, limit=88)
    page = site.client.get("/profile").get_data(as_text=True)
    assert "<title>(1 HIGH) " in page
    assert f'class="standing high" href="/alerts/{alert_id}"' in page
    assert re.search(r'class="alarm-badge high"[^>]*>1<', page)
    site.client.submit(f"/alerts/{alert_id}/acknowledgement")
    assert "HIGH)" not in site.client.get("/profile").get_data(as_text=True)


def test_the_frame_of_a_page_asks_one_question_for_it(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast.achieng, "oxygen_saturation_low", priority="high")
    site.client.sign_in(people.amina, PASSWORD)
    site.client.get("/profile")
    seen: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    site.client.get("/profile")
    assert len([text for text in seen if "FROM membership m" in text and "JOIN alert a" in text]) == 1


def test_the_inbox_takes_as_many_statements_for_many_alarms_as_for_one(
    site: Site, cast: Cast, people: People
) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    seen: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    counts = []
    for kinds in (["heart_rate_high"], ["heart_rate_low", "temperature_high", "respiratory_rate_high"]):
        for kind in kinds:
            for worn in (cast.achieng, cast.baraka):
                raised(site, worn, kind)
        site.client.get("/alerts")
        seen.clear()
        assert site.client.get("/alerts").status_code == 200
        counts.append(len([text for text in seen if not text.startswith("SET")]))
    assert counts[0] == counts[1] <= 32, counts


def test_looking_is_in_the_audit_once(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(site, cast.achieng, "heart_rate_high")
    site.client.sign_in(people.amina, PASSWORD)
    for _ in range(2):
        site.client.get(f"/alerts/{alert_id}")
        site.client.get(f"/alerts/{alert_id}/detail")
    views = [
        row[0] for row in site.rows("SELECT detail->>'view' FROM audit_entry WHERE action = 'record.viewed'")
    ]
    assert sorted(views) == ["patient", "ward"]


def test_a_page_of_what_was_resolved_today(site: Site, cast: Cast, people: People) -> None:
    now: datetime = clock.now()
    for number in range(45):
        done = now - timedelta(seconds=number)
        raised(site, cast.achieng, "heart_rate_high", closed_at=done, ended_at=done, closed_as="ended")
    site.client.sign_in(people.amina, PASSWORD)
    first = site.client.get("/alerts/resolved").get_data(as_text=True)
    assert first.count('class="alarm-row resolved"') == 40
    second = site.client.get("/alerts/resolved?page=2").get_data(as_text=True)
    assert second.count('class="alarm-row resolved"') >= 1
    assert site.client.get("/alerts/resolved?page=nine").status_code == 200


def test_mine_is_of_the_beds_that_i_have_taken(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast.achieng, "heart_rate_high")
    raised(site, cast.baraka, "heart_rate_low")
    raised(site, cast.chebet, "heart_rate_high")
    with site.cursor() as cur:
        cur.execute(
            "INSERT INTO allocation (id, bed_id, account_id, taken_at) SELECT %s, b.id, c.id, now()"
            " FROM bed b, account c WHERE b.id = ANY(%s) AND c.email = %s",
            (clock.new_id(), [cast.baraka.bed_id], people.amina),
        )
        cur.execute(
            "INSERT INTO allocation (id, bed_id, account_id, taken_at) SELECT %s, b.id, c.id, now()"
            " FROM bed b, account c WHERE b.id = %s AND c.email = %s",
            (clock.new_id(), cast.chebet.bed_id, people.amina),
        )
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/alerts?scope=mine").get_data(as_text=True)
    assert "BARAKA" in page
    assert "ACHIENG" not in page
    assert "CHEBET" not in page


def test_the_pane_says_who_has_been_told_and_what_comes_next(site: Site, cast: Cast, people: People) -> None:
    alert_id = raised(
        site,
        cast.achieng,
        "oxygen_saturation_low",
        priority="high",
        escalate_at=clock.now() + timedelta(minutes=2),
    )
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get(f"/alerts/{alert_id}").get_data(as_text=True)
    assert "Who has been told" in page
    assert "if nobody has acknowledged" in page
    assert f'formaction="/alerts/{alert_id}/escalation"' in page
    assert (
        site.client.submit(f"/alerts/{alert_id}/escalation", {"next": f"/alerts/{alert_id}"}).status_code
        == 303
    )
    after = text_of(site.client.get(f"/alerts/{alert_id}").get_data(as_text=True))
    assert "Escalated by Amina" in after


def test_a_score_that_got_worse_says_how_far(site: Site, cast: Cast, people: People) -> None:
    raised(site, cast.achieng, "news2", priority="high", value=9, worst=15, limit=7)
    raised(site, cast.baraka, "news2", value=5, worst=5, limit=5)
    site.client.sign_in(people.amina, PASSWORD)
    for path in ("/alerts", "/ward/a", "/patients"):
        said = text_of(site.client.get(path).get_data(as_text=True))
        assert re.search(r"NEWS2\s+9\s+to\s+15\s*, 7 or more", said), path
        assert "5 to" not in said


def test_the_rules_lead_back_to_the_alarms(site: Site, cast: Cast, people: People) -> None:
    site.client.sign_in(people.amina, PASSWORD)
    page = site.client.get("/alerts/rules").get_data(as_text=True)
    assert '<a href="/alerts/load">' in page
    assert '<a href="/alerts/rules" aria-current="page">' in page
