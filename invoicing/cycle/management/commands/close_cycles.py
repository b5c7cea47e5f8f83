"""`close_cycles --as-of INSTANT [--customer CODE …]`: draft every period that ended by then."""

import argparse
import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.errors import DomainError
from invoicing.cycle import close

BAD_INPUT = 2


def read_instant(text: str) -> datetime:
    """An RFC 3339 instant; a date or an instant without offset could mean several, so neither is taken."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an instant with its offset from UTC, such as 2026-11-01T00:00:00Z"
        )
    return instant


class Command(BaseCommand):
    """Safe to repeat and to kill: it does what is missing, once."""

    help = "Draft an invoice for every billing period that ended by an instant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", type=read_instant, required=True, metavar="INSTANT")
        parser.add_argument("--customer", action="append", metavar="CODE", help="Only this customer; may be repeated.")

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        if options["as_of"] > at:
            self.stderr.write(
                f"{options['as_of'].isoformat()} has not come yet: usage that arrives for these periods after this"
                " close becomes adjustments, and no invoice is issued for a period that still runs."
            )
        columns = (TextColumn("Closing periods"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("close", total=None)
            try:
                report = close.close_cycles(
                    as_of=options["as_of"],
                    customer_codes=options["customer"],
                    at=at,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except DomainError as error:
                raise CommandError(error.message, returncode=BAD_INPUT) from error
        self._print(report)
        if report.failed:
            sys.exit(1)

    def _print(self, report: close.CloseReport) -> None:
        self.stdout.write(
            f"drafts {report.drafted}, of these held {report.held} with {report.breaks} breaks;"
            f" adjustment lines {report.adjusted}; periods with nothing to bill {report.nothing_to_bill};"
            f" failed {len(report.failed)}; late windows waiting {report.late_waiting}"
        )
        for failure in report.failed:
            self.stderr.write(
                f"{failure.customer} {failure.period.start:%Y-%m-%d} to {failure.period.end:%Y-%m-%d}: {failure.reason}"
            )
