"""Double entry: what final invoices mean for the books."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "invoicing.ledger"
    label = "ledger"
