"""Which rows go along when two records become one. A test asks the database for tables that nobody has thought of."""

from typing import Final

MOVED: Final = (
    "move", "binding_change", "device_event", "correction", "observation_entry", "fluid", "note", "goal",
    "assessment", "task", "handover_remark", "record_entry", "patient_change", "care_team_change", "emergency_access",
    "alert_episode", "pause", "interval_decision", "incident", "account", "alarm_rule", "quarantine",
    "medication", "medication_dose",
)  # fmt: skip
"""They say `patient_id`, and from then on that of the record that goes on."""
BY_THEMSELVES: Final = ("stay", "binding", "reading", "alert", "care_team_member")
"""They too, with a rule of their own (`merging`)."""
MADE_ANEW: Final = ("vital_state", "judge_state", "checkpoint", "rollup_minute", "rollup_hour", "rollup_due")
"""What follows from the readings: gone for the one, made anew for the other."""
LEFT: Final = ("limit_version", "scale_decision", "audit_entry")
"""Own limits and the scale of the saturation are decisions about one record: those of the record that goes on hold, the
others stay readable where they were made. The audit is never changed."""

# One of each stands: what the record that goes on has already, the other one has no longer.
SINGLE: Final = (
    "UPDATE record_entry g SET ended_at = :now, ended_by = :by, ended_because = :because"
    " WHERE g.patient_id = :gone AND g.ended_at IS NULL AND EXISTS (SELECT FROM record_entry k"
    "  WHERE k.patient_id = :kept AND k.ended_at IS NULL AND k.kind = g.kind AND k.what = g.what)",
    # "None known" of one does not outlive an allergy of the other.
    "UPDATE record_entry n SET ended_at = :now, ended_by = :by, ended_because = :because"
    " WHERE n.patient_id IN (:gone, :kept) AND n.kind = 'no_allergies' AND n.ended_at IS NULL"
    "  AND EXISTS (SELECT FROM record_entry a WHERE a.patient_id IN (:gone, :kept) AND a.kind = 'allergy'"
    "   AND a.ended_at IS NULL)",
    "UPDATE pause g SET ended_at = :now, ended_by = :by WHERE g.patient_id = :gone AND g.ended_at IS NULL"
    " AND EXISTS (SELECT FROM pause k WHERE k.patient_id = :kept AND k.ended_at IS NULL AND k.scope = g.scope"
    "  AND k.kind IS NOT DISTINCT FROM g.kind)",
    "UPDATE interval_decision g SET ended_at = :now, ended_by = :by WHERE g.patient_id = :gone AND g.ended_at IS NULL"
    " AND EXISTS (SELECT FROM interval_decision k WHERE k.patient_id = :kept AND k.ended_at IS NULL)",
    "INSERT INTO care_team_member (patient_id, account_id, added_at)"
    " SELECT :kept, account_id, added_at FROM care_team_member WHERE patient_id = :gone ON CONFLICT DO NOTHING",
    "DELETE FROM care_team_member WHERE patient_id = :gone",
    # A record that was merged into this one before.
    "UPDATE patient SET merged_into = :kept WHERE merged_into = :gone",
)
