"""`export_ledger --start DAY --end DAY [-o FILE]`: the postings of a stretch of days as CSV; the end is outside."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoicing.ledger import export, queries

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Write the journal of some days as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--start", required=True, type=date.fromisoformat, metavar="DAY", help="First day.")
        parser.add_argument("--end", required=True, type=date.fromisoformat, metavar="DAY", help="The day after.")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="Where to; otherwise to the screen.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["start"] < options["end"]:
            raise CommandError("--end must lie after --start; it is the day after the last one.", returncode=BAD_INPUT)
        rows = export.as_csv(queries.booked_lines(start=options["start"], end=options["end"]))
        if options["output"] is None:
            sys.stdout.writelines(rows)
            return
        with options["output"].open("w", encoding="utf-8", newline="") as file:
            file.writelines(rows)
        self.stdout.write(f"written: {options['output']}")
