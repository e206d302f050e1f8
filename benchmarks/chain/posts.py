"""A device that posts a breach and sends the same words again until it is answered."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.place import Bedside
from silverwatch import clock

AGAIN_S: Final = 0.05
TIMEOUT_S: Final = 4.0
ANSWERED_WITHIN_S: Final = 60.0
BREACH: Final = {"oxygen_saturation": 75, "heart_rate": 92}
"""Below the critical limit: an alarm at once."""


class Breaches:
    """One post for each of these patients, each from a thread of its own; when each was acknowledged."""

    def __init__(self, port: int, beds: Sequence[Bedside]) -> None:
        self.acknowledged: dict[str, float] = {}
        self.sent_at = time.time()
        self._port = port
        self._threads = [threading.Thread(target=self._deliver, args=(bed,), daemon=True) for bed in beds]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until all are answered; raises RuntimeError when one is not."""
        until = time.monotonic() + ANSWERED_WITHIN_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if len(self.acknowledged) < len(self._threads):
            raise RuntimeError(f"{len(self._threads) - len(self.acknowledged)} posts were never answered")

    def _deliver(self, bed: Bedside) -> None:
        body = json.dumps({"measured_at": clock.now().isoformat(), **BREACH})
        headers = {"Authorization": f"Bearer {bed.key}", "Content-Type": "application/json"}
        until = time.monotonic() + ANSWERED_WITHIN_S
        while time.monotonic() < until:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
            try:
                connection.request("POST", "/api/readings/", body, headers)
                answer = connection.getresponse()
                if answer.status == 200:
                    # A resend of what was stored before the answer was lost counts as a duplicate.
                    said = json.loads(answer.read())
                    assert said["stored"] + said["duplicates"] == 1, said
                    self.acknowledged[str(bed.patient_id)] = time.time()
                    return
                assert answer.status >= 500 or answer.status == 429, answer.read()
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(AGAIN_S)
