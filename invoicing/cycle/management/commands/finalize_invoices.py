"""`finalize_invoices [--customer CODE …]`: issue every approved invoice, in the order of approval."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import money
from core.errors import DomainError
from invoicing.cycle import due, finalize, queries

BAD_INPUT = 2


class Command(BaseCommand):
    """Each invoice in a transaction of its own; one that is refused is named, and the others go on."""

    help = "Finalize approved invoices: they get their numbers and never change again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", action="append", metavar="CODE", help="Only this customer; may be repeated.")

    def handle(self, *args: Any, **options: Any) -> None:
        codes = options["customer"]
        try:
            due.require_known(codes or [])
        except DomainError as error:
            raise CommandError(error.message, returncode=BAD_INPUT) from error
        refused = 0
        for invoice_id in queries.approved_invoice_ids(customer_codes=codes):
            try:
                invoice = finalize.finalize_invoice(invoice_id=invoice_id, actor=None, at=timezone.now())
            except DomainError as error:
                refused += 1
                self.stderr.write(f"invoice {invoice_id}: {error.message}")
            else:
                total = money.amount_text(invoice.total, currency=invoice.currency)
                self.stdout.write(f"{invoice.number} {invoice.customer.code} {total} {invoice.currency}")
        if refused:
            sys.exit(1)
