"""What a policy wants people to be told."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "invoicing.alerts"
    label = "alerts"
