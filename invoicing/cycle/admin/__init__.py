"""The finance desk: invoices under review, and the cycles they come from."""

from invoicing.cycle.admin import cycles, invoices

__all__ = ["cycles", "invoices"]
