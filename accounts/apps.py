"""Who we bill, and who works here."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
