"""Firings of alerts: read only."""

from invoicing.alerts.admin import firings

__all__ = ["firings"]
