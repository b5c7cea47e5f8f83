"""What usage costs, and how that was computed."""

from django.apps import AppConfig


class RatingConfig(AppConfig):
    name = "invoicing.rating"
    label = "rating"

    def ready(self) -> None:
        from invoicing.rating import personal  # noqa: PLC0415  models are there only now

        personal.register()
