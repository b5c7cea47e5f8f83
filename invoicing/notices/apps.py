"""Telling people and systems what happened."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "invoicing.notices"
    label = "notices"
