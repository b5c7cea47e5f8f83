"""Replay sets, runs in a database of their own, and what they stand in the way of."""

from django.apps import AppConfig


class ReplayConfig(AppConfig):
    name = "invoicing.replay"
    label = "replay"
    verbose_name = "Replay"
