"""Plans, tax rates and subscriptions in the back office."""

from invoicing.pricing.admin import plan_versions, plans, subscriptions, taxes

__all__ = ["plan_versions", "plans", "subscriptions", "taxes"]
