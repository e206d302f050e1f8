"""SMS, push and webhooks over real HTTP, and what happens when a gateway hangs, breaks or says no."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from silverwatch import clock, db, keys
from silverwatch.adapters import notify as adapter
from silverwatch.adapters import outbound
from silverwatch.domain.access import Actor
from silverwatch.domain.alerts import chains
from silverwatch.domain.alerts.steps import Channel, Step
from silverwatch.domain.notices import addresses, gateways, queries
from silverwatch.domain.notices.gateways import Gateways
from silverwatch.domain.wards.shifts import DutyRole
from silverwatch.jobs import notify
from silverwatch.web import outgoing
from tests.cast import Cast, People
from tests.conftest import Site
from tests.duty.alarms import pass_time, sound, states, steps
from tests.duty.crew import accept, actor_of, join
from tests.duty.gateways import Gateway, open_gateway
from tests.jobs.post_office import open_office, use

NUMBER, TOPIC = "+254711000111", "ward-a-amina-7Qx2"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A server that is all of them."""
    with open_gateway() as found:
        yield found


@pytest.fixture
def amina(site: Site, cast: Cast, people: People) -> Actor:
    """Amina is on duty in ward A, and a doctor; every step goes out on every channel."""
    actor = actor_of(people.amina)
    accept(actor, cast.achieng.ward_id)
    accept(join("Dan", cast.achieng.ward_id, usual="doctor"), cast.achieng.ward_id)
    outgoing.configure(site.config)
    return actor


def set_up(site: Site, people: People, gateway: Gateway, **more: Any) -> None:
    """The site's gateways lead to the server."""
    values: dict[str, Any] = {
        "sms_kind": "africas_talking", "sms_user": "ward", "sms_secret": "key-of-the-site", "sms_url": gateway.url,
        "push_url": gateway.url, "push_token": "tk_abc", "webhook_hosts": (gateway.url.removeprefix("http://"),),
    }  # fmt: skip
    with db.transaction() as session:
        gateways.set_gateways(
            session,
            Gateways(**(values | more)),
            keys=keys.of(site.config, gateways.GROUP),
            by=None,
            now=clock.now(),
        )


def reach(site: Site, actor: Actor, channel: str, address: str) -> UUID:
    """A verified address."""
    sealing = keys.of(site.config, gateways.GROUP)
    with db.transaction() as session:
        new = addresses.add(
            session, actor.account_id, channel=channel, address=address, keys=sealing,
            now=clock.now() - timedelta(minutes=2),
        )  # fmt: skip
        assert addresses.verify(
            session,
            actor.account_id,
            new.id,
            code=new.code,
            keys=sealing,
            now=clock.now() - timedelta(minutes=1),
        )
    return new.id


