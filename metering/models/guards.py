"""Triggers that several tables of metering share."""

from core.models import APPEND_ONLY

NO_TRUNCATE = next(trigger for trigger in APPEND_ONLY if trigger.name == "no_truncate")
