"""The finance desk: invoices under review, and the cycles they come from."""

from invoicing.cycle.admin import closes, cycles, deltas, invoices, reasons

__all__ = ["closes", "cycles", "deltas", "invoices", "reasons"]
