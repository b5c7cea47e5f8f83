"""What each customer owes or will owe by now."""

from django.apps import AppConfig


class ExposureConfig(AppConfig):
    name = "invoicing.exposure"
    label = "exposure"
