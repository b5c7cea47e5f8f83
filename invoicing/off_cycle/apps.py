"""When what was used is invoiced before its period ends."""

from django.apps import AppConfig


class OffCycleConfig(AppConfig):
    name = "invoicing.off_cycle"
    label = "off_cycle"
