"""From closed periods to final invoices."""

from django.apps import AppConfig


class CycleConfig(AppConfig):
    name = "invoicing.cycle"
    label = "cycle"
    verbose_name = "Invoicing"
