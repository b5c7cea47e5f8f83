"""What customers see of themselves."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "invoicing.portal"
    label = "portal"
