"""What devices there are. `device.kind` is one of these; what a site had before keeps its own word."""

from typing import Final

GATEWAY: Final = "gateway"
KINDS: Final = (
    "heart_monitor",
    "temperature_sensor",
    "motion_sensor",
    "blood_pressure_monitor",
    "wearable",
    GATEWAY,
)
SENSITIVITIES: Final = ("low", "normal", "high")
USUAL_INTERVAL_S: Final = {
    "heart_monitor": 2.0,
    "temperature_sensor": 600.0,
    "motion_sensor": 30.0,
    "blood_pressure_monitor": 1800.0,
    "wearable": 4.0,
    GATEWAY: 60.0,
}
"""How often each is expected to send, where nobody says otherwise."""
