"""Which open alerts are quiet, and why: a standby, a pause, or a device that the technical alarm speaks for,
for alarms on its values, on rules and on NEWS2 alike.

Falls, calls for help and alarms of the system are never muted. A high alarm that nobody has taken is not muted by a
silent device (decision 0009): the patient was bad when it fell silent.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from silverwatch.domain.alerts.conditions import NEWS_VITALS

NEVER: Final = ("fall", "help")

# A vital is stale as a source's silence is (`vitals.silent_after_s`); a spot value (no interval) never is. An alarm
# of a rule that is about no one vital (NEWS2, a slope) is stale with all continuous vitals that the rule watches.
_STALE: Final = (
    "CAST(:now_ms AS int8) - CAST({0} ->> 1 AS int8) > 1000 * greatest(3 * CAST({0} ->> 2 AS float8), 30)"
)
_WANTED: Final = f"""
SELECT a.id, a.muted_by, CASE
  WHEN a.subject = 'system' OR a.kind = ANY(:never) THEN NULL
  WHEN s.id IS NOT NULL THEN 'standby'
  WHEN p.id IS NOT NULL THEN 'pause'
  WHEN NOT a.technical AND (a.priority <> 'high' OR k.id IS NOT NULL)
    AND CASE WHEN a.vital IS NULL THEN w.stale
        ELSE v.latest -> a.vital ->> 2 IS NOT NULL AND {_STALE.format("(v.latest -> a.vital)")} END
    AND EXISTS (SELECT 1 FROM alert d WHERE d.patient_id = a.patient_id AND d.kind = 'device_silent'
                AND d.closed_at IS NULL) THEN 'device'
  END AS wanted
FROM alert a
LEFT JOIN pause s ON s.patient_id = a.patient_id AND s.scope = 'patient' AND s.ended_at IS NULL
LEFT JOIN pause p ON p.patient_id = a.patient_id AND p.scope = 'alarm' AND p.kind = a.kind AND p.ended_at IS NULL
LEFT JOIN vital_state v ON v.patient_id = a.patient_id
LEFT JOIN acknowledgement k ON k.alert_id = a.id AND k.ended_at IS NULL
LEFT JOIN alarm_rule r ON r.id = a.rule_id
LEFT JOIN alarm_rule_version n ON n.rule_id = r.id AND n.number = r.version
LEFT JOIN LATERAL (
  SELECT bool_and({_STALE.format("e.value")}) AS stale FROM jsonb_each(v.latest) e
  WHERE a.vital IS NULL AND a.rule_id IS NOT NULL AND e.value ->> 2 IS NOT NULL AND (
    e.key IN (SELECT x #>> '{{}}' FROM jsonb_path_query(n.rule, '$.**.vital') x)
    OR (jsonb_path_exists(n.rule, '$.**.type ? (@ == "news2" || @ == "points" || @ == "rise")') AND e.key = ANY(:news))
  )
) w ON true
WHERE a.closed_at IS NULL
"""


def differences(session: Session, *, now: datetime) -> dict[UUID, str | None]:
    """The open alerts that are not muted as they should be: alert id to by what, None for to sound."""
    params = {"never": list(NEVER), "now_ms": int(now.timestamp() * 1000), "news": sorted(NEWS_VITALS)}
    rows = session.execute(
        text(f"SELECT id, wanted FROM ({_WANTED}) w WHERE muted_by IS DISTINCT FROM wanted"), params
    )
    return {row.id: row.wanted for row in rows}


def at_raising(session: Session, *, patient_id: UUID | None, kind: str) -> str | None:
    """By what a new alert is muted from the start."""
    if patient_id is None or kind in NEVER:
        return None
    rows = session.scalars(
        text(
            "SELECT scope FROM pause WHERE patient_id = :patient AND ended_at IS NULL"
            " AND (scope = 'patient' OR kind = :kind)"
        ),
        {"patient": patient_id, "kind": kind},
    ).all()
    return "standby" if "patient" in rows else "pause" if rows else None
