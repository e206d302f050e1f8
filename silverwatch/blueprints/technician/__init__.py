"""Pages of technicians: devices and beds, never names."""

from flask import Blueprint

from silverwatch.blueprints.technician import device, devices

blueprint = Blueprint("technician", __name__)

for part in (devices, device):
    part.register(blueprint)
