"""What usage costs, and how that was computed."""

from django.apps import AppConfig


class RatingConfig(AppConfig):
    name = "invoicing.rating"
    label = "rating"
