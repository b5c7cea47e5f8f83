"""`draft_adjustments [--customer CODE …]`: correct issued invoices now, as the policy says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import DomainError
from invoicing.cycle import at_once

BAD_INPUT = 2


class Command(BaseCommand):
    """Safe to repeat: what stands on a draft already is not drafted again. A worker does the same every hour."""

    help = "Draft documents with corrections alone, for late usage that is not to wait for the next invoice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", action="append", metavar="CODE", help="Only this customer; may be repeated.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = at_once.draft_adjustments(customer_codes=options["customer"], at=timezone.now())
        except DomainError as error:
            raise CommandError(error.message, returncode=BAD_INPUT) from error
        self.stdout.write(
            f"drafts {len(report.invoice_ids)}; corrections that change no amount {len(report.unchanged_ids)};"
            f" customers without policy or tax rate {report.waiting}"
        )
