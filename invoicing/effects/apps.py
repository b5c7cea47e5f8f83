"""What a change would have cost whom, before it is made, and moves of many subscriptions."""

from django.apps import AppConfig


class EffectsConfig(AppConfig):
    name = "invoicing.effects"
    label = "effects"
    verbose_name = "Effects of changes"
