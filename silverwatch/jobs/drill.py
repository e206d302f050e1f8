"""`silverwatch drill`: raise a test alarm, follow it from its row to the people, record it, and say how it went."""

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import select

from silverwatch import clock, db
from silverwatch.config import Config, ConfigError
from silverwatch.domain.errors import DomainError
from silverwatch.domain.notices import drills
from silverwatch.domain.notices.models import Drill
from silverwatch.domain.wards.models import Ward
from silverwatch.jobs.boot import boot

LOOK_EVERY_S: Final = 0.5
Say = Callable[[str], None]


def run(config: Config, *, ward: str | None, wait_s: float, say: Say) -> int:
    """A drill in this ward, or in every one; 0 when all passed. Without a scheduler that works it fails."""
    boot(config)
    with db.transaction(read_only=True) as session:
        query = select(Ward).order_by(Ward.name)
        wards = list(session.scalars(query.where(Ward.slug == ward) if ward else query))
    if not wards:
        raise ConfigError(f"there is no ward {ward!r}" if ward else "there is no ward yet")
    passed = [_one(one, wait_s=wait_s, say=say) for one in wards]
    return 0 if all(passed) else 1


def _one(ward: Ward, *, wait_s: float, say: Say) -> bool:
    try:
        with db.transaction() as session:
            drill_id = drills.begin(session, ward.id, by=None, now=clock.now()).id
    except DomainError as error:
        say(f"{ward.name}: {error}")
        return False
    say(f"DRILL in {ward.name}")
    until, shown = time.monotonic() + wait_s, set()
    while True:
        give_up = time.monotonic() >= until
        with db.transaction() as session:
            drill = session.get_one(Drill, drill_id, with_for_update=True)
            if drill.ended_at is None:
                drills.look(session, drill, now=clock.now(), give_up=give_up)
            lines, ended, passed = drills.lines_of(drill), drill.ended_at is not None, drill.passed
        for line in lines:
            if line.what not in shown and (ended or line.after_s is not None):
                shown.add(line.what)
                after = f"{line.after_s:6.2f} s" if line.after_s is not None else "       –"
                mark = "ok  " if line.ok else "FAIL"
                say(f"  {mark} {after}  {line.what}{': ' + line.detail if line.detail else ''}")
        if ended:
            say(f"{ward.name}: {'passed' if passed else 'FAILED'}")
            return bool(passed)
        time.sleep(LOOK_EVERY_S)
