"""What was agreed."""

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "invoicing.pricing"
    label = "pricing"
    verbose_name = "Prices and subscriptions"
