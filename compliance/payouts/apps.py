"""What may move, and why it may."""

from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "compliance.payouts"
    label = "payouts"
