"""Posts that come while somebody changes who wears the device, without a lock as plain ones do (decision 0008)."""

import threading
import time

from silverwatch import clock
from silverwatch.domain.access import Actor
from tests.binding.ward import put_on, take_off
from tests.cast import Cast
from tests.conftest import Site

CHANGES = 30
STRAY = """
SELECT count(*) FROM reading r WHERE r.source_id = %s AND NOT EXISTS (
  SELECT FROM binding b WHERE b.device_id = r.source_id AND b.patient_id = r.patient_id AND b.during @> r.measured_at)
"""
LEFT_BEHIND = """
SELECT count(*) FROM quarantine q JOIN binding b ON b.device_id = q.device_id AND b.during @> q.measured_at
WHERE q.device_id = %s AND q.code = 'unbound' AND q.decided_at IS NULL
"""


def test_no_post_slips_past_a_change(site: Site, cast: Cast, nurse: Actor) -> None:
    device, key = cast.spare_id, cast.spare_key
    stop, sent, answers = threading.Event(), [], []

    def post() -> None:
        client = site.app.test_client()
        while not stop.is_set():
            at = clock.now()
            answer = client.post(
                "/api/readings/",
                json={"measured_at": at.isoformat(), "heart_rate": 70},
                headers={"Authorization": f"Bearer {key}"},
            )
            sent.append(at)
            answers.append(answer.status_code)
            stop.wait(0.005)

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(CHANGES):
        who = (cast.achieng, cast.baraka)[number % 2]
        put_on(nurse, device, who.patient_id, start=clock.now())
        time.sleep(0.1)
        take_off(nurse, device, at=clock.now())
    stop.set()
    for thread in threads:
        thread.join(30)
    assert set(answers) <= {200, 503, 429}
    stored = site.row("SELECT count(*) FROM reading WHERE source_id = %s", device)[0]
    kept = site.row("SELECT count(*) FROM quarantine WHERE device_id = %s AND decided_at IS NULL", device)[0]
    assert stored + kept == answers.count(200)
    assert stored > 0
    assert site.row(STRAY, device) == (0,)
    assert site.row(LEFT_BEHIND, device) == (0,)
