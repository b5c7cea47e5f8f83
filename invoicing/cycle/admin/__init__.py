"""The finance desk: invoices under review, and the cycles they come from."""

from invoicing.cycle.admin import backfills, breaks, bulk_reviews, closes, cycles, deltas, invoices, reasons, stopped

__all__ = ["backfills", "breaks", "bulk_reviews", "closes", "cycles", "deltas", "invoices", "reasons", "stopped"]
