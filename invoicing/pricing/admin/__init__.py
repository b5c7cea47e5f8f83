"""Plans, tax rates and subscriptions in the back office."""

from invoicing.pricing.admin import plans, subscriptions, taxes

__all__ = ["plans", "subscriptions", "taxes"]
