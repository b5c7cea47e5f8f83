"""The ground of the project."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
