"""Invoices as documents."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "invoicing.documents"
    label = "documents"
