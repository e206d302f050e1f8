"""The gateways of a site: over whom SMS, pushes and webhooks go out. The caller commits.

Secrets are sealed with a key derived from the site's; they never come back to a form.
"""

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from silverwatch.domain.accounts import codes
from silverwatch.domain.settings.models import SiteSetting

GROUP: Final = "notices"
SMS_KINDS: Final = ("africas_talking", "twilio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateways:
    """What is set up; empty texts are not. `sms_secret` and `push_token` are plain here and sealed in the row.

    `webhook_hosts`: the only hosts that webhooks may call. `drill_hour`: the hour of the day, by the clock of the
    site, at which a drill runs in each ward by itself; None for never.
    """

    sms_kind: str = ""
    sms_user: str = ""
    sms_secret: str = ""
    sms_sender: str = ""
    sms_url: str = ""
    push_url: str = ""
    push_token: str = ""
    webhook_hosts: tuple[str, ...] = ()
    drill_hour: int | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that somebody can choose."""
        found = [("push", self.push_url), ("sms", self.sms_kind), ("webhook", self.webhook_hosts)]
        return ("email", *(name for name, is_set in found if is_set))


SECRETS: Final = ("sms_secret", "push_token")


def gateways(session: Session, *, keys: Sequence[bytes]) -> Gateways:
    """The gateways; a secret that was sealed with a key that is gone is empty."""
    row = session.get(SiteSetting, GROUP)
    if row is None:
        return Gateways()
    values: dict[str, Any] = {**row.value, "webhook_hosts": tuple(row.value.get("webhook_hosts", ()))}
    for name in SECRETS:
        values[name] = _open(values.get(name, ""), name, keys=keys)
    return Gateways(**values)


def drill_hour(session: Session) -> int | None:
    """The hour of the daily drill; needs no key."""
    row = session.get(SiteSetting, GROUP)
    return row.value.get("drill_hour") if row else None


def set_gateways(
    session: Session, wanted: Gateways, *, keys: Sequence[bytes], by: UUID | None, now: datetime
) -> None:
    """Change them."""
    sealed = replace(
        wanted,
        **{name: _seal(getattr(wanted, name), name, keys=keys) for name in SECRETS},  # type: ignore[arg-type]
    )
    values = {"value": asdict(sealed), "changed_at": now, "changed_by": by}
    row = insert(SiteSetting).values(name=GROUP, **values)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))


def _seal(text: str, name: str, *, keys: Sequence[bytes]) -> str:
    if not text:
        return ""
    return base64.b64encode(codes.seal(text.encode(), keys=keys, about=name.encode())).decode()


def _open(sealed: str, name: str, *, keys: Sequence[bytes]) -> str:
    if not sealed:
        return ""
    opened = codes.unseal(base64.b64decode(sealed), keys=keys, about=name.encode())
    return opened.text.decode() if opened else ""