def chain(people: People, ward_id: UUID, *channels: Channel) -> None:
    """Nurse, then doctor a minute later, on these channels."""
    with db.transaction() as session:
        chains.change(
            session, actor_of(people.ada), ward_id=ward_id, priority="high", repeat_s=300, now=clock.now(),
            steps=(
                Step(after_s=0, role=DutyRole.NURSE, channels=channels),
                Step(after_s=60, role=DutyRole.DOCTOR, channels=channels),
            ),
        )  # fmt: skip


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks may go to this machine, over http."""
    monkeypatch.setattr(
        adapter,
        "rules_for",
        lambda hosts: outbound.Rules(
            reach="machine", schemes=frozenset({"http"}), ports=None, hosts=frozenset(hosts)
        ),
    )


def test_an_sms_is_one_sms_and_names_nobody(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway
) -> None:
    set_up(site, people, gateway)
    reach(site, amina, "sms", NUMBER)
    chain(people, cast.achieng.ward_id, "web", "sms")
    sound(cast.achieng.patient_id)
    steps()
    assert notify.drain("sms") == 1
    (sms,) = gateway.taken
    assert (sms["to"], sms["user"]) == (NUMBER, "ward")
    assert sms["text"].startswith("High alarm: Ward A, bed A1: oxygen saturation too low http")
    assert len(sms["text"]) <= 160
    assert "achieng" not in sms["text"].lower()


def test_twilio_speaks_its_own_language(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway
) -> None:
    set_up(site, people, gateway, sms_kind="twilio", sms_user="AC" + "a" * 32, sms_secret="b" * 32,
           sms_sender="+15005550006")  # fmt: skip
    reach(site, amina, "sms", NUMBER)
    chain(people, cast.achieng.ward_id, "sms")
    sound(cast.achieng.patient_id)
    steps()
    assert notify.drain("sms") == 1
    assert (gateway.taken[0]["to"], gateway.taken[0]["from"]) == (NUMBER, "+15005550006")


def test_a_push_goes_to_the_topic_with_the_token(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway
) -> None:
    set_up(site, people, gateway)
    reach(site, amina, "push", TOPIC)
    sound(cast.achieng.patient_id)
    steps()
    assert notify.drain("push") == 1
    (push,) = gateway.taken
    assert TOPIC in json.dumps(push)
    assert "High alarm: Ward A" in json.dumps(push)
    assert push["token"] == "Bearer tk_abc"


def test_a_webhook_is_signed(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway, near: None
) -> None:
    set_up(site, people, gateway)
    address_id = reach(site, amina, "webhook", f"{gateway.url}/ward")
    chain(people, cast.achieng.ward_id, "webhook")
    sound(cast.achieng.patient_id)
    steps()
    assert notify.drain("webhook") == 1
    (call,) = gateway.taken
    with db.transaction() as session:
        secret = addresses.again(
            session, amina.account_id, address_id, keys=keys.of(site.config, gateways.GROUP), now=clock.now()
        ).secret
    assert secret is not None
    headers = {name.lower(): value for name, value in call["headers"].items()}
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + call["body"]
    expected = base64.b64encode(hmac.digest(secret, text, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    said = json.loads(call["body"])
    assert (said["type"], said["data"]["bed"]) == ("alert.notice", "A1")


def test_a_webhook_goes_only_to_hosts_of_the_administrator(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway, near: None
) -> None:
    set_up(site, people, gateway, webhook_hosts=("hooks.example",))
    reach(site, amina, "webhook", f"{gateway.url}/ward")
    chain(people, cast.achieng.ward_id, "webhook")
    sound(cast.achieng.patient_id)
    steps()
    assert notify.drain("webhook") == 0
    assert gateway.asked == 0
    assert "not one of the hosts" in site.row("SELECT error FROM notice WHERE channel = 'webhook'")[0]


@pytest.mark.parametrize("mood", ["refuse", "broken", "hang"])
def test_when_the_gateway_fails_the_next_channel_is_tried_and_the_screen_says_so(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway, mood: str
) -> None:
    set_up(site, people, gateway)
    reach(site, amina, "sms", NUMBER)
    chain(people, cast.achieng.ward_id, "sms")
    gateway.mood = mood
    with open_office() as office:
        use(site, office.url)
        alert_id = sound(cast.achieng.patient_id)
        notify.notify()  # tries the SMS
        notify.notify()  # and then the letter
        assert [letter["To"] for letter in office.letters] == [people.amina]
    with db.transaction() as session:
        told = queries.told(session, alert_id, now=clock.now())
    assert [(notice.channel, notice.state) for notice in told.failed] == [("sms", "failed")]
    assert told.failed[0].error
    # The letter arrived: the chain goes on by its clock.
    pass_time(site, timedelta(seconds=60))
    steps()
    assert site.row("SELECT count(*) FROM escalation WHERE place = 1")[0] == 1


def test_a_gateway_that_hangs_delays_no_step(
    site: Site, cast: Cast, people: People, amina: Actor, gateway: Gateway
) -> None:
    """The doctor is told after a minute, whatever the nurse's SMS does; an attempt ends within its lease."""
    set_up(site, people, gateway)
    reach(site, amina, "sms", NUMBER)
    chain(people, cast.achieng.ward_id, "sms")
    gateway.mood = "hang"
    sound(cast.achieng.patient_id)
    steps()
    began = clock.now()
    assert notify.drain("sms") == 0
    assert clock.now() - began < timedelta(seconds=10)
    assert states(site)[0][:4] == ("sms", 1, False, True)
    rows = site.rows("SELECT channel, next_attempt_at IS NOT NULL FROM notice ORDER BY id")
    assert ("email", True) in [tuple(row) for row in rows]


def test_secrets_are_sealed_in_the_row(site: Site, people: People, amina: Actor, gateway: Gateway) -> None:
    set_up(site, people, gateway)
    stored = json.dumps(site.row("SELECT value FROM site_setting WHERE name = 'notices'")[0])
    assert "key-of-the-site" not in stored
    assert "tk_abc" not in stored
    with db.transaction() as session:
        assert (
            gateways.gateways(session, keys=keys.of(site.config, gateways.GROUP)).sms_secret
            == "key-of-the-site"
        )
        assert gateways.gateways(session, keys=[b"0" * 32]).sms_secret == ""
