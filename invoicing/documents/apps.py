"""Invoices as documents."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "invoicing.documents"
    label = "documents"
    verbose_name = "Documents"

    def ready(self) -> None:
        from invoicing.documents import checks  # noqa: F401, PLC0415  importing registers it, once apps are loaded
