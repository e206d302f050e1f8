"""What each action of the audit is called. English; templates translate it."""

from collections.abc import Mapping
from typing import Any, Final

VIEWS: Final[Mapping[str, str]] = {
    "ward": "Look at the ward board",
    "patient": "Open the page of a patient",
    "observations": "Open the form for observations",
    "limits": "Look at the alarm limits of a patient",
    "notes": "Read the notes about a patient",
    "history": "Read what happened to a patient",
    "patients": "Find patients in the list",
    "record": "Read the record of a patient",
    "care team": "Look at the care team of a patient",
    "possible duplicates": "See who is registered already",
    "handover": "Read the sheet of a handover",
    "rounds": "Look at their round",
    "shift": "Look at their patients of the shift",
    "beds": "Look at the beds of a shift",
    "diagnostics": "Read what a device sent that was refused",
    "wards": "Compare their wards",
    "tasks": "Look at the tasks of a patient",
    "audit": "Read the audit",
    "list of observations": "Read the observations of a patient",
    "fluids": "Read the fluids of a patient",
    "decisions": "Read decisions about NEWS2",
    "emergencies": "Read the emergency accesses",
    "invitation of a patient": "Look up a patient to invite",
    "alarm load": "Read the alarm load",
    "approval of an account": "Look up a patient to approve an account",
    "alarm": "Open an alarm",
    "my-alarms": "Look at the alarms of their beds",
    "incident": "Read the report of an incident",
    "incidents": "Read the list of incidents",
    "pauses": "Look at the pauses of a patient",
}

ACTIONS: Final[Mapping[str, str]] = {
    "access.refused": "Ask for what is not theirs",
    "account.changed": "Change an account",
    "account.confirmed": "Confirm an e-mail address",
    "account.created": "Create an account",
    "account.deactivated": "Deactivate an account",
    "account.invited": "Invite a person",
    "account.approved": "Approve an account",
    "account.reactivated": "Reactivate an account",
    "account.registered": "Register as a patient",
    "account.role_changed": "Change a role",
    "account.wards_changed": "Change the wards of an account",
    "address.added": "Add an address for notices",
    "address.code_failed": "Send a code to an address for notices",
    "address.removed": "Remove an address for notices",
    "address.verified": "Verify an address for notices",
    "alert.acknowledged": "Acknowledge an alarm",
    "alert.escalation_undone": "Undo an escalation",
    "alert.escalated": "Take the next step of an alarm at once",
    "alert.answered": "Say what was done about an alarm",
    "alert.resolved": "Resolve an alarm",
    "api_key.created": "Make a key for a program",
    "api_key.revoked": "Revoke the key of a program",
    "audit.exported": "Export the audit",
    "care_team.joined": "Add somebody to a care team",
    "care_team.left": "Remove somebody from a care team",
    "chain.changed": "Change a chain of escalation",
    "contact.added": "Add an emergency contact",
    "contact.removed": "Remove an emergency contact",
    "beds.given_back": "Give beds back",
    "beds.taken": "Take beds for the shift",
    "device.added": "Add a device",
    "device.changed": "Change how a device is set",
    "device.retired": "Retire a device",
    "device.code_made": "Make a code to pair a device",
    "device.paired": "Pair a device",
    "device_key.made": "Make a key of a device",
    "device_key.revoked": "Revoke keys of a device",
    "display.added": "Add a wall screen",
    "display.code_made": "Make a code for a wall screen",
    "display.paired": "Pair a wall screen",
    "display.revoked": "Revoke a wall screen",
    "drill.begun": "Run a drill",
    "duty.accepted": "Accept duty in a ward",
    "duty.handed_over": "End duty in a ward",
    "duty.usual_changed": "Change the usual duty of a person",
    "email.change_requested": "Ask for another e-mail address",
    "email.changed": "Change the e-mail address",
    "emergency.begun": "Open a record in an emergency",
    "emergency.ended": "End an emergency access",
    "emergency.reviewed": "Review an emergency access",
    "fluids.corrected": "Correct an entry of fluids",
    "fluids.exported": "Save the fluids of a patient as a file",
    "fluids.recorded": "Record fluids",
    "gateway.reach_changed": "Change which devices a gateway speaks for",
    "handover.accepted": "Accept duty and keep the sheet",
    "handover.remarked": "Write for the next shift",
    "incident.changed": "Change the report of an incident",
    "incident.closed": "Close an incident",
    "incident.reported": "Report an incident",
    "invitation.accepted": "Accept an invitation",
    "limits.changed": "Change alarm limits",
    "note.changed": "Change a note",
    "note.struck_out": "Strike out a note",
    "note.written": "Write a note",
    "observation_interval.decided": "Decide how often to observe",
    "observation_interval.ended": "End a decision about observing",
    "observations.corrected": "Correct observations",
    "observations.exported": "Save the observations of a patient as a file",
    "observations.recorded": "Record observations",
    "patient.changed": "Change the details of a patient",
    "patient.registered": "Register a patient",
    "password.changed": "Change the password",
    "password.reset": "Choose a new password by e-mail",
    "password.reset_requested": "Ask for a new password",
    "pause.begun": "Pause alarms",
    "pause.ended": "End a pause of alarms",
    "photo.changed": "Change the photo",
    "photo.removed": "Remove the photo",
    "pin.removed": "Remove the PIN",
    "pin.set": "Set the PIN",
    "quiet_hours.changed": "Change the quiet hours",
    "record.viewed": "Look at data of patients",
    "record.added": "Add to the record of a patient",
    "record.ended": "End an entry of a record",
    "recovery_codes.made": "Make recovery codes",
    "rule.changed": "Change an alarm rule",
    "rule.made": "Make an alarm rule",
    "rule.retired": "Retire an alarm rule",
    "second_factor.reset": "Reset a second factor",
    "second_factor.set_up": "Set up the second factor",
    "second_factor.turned_off": "Turn the second factor off",
    "session.ended": "Sign out, or end a session",
    "session.locked": "Lock the screen",
    "session.opened": "Sign in",
    "session.proved": "Give the password again",
    "session.second_factor": "Give the code",
    "session.unlocked": "Unlock the screen",
    "settings.changed": "Change the settings",
    "scale.decided": "Decide the NEWS2 scale of the saturation",
    "shift.cancelled": "Cancel a planned shift",
    "shift.planned": "Plan a shift",
    "task.added": "Add a task for a patient",
    "task.cancelled": "Cancel a task",
    "task.done": "Do a task",
    "task.reopened": "Undo that a task is done",
    "token.reused": "Use a refresh token twice",
    "units.chosen": "Choose units",
    "trends.exported": "Save the readings of a patient as a file",
}


def sentence(action: str, detail: Mapping[str, Any]) -> str:
    """What was done, in a few words; the dotted name of an action that has none."""
    if action == "record.viewed" and detail.get("view") in VIEWS:
        return VIEWS[str(detail["view"])]
    return ACTIONS.get(action, action)


def remarks(action: str, detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the detail says besides: names and values as short texts."""
    known = {"view"} if action == "record.viewed" and detail.get("view") in VIEWS else set()
    return [
        (name.replace("_", " "), _short(value))
        for name, value in detail.items()
        if name not in known and value not in (None, "", [], {})
    ]


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
