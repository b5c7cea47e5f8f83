"""The metering desk: contracts, meters, quarantine, and the facts that capture and aggregation left."""

from metering.admin import contracts, facts, health, health_policies, meter_versions, meters, quarantine, webhooks

__all__ = ["contracts", "facts", "health", "health_policies", "meter_versions", "meters", "quarantine", "webhooks"]
