"""Replay sets, runs in a database of their own, and what they stand in the way of."""

from django.apps import AppConfig


class ReplayConfig(AppConfig):
    name = "invoicing.replay"
    label = "replay"
    verbose_name = "Replay"

    def ready(self) -> None:
        """Stand in the way of what was not replayed."""
        from invoicing.replay import gate  # noqa: PLC0415  models are not there before

        gate.register()
