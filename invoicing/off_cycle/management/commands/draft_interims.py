"""`draft_interims [--customer CODE …]`: draft every interim invoice whose amount is reached, by counting."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Customer
from core import money
from core.errors import DomainError
from invoicing.cycle import due, off_cycle
from invoicing.cycle.models import Invoice

BAD_INPUT = 2


class Command(BaseCommand):
    """What the worker does by itself every few seconds from sums of usage, done now from the events."""

    help = "Draft interim invoices where the policy in force says so and their amount is reached."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", action="append", metavar="CODE", help="Only this customer; may be repeated.")

    def handle(self, *args: Any, **options: Any) -> None:
        codes = options["customer"]
        try:
            due.require_known(codes or [])
            ids = None if codes is None else list(Customer.objects.filter(code__in=codes).values_list("pk", flat=True))
            report = off_cycle.draft_interims(customer_ids=ids, at=timezone.now())
        except DomainError as error:
            raise CommandError(error.message, returncode=BAD_INPUT) from error
        for invoice in Invoice.objects.filter(pk__in=report.invoice_ids).select_related("customer").order_by("pk"):
            total = money.amount_text(invoice.total, currency=invoice.currency)
            self.stdout.write(f"draft {invoice.pk} {invoice.customer.code} {total} {invoice.currency}")
        for subscription_id, reason in report.failed:
            self.stderr.write(f"subscription {subscription_id}: {reason}")
        if report.failed:
            sys.exit(1)
