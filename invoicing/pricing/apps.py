"""What was agreed."""

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "invoicing.pricing"
    label = "pricing"
