"""`check_books --from DAY --to DAY`: documents = books = export, per currency."""

import sys
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import money
from invoicing.cycle import books_check
from invoicing.cycle.books_check import Compared


class Command(BaseCommand):
    """Reads only; exit 1 where the three differ."""

    help = "Compare what was issued on some days with the ledger and with its export."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="DAY")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="DAY", help="Inside.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = books_check.compare_days(start=options["first"], end=options["last"] + timedelta(days=1))
        for one in found:
            self._print(one)
        if not found:
            self.stdout.write("nothing was issued or booked on these days")
        if not all(one.is_equal for one in found):
            sys.exit(1)

    def _print(self, one: Compared) -> None:
        sides = (("documents", one.documents), ("books", one.books), ("export", one.exported))
        texts = [
            f"{name} {money.amount_text(owed, currency=one.currency)}"
            f" with tax {money.amount_text(tax, currency=one.currency)}"
            for name, (owed, tax) in sides
        ]
        self.stdout.write(f"{one.currency}: {', '.join(texts)}: {'equal' if one.is_equal else 'DIFFERENT'}")
