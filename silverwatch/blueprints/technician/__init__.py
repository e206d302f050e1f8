"""Pages of technicians: devices and beds, never names."""

from flask import Blueprint

from silverwatch.blueprints.technician import (
    binding,
    checks,
    device,
    device_import,
    devices,
    diagnostics,
    faults,
    kept,
    keys,
    labels,
    pairing,
)

blueprint = Blueprint("technician", __name__)

for part in (
    devices, device, binding, device_import, labels, diagnostics, kept, pairing, keys, checks, faults,
):  # fmt: skip
    part.register(blueprint)
