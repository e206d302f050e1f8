"""Every table, imported once: for migrations and for whoever needs the whole metadata."""

from silverwatch.db import Base
from silverwatch.domain import events, throttle
from silverwatch.domain.accounts import models as accounts
from silverwatch.domain.alerts import care_models as care
from silverwatch.domain.alerts import chain_models as chains
from silverwatch.domain.alerts import decisions, rule_models
from silverwatch.domain.alerts import limit_models as limits
from silverwatch.domain.alerts import models as alerts
from silverwatch.domain.audit import models as audit
from silverwatch.domain.devices import binding_models as bindings
from silverwatch.domain.devices import check_models as checks
from silverwatch.domain.devices import models as devices
from silverwatch.domain.devices import pairing_models as pairings
from silverwatch.domain.mail import models as mail
from silverwatch.domain.notices import models as notices
from silverwatch.domain.readings import models as readings
from silverwatch.domain.records import dose_models as doses
from silverwatch.domain.records import medication_models as medications
from silverwatch.domain.records import models as records
from silverwatch.domain.records import move_models as moves
from silverwatch.domain.records import plan_models, record_models
from silverwatch.domain.settings import models as settings
from silverwatch.domain.wards import models as wards

metadata = Base.metadata

__all__ = [
    "accounts", "alerts", "audit", "bindings", "care", "chains", "checks", "decisions", "devices", "doses", "events",
    "limits", "mail", "medications", "metadata", "moves", "notices", "pairings", "plan_models", "readings",
    "record_models", "records", "rule_models", "settings", "throttle", "wards",
]  # fmt: skip
