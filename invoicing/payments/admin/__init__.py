"""The back office of payments: what came in, what became of it, and what gateways told."""

from invoicing.payments.admin import events, payments

__all__ = ["events", "payments"]
