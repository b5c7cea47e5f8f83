"""Plans, invoice terms, tax rates and subscriptions in the back office."""

from invoicing.pricing.admin import invoice_terms, plan_versions, plans, subscriptions, taxes

__all__ = ["invoice_terms", "plan_versions", "plans", "subscriptions", "taxes"]
