"""What triggers what, and the three people who signed it."""

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "invoicing.policy"
    label = "policy"
