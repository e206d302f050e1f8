"""How often a stranger may make us write letters. The caller commits, before the letter is written."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from silverwatch.domain import audit, throttle
from silverwatch.domain.accounts.signing import TooMany, network_of, plain_email
from silverwatch.domain.throttle import Limit

HOUR: Final = timedelta(hours=1)
BY_EMAIL_AND_NETWORK: Final = Limit(name="letter, address and network", tries=5, per=HOUR)
BY_NETWORK: Final = Limit(name="letter, network", tries=20, per=HOUR)


def ask_for_letter(
    session: Session, *, action: str, email: str, address: str | None, now: datetime
) -> TooMany | None:
    """May somebody at this network address have a letter sent to this e-mail address, known or not?

    Nobody can use up what the person themselves may ask for from elsewhere. The refusal is in the audit as
    `action`.
    """
    email, network = plain_email(email), network_of(address)
    for limit, who in ((BY_EMAIL_AND_NETWORK, (email, network)), (BY_NETWORK, (network,))):
        wait_s = throttle.take(session, limit, *who, now=now)
        if wait_s is not None:
            audit.record(session, action, outcome="refused", detail={"because": "too many tries"})
            return TooMany(wait_s=wait_s)
    return None
