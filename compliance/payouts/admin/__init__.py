"""The back office of those who decide gates and let money go."""

from compliance.payouts.admin import batches, gates, payables, payees

__all__ = ["batches", "gates", "payables", "payees"]
