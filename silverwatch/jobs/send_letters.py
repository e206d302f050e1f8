"""Send the letters that wait. An attempt is committed before it is made, its outcome after it.

So whoever dies in between sends one letter twice at most (under the same Message-ID) and loses none.
"""

import logging
import threading
import time
from datetime import timedelta
from typing import Final

from silverwatch import clock, db, flow
from silverwatch.adapters import job_queue, mail
from silverwatch.domain.alerts import parts
from silverwatch.domain.mail import service
from silverwatch.jobs import heart

log = logging.getLogger(__name__)

BUDGET_S: Final = 30.0
"""The job ends by itself before its time is over: cut off, it would send a letter twice."""
EVERY_S: Final = 5.0
UNSENT: Final = timedelta(seconds=5)


def send() -> None:
    """The job behind the bell. The bell goes down first: what is written from now on rings again."""
    queue = job_queue.current()
    if queue is not None:
        queue.answer_bell(flow.SEND_LETTERS)
    drain()


def run(stop: threading.Event) -> None:
    """Send what no worker sent in time, and what is tried again, until told to stop."""
    while not stop.is_set():
        heart.beat(parts.LETTERS)
        try:
            drain(older=UNSENT, stop=stop)
        except db.UNAVAILABLE as error:
            log.warning("letters: the database is away (%s)", type(error).__name__)
        except Exception:
            log.exception("letters: sending failed")
        stop.wait(EVERY_S)


def drain(*, older: timedelta = timedelta(0), stop: threading.Event | None = None) -> int:
    """Send what has been due for so long, one after the other; gives how many the server took.

    Stops when the server takes nothing at all: the others need no attempt of their own to learn that.
    """
    mailer, until, taken = mail.current(), time.monotonic() + BUDGET_S, 0
    stop = stop or threading.Event()
    while mailer is not None and time.monotonic() < until and not stop.is_set():
        now = clock.now()
        with db.transaction() as session:
            letter = service.claim(session, now=now, before=now - older)
        if letter is None:
            break
        posted = mail.Posted(
            id=letter.id,
            to=letter.address,
            subject=letter.subject,
            body=letter.body,
            written_at=letter.created_at,
        )
        try:
            _send(mailer, posted)
            taken += 1
        except mail.Away:
            break
        except mail.MailError:
            continue
    return taken


def _send(mailer: mail.Mailer, letter: mail.Posted) -> None:
    """One attempt, and what came of it. Raises MailError when the letter was not taken, after noting it."""
    try:
        mailer.send(letter)
    except job_queue.Interrupted:
        raise
    except mail.MailError as error:
        _note_failure(letter, error)
        raise
    except Exception as error:
        log.exception("letters: sending %s failed", letter.id)
        _note_failure(letter, mail.MailError(f"Our own mistake ({type(error).__name__}): see the log."))
        raise mail.MailError from error
    with db.transaction() as session:
        service.sent(session, letter.id, now=clock.now())


def _note_failure(letter: mail.Posted, error: mail.MailError) -> None:
    for_good = isinstance(error, mail.Refused)
    with db.transaction() as session:
        again = service.failed(session, letter.id, error=str(error), now=clock.now(), for_good=for_good)
    then = f"tried again at {again:%H:%M:%S} UTC" if again else "given up"
    log.warning("letters: %s was not taken (%s): %s", letter.id, error, then)
