"""How a notice leaves: its text, and the gateway of its channel as the site has set it up."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from silverwatch import clock, db, keys
from silverwatch.adapters import mail, notify
from silverwatch.adapters.notify import NotTakenError, PushServer, SmsGateway
from silverwatch.config import Config
from silverwatch.domain.accounts import codes
from silverwatch.domain.notices import gateways
from silverwatch.domain.notices.addresses import ToVerify
from silverwatch.domain.notices.gateways import Gateways
from silverwatch.domain.notices.ready import TEST, Ready
from silverwatch.web import letters

_base_url = ""
_keys: list[bytes] = []


def configure(config: Config) -> None:
    """How people reach the site, and what opens the secrets of its gateways."""
    global _base_url
    _base_url = config.base_url
    letters.configure(_base_url)
    _keys[:] = keys.of(config, gateways.GROUP)


def text_of(ready: Ready) -> tuple[str, str]:
    """Subject and body, in the language of who is told."""
    name = "notice_test" if ready.kind == TEST else "notice"
    return letters.plain(name, language=ready.language, notice=ready, base_url=_base_url)


def send(ready: Ready) -> None:
    """Make the attempt; raises NotTakenError."""
    subject, body = text_of(ready)
    SENDERS[ready.channel](ready, subject, body)


def send_code(new: ToVerify, *, language: str) -> None:
    """Send the code that verifies an address; raises NotTakenError."""
    subject, body = letters.plain("address_code", language=language, code=new.code, base_url=_base_url)
    now = clock.now()
    if new.channel == "email":
        # A letter like any other: the web process itself sends none.
        with db.transaction() as session:
            letters.tell(
                session, to=new.address, letter="address_code", now=now, language=language, code=new.code,
                base_url=_base_url,
            )  # fmt: skip
    elif new.channel == "sms":
        notify.send_sms(_sms(), to=new.address, text=subject)
    elif new.channel == "push":
        notify.send_push(_push(), topic=new.address, title=subject, text=body, urgent=False)
    else:
        said = {"type": "address.verification", "timestamp": now.isoformat(), "data": {"code": new.code}}
        notify.call_webhook(
            new.address,
            hosts=_site().webhook_hosts,
            secret=new.secret or b"",
            message_id=clock.new_id(),
            at=now,
            body=said,
        )


def _site() -> Gateways:
    with db.transaction(read_only=True) as session:
        return gateways.gateways(session, keys=_keys)


def _by_mail(ready: Ready, subject: str, body: str) -> None:
    _mail(ready.id, ready.address, subject, body)


def _mail(message_id: UUID, to: str, subject: str, body: str) -> None:
    mailer = mail.current()
    if mailer is None:
        raise NotTakenError("No mail server is set up (SMTP_URL).", for_good=True)
    try:
        mailer.send(mail.Posted(id=message_id, to=to, subject=subject, body=body, written_at=clock.now()))
    except mail.MailError as error:
        raise NotTakenError(str(error), for_good=isinstance(error, mail.Refused)) from error


def _by_sms(ready: Ready, subject: str, body: str) -> None:
    # What fits into one SMS: what it is, where to look, and whether it may be a repeat.
    repeat = " (repeat?)" if ready.repeat else ""
    link = body.rsplit("\n", 1)[-1]
    notify.send_sms(_sms(), to=ready.address, text=f"{subject}{repeat} {link}")


def _sms() -> SmsGateway:
    site = _site()
    if site.sms_kind not in gateways.SMS_KINDS:
        raise NotTakenError("The site has no gateway for SMS.", for_good=True)
    return SmsGateway(
        kind=site.sms_kind,  # type: ignore[arg-type]
        user=site.sms_user,
        secret=site.sms_secret,
        sender=site.sms_sender,
        url=site.sms_url,
    )


def _by_push(ready: Ready, subject: str, body: str) -> None:
    notify.send_push(_push(), topic=ready.address, title=subject, text=body, urgent=ready.priority == "high")


def _push() -> PushServer:
    site = _site()
    if not site.push_url:
        raise NotTakenError("The site has no push server.", for_good=True)
    return PushServer(url=site.push_url, token=site.push_token)


def _by_webhook(ready: Ready, subject: str, _: str) -> None:
    opened = codes.unseal(ready.secret or b"", keys=_keys, about=(ready.address_id or ready.id).bytes)
    if opened is None:
        raise NotTakenError("The secret of this webhook cannot be read. Add the address anew.", for_good=True)
    data = {
        "alert_id": str(ready.alert_id) if ready.alert_id else None,
        "priority": ready.priority,
        "technical": ready.technical,
        "kind": ready.kind,
        "ward": ready.ward_slug,
        "bed": ready.bed,
        "raised_at": ready.raised_at.isoformat(),
        "attempt_may_repeat": ready.repeat,
        "text": subject,
    }
    what = "test.notice" if ready.kind == TEST else "alert.notice"
    notify.call_webhook(
        ready.address, hosts=_site().webhook_hosts, secret=opened.text, message_id=ready.id, at=clock.now(),
        body={"type": what, "timestamp": ready.created_at.isoformat(), "data": data},
    )  # fmt: skip


SENDERS: Final[dict[str, Callable[[Ready, str, str], None]]] = {
    "email": _by_mail,
    "sms": _by_sms,
    "push": _by_push,
    "webhook": _by_webhook,
}
