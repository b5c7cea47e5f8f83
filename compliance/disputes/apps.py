"""What customers contest, and what came of it."""

from django.apps import AppConfig


class DisputesConfig(AppConfig):
    name = "compliance.disputes"
    label = "disputes"
