"""What comes due is told in time: checks of devices, to the technicians who keep them."""

from silverwatch import clock, db
from silverwatch.domain.devices import check_list
from silverwatch.web import letters

SERIALS_SHOWN = 20


def checks() -> None:
    """One letter to each technician for all that comes within a week and was not told yet."""
    now = clock.now()
    with db.transaction() as session:
        for row in check_list.take_reminders(session, now=now):
            serials = sorted(row.serials)
            letters.tell(
                session, to=row.email, letter="checks_due", now=now, language=row.language, checks=row.checks,
                first_at=row.first_at, serials=", ".join(serials[:SERIALS_SHOWN]),
                others=max(len(serials) - SERIALS_SHOWN, 0),
            )  # fmt: skip
